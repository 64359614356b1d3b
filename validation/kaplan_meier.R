# Usage: Rscript kaplan_meier.R cohorts.csv times.csv results.txt
# Reads random cohorts and writes, for every quantity, one line "case|quantity|group|values".
# Group "all" is the whole cohort.
suppressPackageStartupMessages(library(survival))

paths <- commandArgs(trailingOnly = TRUE)
cohorts <- read.csv(paths[1], colClasses = c("integer", "numeric", "integer", "numeric", "character", "character"))
chosen <- read.csv(paths[2], colClasses = c("integer", "numeric", "numeric"))
out <- file(paths[3], "w")

# Without events survdiff warns of a P value that does not exist; any other warning is an error.
survdiff_or_error <- function(...) try(suppressWarnings(survdiff(...)), silent = TRUE)

conf_types <- c("plain", "log", "log-log", "logit", "arcsin")
probs <- c(0.25, 0.5, 0.75)

put <- function(case, quantity, group, values) {
  writeLines(paste(case, quantity, group, paste(sprintf("%.17g", values), collapse = " "), sep = "|"), out)
}

curve <- function(case, group, y, times, horizon, entered) {
  for (conf_type in conf_types) {
    fit <- survfit(y ~ 1, conf.type = conf_type, timefix = FALSE)
    put(case, paste0(conf_type, ".lower"), group, fit$lower)
    put(case, paste0(conf_type, ".upper"), group, fit$upper)
    q <- quantile(fit, probs = probs)
    put(case, paste0(conf_type, ".quantile"), group, q$quantile)
    put(case, paste0(conf_type, ".quantile_lower"), group, q$lower)
    put(case, paste0(conf_type, ".quantile_upper"), group, q$upper)
    at <- summary(fit, times = times, extend = TRUE)
    put(case, paste0(conf_type, ".at_lower"), group, at$lower)
    put(case, paste0(conf_type, ".at_upper"), group, at$upper)
    if (conf_type == "log-log") {
      put(case, "time", group, fit$time)
      put(case, "n_risk", group, fit$n.risk)
      put(case, "n_event", group, fit$n.event)
      put(case, "n_censor", group, fit$n.censor)
      put(case, "surv", group, fit$surv)
      put(case, "std_err_log", group, fit$std.err)
      put(case, "at.surv", group, at$surv)
      put(case, "at.std_err", group, at$std.err)
      put(case, "at.cumulative_events", group, cumsum(at$n.event))
      if (!entered) put(case, "at.n_risk", group, at$n.risk)
      tau <- max(horizon, min(fit$time))
      put(case, "rmean", group, summary(fit, rmean = tau)$table[5:6])
      put(case, "rmean_to_last", group, summary(fit, rmean = max(fit$time))$table[5:6])
    }
  }
}

test <- function(case, quantity, fit) {
  if (inherits(fit, "try-error")) {
    writeLines(paste(case, paste0(quantity, ".error"), "all", "1", sep = "|"), out)
    return(invisible())
  }
  total <- function(x) if (is.matrix(x)) rowSums(x) else x
  expected <- total(fit$exp)
  df <- sum(expected > 0) - 1
  put(case, paste0(quantity, ".chisq"), "all",
      c(fit$chisq, df, if (df > 0) pchisq(fit$chisq, df, lower.tail = FALSE) else NaN))
  put(case, paste0(quantity, ".observed"), "all", total(fit$obs))
  put(case, paste0(quantity, ".expected"), "all", expected)
  put(case, paste0(quantity, ".variance"), "all", as.vector(fit$var))
}

options(warn = 2)
for (case in unique(cohorts$case)) {
  d <- cohorts[cohorts$case == case, ]
  ticks <- chosen$time[chosen$case == case]
  horizon <- chosen$horizon[chosen$case == case][1]
  entered <- any(d$entry > 0)
  y <- if (entered) Surv(d$entry, d$time, d$event) else Surv(d$time, d$event)
  y <- aeqSurv(y)
  curve(case, "all", y, ticks, horizon, entered)
  groups <- sort(unique(d$group))
  if (length(groups) > 1) {
    for (g in groups) curve(case, g, y[d$group == g], ticks, horizon, entered)
  }
  flipped <- if (entered) Surv(d$entry, d$time, 1 - d$event) else Surv(d$time, 1 - d$event)
  flipped <- aeqSurv(flipped)
  for (g in if (length(groups) > 1) c("all", groups) else "all") {
    mine <- if (g == "all") rep(TRUE, nrow(d)) else d$group == g
    flip <- survfit(flipped[mine] ~ 1, conf.type = "log-log", timefix = FALSE)
    put(case, "flip.surv", g, flip$surv)
    q <- quantile(flip, probs = probs)
    put(case, "flip.quantile", g, c(q$quantile, q$lower, q$upper))
  }

  if (!entered) {
    s <- Surv(d$time, d$event)
    for (rho in c(0, 0.5, 1, 2)) {
      test(case, paste0("survdiff", rho), survdiff_or_error(s ~ group, data = d, rho = rho))
    }
    if (length(unique(d$stratum)) > 1) {
      for (rho in c(0, 0.5, 1)) {
        test(case, paste0("stratified", rho),
             survdiff_or_error(s ~ group + strata(stratum), data = d, rho = rho))
      }
    }
  }
  # Without tied events, the score test of a Cox model at zero is the log-rank test; it is R's
  # only log-rank test under left truncation, and its only test for trend.
  if (!anyDuplicated(y[d$event == 1, ncol(y) - 1]) && length(groups) > 1 && any(d$event == 1)) {
    at_zero <- coxph.control(iter.max = 0)
    d$score <- as.integer(factor(d$group))
    trend <- try(coxph(y ~ score, data = d, control = at_zero), silent = TRUE)
    put(case, "score_trend", "all", if (inherits(trend, "try-error")) NaN else trend$score)
    k <- try(coxph(y ~ group, data = d, control = at_zero), silent = TRUE)
    put(case, "score_groups", "all", if (inherits(k, "try-error")) NaN else c(k$score, sum(diag(k$var) > 0)))
  }
}
close(out)
