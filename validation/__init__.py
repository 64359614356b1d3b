"""Checks of the estimators against R, on data sets made for the purpose."""
