# Usage: Rscript cox.R cohorts.csv models.csv results.txt
# Fits every model of models.csv to its cohort and writes, for every quantity, one line
# "case|quantity|values". A warning or an error of the fit is a line of its own.
suppressPackageStartupMessages(library(survival))

paths <- commandArgs(trailingOnly = TRUE)
cohorts <- read.csv(paths[1])
models <- read.csv(paths[2])
out <- file(paths[3], "w")
control <- coxph.control(eps = 1e-11, iter.max = 200)

put <- function(case, quantity, values) {
  writeLines(paste(case, quantity, paste(sprintf("%.17g", values), collapse = " "), sep = "|"), out)
}
say <- function(case, quantity, text) {
  writeLines(paste(case, quantity, gsub("[\r\n|]+", " ", text), sep = "|"), out)
}

rows <- split(seq_len(nrow(cohorts)), cohorts$case)
for (k in seq_len(nrow(models))) {
  m <- models[k, ]
  case <- m$case
  d <- cohorts[rows[[as.character(case)]], ]
  x <- as.matrix(d[, paste0("x", seq_len(m$columns)), drop = FALSE])
  d$x <- x
  left <- if (m$entry == 1) "Surv(entry, time, event)" else "Surv(time, event)"
  right <- if (m$strata == 1) "x + strata(stratum)" else "x"
  formula <- as.formula(paste(left, "~", right))
  warned <- character()
  fit <- tryCatch(
    withCallingHandlers(
      if (m$weights == 1) {
        coxph(formula, d, weights = weight, robust = FALSE, ties = m$ties, control = control, x = TRUE, y = TRUE)
      } else {
        coxph(formula, d, ties = m$ties, control = control, x = TRUE, y = TRUE)
      },
      warning = function(w) {
        warned <<- c(warned, conditionMessage(w))
        invokeRestart("muffleWarning")
      }
    ),
    error = function(e) e
  )
  if (inherits(fit, "error")) {
    say(case, "error", conditionMessage(fit))
    next
  }
  if (length(warned)) say(case, "warning", paste(warned, collapse = "; "))
  put(case, "coefficients", fit$coefficients)
  put(case, "n", c(fit$n, fit$nevent))
  if (is.null(fit$var)) next
  put(case, "log_likelihood", fit$loglik)
  put(case, "covariance", fit$var)
  put(case, "score_test", fit$score)
  put(case, "wald_test", fit$wald.test)
  lp <- fit$linear.predictors
  put(case, "linear_predictor", lp - mean(lp))
  if (m$entry == 0 && m$weights == 0) {
    put(case, "concordance", unname(fit$concordance["concordance"]))
  }
  if (length(warned)) next
  put(case, "score_residuals", resid(fit, type = "score"))
  if (!anyNA(fit$coefficients)) {
    put(case, "schoenfeld_sums", colSums(as.matrix(resid(fit, type = "schoenfeld"))^2))
    for (transform in c("km", "rank", "identity")) {
      zph <- tryCatch(cox.zph(fit, transform = transform, terms = FALSE), error = function(e) NULL)
      if (is.null(zph)) say(case, paste0("zph_", transform, "_error"), "1")
      else put(case, paste0("zph_", transform), zph$table[, "chisq"])
    }
  }
}
close(out)
