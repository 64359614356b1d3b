# Usage: Rscript parametric_survival.R cohorts.csv results.txt
# Fits four families to random cohorts and writes, for every quantity, one line "case|quantity|values".
suppressPackageStartupMessages(library(survival))

paths <- commandArgs(trailingOnly = TRUE)
cohorts <- read.csv(paths[1])
out <- file(paths[2], "w")
put <- function(case, quantity, values) {
  writeLines(paste(case, quantity, paste(sprintf("%.17g", values), collapse = " "), sep = "|"), out)
}

control <- survreg.control(rel.tolerance = 1e-13, maxiter = 500)
options(warn = 2)
for (case in unique(cohorts$case)) {
  d <- cohorts[cohorts$case == case, ]
  n <- nrow(d)
  d <- d[d$time > 0, ]
  for (family in c("exponential", "weibull", "lognormal", "loglogistic")) {
    fit <- try(survreg(Surv(time, event) ~ 1, data = d, dist = family, control = control), silent = TRUE)
    if (inherits(fit, "try-error")) {
      put(case, paste0(family, ".error"), 1)
      next
    }
    put(case, paste0(family, ".parameters"), c(coef(fit), log(fit$scale)))
    put(case, paste0(family, ".covariance"), as.vector(fit$var))
    put(case, paste0(family, ".log_likelihood"), fit$loglik[2])
    # who is censored at 0 counts as a subject
    put(case, paste0(family, ".criteria"), c(AIC(fit), AIC(fit, k = log(n))))
    median <- predict(fit, newdata = data.frame(one = 1), type = "uquantile", p = 0.5, se.fit = TRUE)
    put(case, paste0(family, ".log_median"), median$fit + c(0, -1, 1) * qnorm(0.975) * median$se.fit)
  }
}
close(out)
