# Makes kaplan_meier_results.csv from kaplan_meier_cohorts.csv, in the folder it is started in:
#   cd tests/reference && Rscript --vanilla kaplan_meier.R
# One row a number: case, group ("all" for the whole cohort), quantity, position, value.
suppressPackageStartupMessages(library(survival))
d <- read.csv("kaplan_meier_cohorts.csv", colClasses = c("integer", rep("numeric", 3), "character", "character"))
rows <- list()
put <- function(case, group, quantity, values) {
  rows[[length(rows) + 1]] <<- data.frame(case, group, quantity, position = seq_along(values),
                                          value = sprintf("%.13g", as.numeric(values)))
}
total <- function(x) if (is.matrix(x)) rowSums(x) else x

one_curve <- function(case, group, y) {
  for (conf_type in c("plain", "log", "log-log", "logit", "arcsin")) {
    fit <- survfit(y ~ 1, conf.type = conf_type, conf.int = 0.9, timefix = FALSE)
    put(case, group, paste0(conf_type, ".lower"), fit$lower)
    put(case, group, paste0(conf_type, ".upper"), fit$upper)
    q <- quantile(fit, probs = c(0.25, 0.5, 0.75))
    put(case, group, paste0(conf_type, ".quantile"), c(q$quantile, q$lower, q$upper))
  }
  put(case, group, "time", fit$time)
  put(case, group, "n_risk", fit$n.risk)
  put(case, group, "n_event", fit$n.event)
  put(case, group, "n_censor", fit$n.censor)
  put(case, group, "surv", fit$surv)
  put(case, group, "std_error", summary(fit, times = fit$time)$std.err)
  put(case, group, "rmean", summary(fit, rmean = max(fit$time))$table[5:6])
}

for (case in unique(d$case)) {
  x <- d[d$case == case, ]
  entered <- any(x$entry > 0)
  y <- aeqSurv(if (entered) Surv(x$entry, x$time, x$event) else Surv(x$time, x$event))
  one_curve(case, "all", y)
  groups <- sort(unique(x$group))
  if (length(groups) > 1) for (g in groups) one_curve(case, g, y[x$group == g])
  if (entered) next
  q <- quantile(survfit(Surv(time, 1 - event) ~ 1, data = x, conf.type = "log-log"), probs = 0.5)
  put(case, "all", "follow_up_flipped", unlist(q))
  for (rho in c(0, 1)) for (stratified in c(FALSE, TRUE)) {
    test <- if (stratified) {
      try(survdiff(Surv(time, event) ~ group + strata(stratum), data = x, rho = rho), silent = TRUE)
    } else try(survdiff(Surv(time, event) ~ group, data = x, rho = rho), silent = TRUE)
    if (inherits(test, "try-error")) next
    name <- paste0(if (stratified) "stratified" else "survdiff", rho)
    put(case, "all", paste0(name, ".test"), c(test$chisq, test$pvalue))
    put(case, "all", paste0(name, ".observed"), total(test$obs))
    put(case, "all", paste0(name, ".expected"), total(test$exp))
    put(case, "all", paste0(name, ".variance"), test$var)
  }
}
write.csv(do.call(rbind, rows), "kaplan_meier_results.csv", row.names = FALSE, quote = FALSE)
