"""Figures as data: results become marks, a theme gives them colours, a layout places them."""
