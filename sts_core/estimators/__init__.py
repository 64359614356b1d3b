"""Estimators as plain functions: numpy arrays in, frozen records out.

They know no cohort, no table and no figure, and import nothing heavier than numpy.
"""
