# Usage: Rscript conventions.R cohorts.csv times.csv results.txt
# Reads random cohorts and writes what a survival analysis gives under three conventions, for every
# group ("all" is the whole cohort), one line "case|convention.quantity|group|values".
suppressPackageStartupMessages(library(survival))

paths <- commandArgs(trailingOnly = TRUE)
cohorts <- read.csv(paths[1], colClasses = c("integer", "numeric", "integer", "numeric", "character", "character"))
chosen <- read.csv(paths[2], colClasses = c("integer", "numeric", "numeric"))
out <- file(paths[3], "w")
probs <- c(0.25, 0.5, 0.75)

put <- function(case, quantity, group, values) {
  writeLines(paste(case, quantity, group, paste(sprintf("%.17g", values), collapse = " "), sep = "|"), out)
}

# Symmetric interval of a quantile, by the formula published for SPSS
symmetric <- function(fit, p) {
  q <- 1 - p
  tol <- 1.5e-8
  e <- fit$n.event > 0
  t <- fit$time[e]
  s <- fit$surv[e]
  at <- which(s <= q + tol)[1]
  u <- rev(which(s >= q + 0.05 - tol))[1]
  l <- which(s <= q - 0.05 + tol)[1]
  se <- if (is.na(at) || s[at] == 0) NA else (s * fit$std.err[e])[at] * (t[l] - t[u]) / (s[u] - s[l])
  z <- qnorm(0.975)
  c(t[at], max(0, t[at] - z * se), t[at] + z * se)
}

by_band <- function(fit) {
  q <- quantile(fit, probs = probs)
  rbind(q$quantile, q$lower, q$upper)
}
by_slope <- function(fit) sapply(probs, function(p) symmetric(fit, p))

mean_to <- function(fit, tau) {
  if (tau <= 0) c(NA, NA)
  else if (tau < min(fit$time)) c(tau, 0)  # nothing has happened yet, and R refuses
  else summary(fit, rmean = tau)$table[5:6]
}

one_group <- function(case, group, y, left_first, times, taus) {
  entered <- ncol(y) == 3
  last <- max(y[, ncol(y) - 1])
  flip <- y
  flip[, ncol(flip)] <- 1 - flip[, ncol(flip)]
  censored <- any(flip[, ncol(flip)] == 1)
  for (convention in c("app", "R", "SPSS")) {
    type <- if (convention == "R") "log" else "log-log"
    quantiles <- if (convention == "SPSS") by_slope else by_band
    say <- function(quantity, values) put(case, paste0(convention, ".", quantity), group, values)
    fit <- survfit(y ~ 1, conf.type = type, timefix = FALSE)
    say("quantiles", quantiles(fit))
    at <- summary(fit, times = times, extend = TRUE)
    # only R's convention carries the curve on
    unknown <- convention != "R" & times > last + 1e-9 * max(1, last) & tail(fit$surv, 1) > 0
    say("rate", ifelse(unknown, NA, at$surv))
    say("rate_low", ifelse(unknown, NA, at$lower))
    say("rate_high", ifelse(unknown, NA, at$upper))
    tau <- c(app = taus[1], R = taus[2], SPSS = last)[[convention]]
    say("mean", mean_to(fit, tau))
    reverse <- survfit((if (convention == "app") left_first else flip) ~ 1, conf.type = type,
                       timefix = FALSE)
    say("follow_up", if (censored) quantiles(reverse)[, 2] else rep(NA, 3))
  }
}

options(warn = 2)
for (case in unique(cohorts$case)) {
  d <- cohorts[cohorts$case == case, ]
  times <- chosen$time[chosen$case == case]
  entered <- any(d$entry > 0)
  y <- aeqSurv(if (entered) Surv(d$entry, d$time, d$event) else Surv(d$time, d$event))
  # who has the event leaves a moment before those censored at the same time
  end <- ncol(y) - 1
  left_first <- y
  left_first[, end] <- y[, end] - 1e-9 * y[, ncol(y)]
  left_first[, ncol(y)] <- 1 - y[, ncol(y)]
  groups <- sort(unique(d$group))
  largest <- tapply(y[, end], d$group, max)
  taus <- c(min(largest), max(largest))
  parts <- list(all = rep(TRUE, nrow(d)))
  for (g in groups) parts[[g]] <- d$group == g
  for (g in names(parts)) {
    one_group(case, g, y[parts[[g]]], left_first[parts[[g]]], times, taus)
  }
  if (length(groups) < 2) next
  for (ties in c("efron", "breslow", "exact")) {
    most <- max(0, table(y[y[, ncol(y)] == 1, end]))
    if (ties == "exact" && (length(groups) != 2 || entered || most > 20)) next
    # a warning says that a coefficient may be infinite, or that the fit did not converge
    fit <- try(coxph(y ~ factor(d$group), ties = ties,
                     control = coxph.control(eps = 1e-11, iter.max = 200)), silent = TRUE)
    if (inherits(fit, "try-error") || is.null(fit$coefficients)) {
      put(case, paste0("cox.", ties, ".apart"), "all", 1)
      next
    }
    put(case, paste0("cox.", ties, ".coefficients"), "all", fit$coefficients)
    put(case, paste0("cox.", ties, ".std_errors"), "all", sqrt(diag(fit$var)))
  }
}
close(out)
