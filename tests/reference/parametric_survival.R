# Makes parametric_survival_results.csv from kaplan_meier_cohorts.csv, in the folder it is started in:
#   cd tests/reference && Rscript --vanilla parametric_survival.R
# Cohorts with delayed entry or an event at 0 are left out; who is censored at 0 tells nothing.
# One row a number: case, distribution, quantity, position, value.
suppressPackageStartupMessages(library(survival))
d <- read.csv("kaplan_meier_cohorts.csv", colClasses = c("integer", rep("numeric", 3), "character", "character"))
rows <- list()
put <- function(case, family, quantity, values) {
  rows[[length(rows) + 1]] <<- data.frame(case, family, quantity, position = seq_along(values),
                                          value = sprintf("%.13g", as.numeric(values)))
}
control <- survreg.control(rel.tolerance = 1e-13, maxiter = 500)
options(warn = 2)
for (case in unique(d$case)) {
  x <- d[d$case == case, ]
  if (any(x$entry > 0) || any(x$time == 0 & x$event == 1) || sum(x$event) < 2) next
  x <- x[x$time > 0, ]
  for (family in c("exponential", "weibull", "lognormal", "loglogistic")) {
    fit <- try(survreg(Surv(time, event) ~ 1, data = x, dist = family, control = control), silent = TRUE)
    if (inherits(fit, "try-error")) {
      put(case, family, "error", 1)
      next
    }
    put(case, family, "location", coef(fit))
    put(case, family, "scale", fit$scale)
    put(case, family, "covariance", fit$var)
    put(case, family, "log_likelihood", fit$loglik[2])
    put(case, family, "aic", AIC(fit))
    put(case, family, "bic", BIC(fit))
    median <- predict(fit, newdata = data.frame(one = 1), type = "uquantile", p = 0.5, se.fit = TRUE)
    put(case, family, "median", exp(median$fit + c(0, -1, 1) * qnorm(0.975) * median$se.fit))
    put(case, family, "survival", 1 - psurvreg(quantile(x$time, c(0.25, 0.5, 0.9)), coef(fit), fit$scale, family))
  }
}
write.csv(do.call(rbind, rows), "parametric_survival_results.csv", row.names = FALSE, quote = FALSE)
