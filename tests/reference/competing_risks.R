# Makes competing_risks_results.csv from competing_risks_cohorts.csv, in the folder it is started in:
#   cd tests/reference && Rscript --vanilla competing_risks.R
# One row a number: case, group ("all" for the whole cohort), quantity, position, value.
suppressPackageStartupMessages({
  library(survival)
  library(cmprsk)
})
d <- read.csv("competing_risks_cohorts.csv", colClasses = c(case = "integer", cause = "integer", group = "character"))
rows <- list()
put <- function(case, group, quantity, values) {
  rows[[length(rows) + 1]] <<- data.frame(case, group, quantity, position = seq_along(values),
                                          value = sprintf("%.13g", as.numeric(values)))
}

curve <- function(case, group, x, entered) {
  causes <- x$causes[1]
  status <- factor(x$cause, 0:causes)
  x$id <- seq_len(nrow(x))
  y <- if (entered) Surv(x$entry, x$time, status) else Surv(x$time, status)
  for (conf_type in c("log-log", "log", "plain", "logit")) {
    fit <- survfit(y ~ 1, data = x, id = id, conf.type = conf_type, conf.int = 0.9)
    if (!entered) for (k in seq_len(causes)) {
      put(case, group, paste0(conf_type, ".lower.", k), fit$lower[, k + 1])
      put(case, group, paste0(conf_type, ".upper.", k), fit$upper[, k + 1])
    }
  }
  put(case, group, "time", fit$time)
  put(case, group, "n_risk", fit$n.risk[, 1])
  for (k in seq_len(causes)) {
    put(case, group, paste0("n_event.", k), fit$n.event[, k + 1])
    put(case, group, paste0("incidence.", k), fit$pstate[, k + 1])
    # with delayed entry R gives the jackknife and not Greenwood's formula
    if (!entered) put(case, group, paste0("std_error.", k), fit$std.err[, k + 1])
  }
}

# Fine-Gray with delayed entry: a Cox model on the weighted data of finegray, a cluster a patient
late_regression <- function(case, x, of) {
  x$status <- factor(x$cause, 0:x$causes[1])
  x$id <- seq_len(nrow(x))
  weighted <- finegray(Surv(entry, time, status) ~ x1 + x2 + id, data = x, etype = as.character(of), id = id)
  if (!all(is.finite(weighted$fgwt))) {
    put(case, "all", paste0("finegray.", of, ".infinite_weights"), 1)
    return(invisible())
  }
  fit <- coxph(Surv(fgstart, fgstop, fgstatus) ~ x1 + x2, data = weighted, weights = fgwt, cluster = id,
               ties = "breslow", control = coxph.control(eps = 1e-11, iter.max = 200))
  if (any(abs(coef(fit)) > 8)) return(invisible())
  put(case, "all", paste0("finegray.", of, ".coefficients"), coef(fit))
  put(case, "all", paste0("finegray.", of, ".variance"), fit$var)
  put(case, "all", paste0("finegray.", of, ".log_likelihood"), fit$loglik)
}

for (case in unique(d$case)) {
  x <- d[d$case == case, ]
  entered <- any(x$entry > 0)
  curve(case, "all", x, entered)
  groups <- sort(unique(x$group))
  if (length(groups) > 1) for (g in groups) curve(case, g, x[x$group == g, ], entered)
  if (entered && x$regression[1] == 1) for (of in intersect(1:2, x$cause)) late_regression(case, x, of)
  if (entered || all(x$cause == 0) || nrow(x) < 2) next
  if (length(groups) > 1) {
    tests <- cuminc(x$time, x$cause, x$group)$Tests
    for (k in rownames(tests)) put(case, "all", paste0("gray.", k), tests[k, ])
    if (length(unique(x$stratum)) > 1) {
      tests <- cuminc(x$time, x$cause, x$group, x$stratum)$Tests
      for (k in rownames(tests)) put(case, "all", paste0("gray_stratified.", k), tests[k, ])
      tests <- cuminc(x$time, x$cause, x$group, rho = 1)$Tests
      for (k in rownames(tests)) put(case, "all", paste0("gray_rho1.", k), tests[k, ])
    }
  }
  read <- timepoints(cuminc(x$time, x$cause), sort(unique(x$time)))
  for (row in rownames(read$est)) {
    put(case, "all", paste0("cuminc.", sub(".* ", "", row)), read$est[row, ])
    put(case, "all", paste0("cuminc_variance.", sub(".* ", "", row)), read$var[row, ])
  }
  if (x$regression[1] == 1) for (of in intersect(1:2, x$cause)) {
    fit <- crr(x$time, x$cause, cbind(x$x1, x$x2), failcode = of, gtol = 1e-11, maxiter = 200)
    if (!fit$converged || any(abs(fit$coef) > 8)) next
    put(case, "all", paste0("crr.", of, ".coefficients"), fit$coef)
    put(case, "all", paste0("crr.", of, ".variance"), fit$var)
    put(case, "all", paste0("crr.", of, ".log_likelihood"), c(fit$loglik.null, fit$loglik))
  }
}
write.csv(do.call(rbind, rows), "competing_risks_results.csv", row.names = FALSE, quote = FALSE)
