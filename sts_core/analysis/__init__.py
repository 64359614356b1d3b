"""One analysis a file: spec, result, computation, table, words, rows and R code."""
