# Usage: Rscript competing_risks.R cohorts.csv results.txt
# Reads random cohorts with competing events and writes, for every quantity, one line
# "case|quantity|group|values". Group "all" is the whole cohort.
suppressPackageStartupMessages({
  library(survival)
  library(cmprsk)
})

paths <- commandArgs(trailingOnly = TRUE)
cohorts <- read.csv(paths[1], colClasses = c(case = "integer", cause = "integer", group = "character"))
out <- file(paths[2], "w")

put <- function(case, quantity, group, values) {
  writeLines(paste(case, quantity, group, paste(sprintf("%.17g", values), collapse = " "), sep = "|"), out)
}

curves <- function(case, group, d, causes, entered) {
  status <- factor(d$cause, 0:causes)
  y <- if (entered) Surv(d$entry, d$time, status) else Surv(d$time, status)
  d$id <- seq_len(nrow(d))
  for (conf_type in c("plain", "log", "log-log", "logit")) {
    fit <- survfit(y ~ 1, data = d, id = id, conf.type = conf_type)
    for (k in seq_len(causes)) {
      put(case, paste0(conf_type, ".lower.", k), group, fit$lower[, k + 1])
      put(case, paste0(conf_type, ".upper.", k), group, fit$upper[, k + 1])
    }
  }
  any_event <- if (entered) Surv(d$entry, d$time, d$cause > 0) else Surv(d$time, d$cause > 0)
  any_event <- survfit(any_event ~ 1)
  put(case, "any_event.std_error", group, any_event$surv * any_event$std.err)
  put(case, "time", group, fit$time)
  put(case, "n_risk", group, fit$n.risk[, 1])
  put(case, "n_censor", group, if (is.matrix(fit$n.censor)) rowSums(fit$n.censor) else fit$n.censor)
  put(case, "none", group, fit$pstate[, 1])
  for (k in seq_len(causes)) {
    put(case, paste0("n_event.", k), group, fit$n.event[, k + 1])
    put(case, paste0("incidence.", k), group, fit$pstate[, k + 1])
    put(case, paste0("std_error.", k), group, fit$std.err[, k + 1])
  }
}

incidence <- function(case, d, stratified) {
  name <- if (stratified) "gray_stratified." else "gray."
  strata <- if (stratified) d$stratum else rep(1, nrow(d))
  fit <- try(cuminc(d$time, d$cause, d$group, strata), silent = TRUE)
  if (inherits(fit, "try-error")) {
    put(case, paste0(name, "error"), "all", 1)
  } else if (!is.null(fit$Tests)) {
    for (k in rownames(fit$Tests)) put(case, paste0(name, k), "all", fit$Tests[k, ])
  }
  if (stratified) return(invisible())
  fit <- cuminc(d$time, d$cause)
  at <- sort(unique(d$time))
  read <- timepoints(fit, at)
  for (row in rownames(read$est)) {
    k <- strsplit(row, " ")[[1]][2]
    put(case, paste0("cuminc.", k), "all", read$est[row, ])
    put(case, paste0("cuminc_variance.", k), "all", read$var[row, ])
  }
}

regression <- function(case, d, of) {
  x <- cbind(d$x1, d$x2)
  if (length(unique(d$group)) > 1) x <- cbind(x, model.matrix(~ group, d)[, -1, drop = FALSE])
  fit <- try(suppressWarnings(crr(d$time, d$cause, x, failcode = of, gtol = 1e-11, maxiter = 200)), silent = TRUE)
  name <- paste0("crr.", of)
  if (inherits(fit, "try-error")) {
    put(case, paste0(name, ".error"), "all", 1)
    return(invisible())
  }
  put(case, paste0(name, ".converged"), "all", as.integer(fit$converged))
  put(case, paste0(name, ".coefficients"), "all", fit$coef)
  put(case, paste0(name, ".variance"), "all", as.vector(fit$var))
  put(case, paste0(name, ".log_likelihood"), "all", fit$loglik)
}

# with delayed entry: a Cox model on the weighted data of finegray, a cluster a patient
late_regression <- function(case, d, of) {
  x <- cbind(d$x1, d$x2)
  if (length(unique(d$group)) > 1) x <- cbind(x, model.matrix(~ group, d)[, -1, drop = FALSE])
  d$status <- factor(d$cause, 0:d$causes[1])
  d$id <- seq_len(nrow(d))
  name <- paste0("crr.", of)
  fit <- try(suppressWarnings({
    w <- finegray(Surv(entry, time, status) ~ id, data = d, etype = as.character(of), id = id)
    # 0 / 0 and x / 0, whose rows coxph would drop or refuse
    if (!all(is.finite(w$fgwt))) stop("weights are not finite")
    coxph(Surv(w$fgstart, w$fgstop, w$fgstatus) ~ x[w$id, , drop = FALSE], weights = w$fgwt, cluster = w$id,
          ties = "breslow", control = coxph.control(eps = 1e-11, iter.max = 200))
  }), silent = TRUE)
  if (inherits(fit, "try-error")) {
    put(case, paste0(name, ".error"), "all", 1)
    return(invisible())
  }
  put(case, paste0(name, ".converged"), "all", as.integer(fit$iter < 200))
  put(case, paste0(name, ".coefficients"), "all", coef(fit))
  put(case, paste0(name, ".variance"), "all", as.vector(fit$var))
  put(case, paste0(name, ".log_likelihood"), "all", fit$loglik[2])
}

for (case in unique(cohorts$case)) {
  d <- cohorts[cohorts$case == case, ]
  causes <- d$causes[1]
  entered <- any(d$entry > 0)
  curves(case, "all", d, causes, entered)
  groups <- sort(unique(d$group))
  if (length(groups) > 1) for (g in groups) curves(case, g, d[d$group == g, ], causes, entered)
  if (entered && d$regression[1] == 1) for (of in intersect(1:2, d$cause)) late_regression(case, d, of)
  if (entered || all(d$cause == 0)) next
  if (length(groups) > 1 || nrow(d) > 1) {
    incidence(case, d, FALSE)
    if (length(groups) > 1 && length(unique(d$stratum)) > 1) incidence(case, d, TRUE)
  }
  if (d$regression[1] == 1) for (of in intersect(1:2, d$cause)) regression(case, d, of)
}
close(out)
