# Comparisons between groups as R gives them, or by the formulas written out here in base R.
#   Rscript --vanilla validation/comparison.R cohorts.csv results.csv
# The cohorts have the columns case, time, event, entry, group and stratum; those with a late entry
# are left out. One row a number: case, quantity, position, value; a quantity that R can't give has
# no row.
suppressPackageStartupMessages(library(survival))
files <- commandArgs(trailingOnly = TRUE)
d <- read.csv(files[1], colClasses = c("integer", rep("numeric", 3), "character", "character"))
rows <- list()
put <- function(case, quantity, values) {
  if (length(values) == 0 || any(!is.finite(as.numeric(values)))) return(invisible())
  rows[[length(rows) + 1]] <<- data.frame(case, quantity, position = seq_along(values),
                                          value = sprintf("%.15g", as.numeric(values)))
}

# Observed less expected and covariance of a weighted test within one stratum.
# weight: function of numbers at risk, events, and survival just before and just after.
one_stratum <- function(time, event, group, levels, weight) {
  at <- sort(unique(time[event == 1]))
  u <- rep(0, length(levels)); v <- matrix(0, length(levels), length(levels))
  if (length(at) == 0) return(list(u = u, v = v, e = u))
  n <- sapply(at, function(t) sum(time >= t)); dead <- sapply(at, function(t) sum(time == t & event == 1))
  after <- cumprod(1 - dead / n); before <- c(1, after[-length(after)])
  tilde <- cumprod(1 - dead / (n + 1))
  w <- weight(n, before, tilde)
  e <- u
  for (i in seq_along(at)) {
    ni <- sapply(levels, function(g) sum(time >= at[i] & group == g))
    di <- sapply(levels, function(g) sum(time == at[i] & event == 1 & group == g))
    p <- ni / n[i]
    u <- u + w[i] * (di - dead[i] * p)
    e <- e + dead[i] * p
    if (n[i] > 1) {
      v <- v + w[i]^2 * dead[i] * (n[i] - dead[i]) / (n[i] - 1) * (diag(p, length(p)) - outer(p, p))
    }
  }
  list(u = u, v = v, e = e)
}
weighted_test <- function(time, event, group, stratum, weight) {
  levels <- sort(unique(group))
  parts <- lapply(sort(unique(stratum)), function(s) {
    x <- stratum == s
    one_stratum(time[x], event[x], group[x], levels, weight)
  })
  u <- Reduce(`+`, lapply(parts, `[[`, "u")); v <- Reduce(`+`, lapply(parts, `[[`, "v"))
  e <- Reduce(`+`, lapply(parts, `[[`, "e"))
  keep <- which(e > 0)
  if (length(keep) < 2) return(NULL)
  keep <- keep[-1]
  m <- v[keep, keep, drop = FALSE]
  if (any(diag(m) <= 0) || rcond(m) < 1e-10) return(NULL)
  c(sum(u[keep] * solve(m, u[keep])), length(keep))
}
weights <- list(
  "gehan-breslow" = function(n, before, tilde) n,
  "tarone-ware" = function(n, before, tilde) sqrt(n),
  "peto-peto" = function(n, before, tilde) before,
  "peto-peto (S-tilde)" = function(n, before, tilde) tilde,
  "modified peto-peto" = function(n, before, tilde) tilde * n / (n + 1),
  "fh 0.5 0" = function(n, before, tilde) sqrt(before),
  "fh 0 1" = function(n, before, tilde) 1 - before,
  "fh 1 1" = function(n, before, tilde) before * (1 - before)
)
control <- coxph.control(eps = 1e-11, iter.max = 200)

for (case in unique(d$case)) {
  x <- d[d$case == case, ]
  if (any(x$entry > 0) || sum(x$event) == 0 || length(unique(x$group)) < 2) next
  y <- aeqSurv(Surv(x$time, x$event))
  time <- y[, 1]; event <- y[, 2]
  for (name in names(weights)) {
    put(case, name, weighted_test(time, event, x$group, rep("one", nrow(x)), weights[[name]]))
    put(case, paste("stratified", name),
        weighted_test(time, event, x$group, x$stratum, weights[[name]]))
  }
  levels <- sort(unique(x$group))
  test <- try(survdiff(y ~ group, data = x), silent = TRUE)  # singular where nothing varies
  if (length(levels) > 2 && !inherits(test, "try-error") && is.matrix(test$var)) {
    score <- seq_along(levels); spread <- drop(score %*% test$var %*% score)
    if (spread > 1e-8) put(case, "trend", sum(score * (test$obs - test$exp))^2 / spread)
  }
  # the second group against the first
  two <- x$group %in% levels[1:2]
  fit <- survfit(y[two] ~ x$group[two], timefix = FALSE)
  last <- tapply(time[two], x$group[two], max)
  end <- min(last)
  for (part in c(0.3017, 0.6013)) {
    s <- try(summary(fit, times = part * end, extend = TRUE), silent = TRUE)
    if (inherits(s, "try-error") || length(s$surv) != 2 || any(s$surv <= 0)) next
    spread <- sqrt(sum(s$std.err^2))
    value <- s$surv[2] - s$surv[1]
    if (spread > 0) {
      put(case, paste("rate", part), c(value, spread, 2 * pnorm(-abs(value / spread))))
    }
  }
  # R refuses some horizons before a group's first time
  s <- if (end > 0) try(summary(fit, rmean = 0.9 * end)$table, silent = TRUE) else NULL
  if (is.matrix(s)) {
    value <- s[2, "rmean"] - s[1, "rmean"]; spread <- sqrt(sum(s[, "se(rmean)"]^2))
    if (spread > 0) put(case, "rmean", c(value, spread, 2 * pnorm(-abs(value / spread))))
  }
  warned <- FALSE
  cox <- function(formula) withCallingHandlers(
    try(coxph(formula, data = x[two, ], control = control), silent = TRUE),
    warning = function(w) { warned <<- TRUE; invokeRestart("muffleWarning") })
  model <- cox(Surv(time, event) ~ group + strata(stratum))
  if (!warned && !inherits(model, "try-error") && isTRUE(abs(coef(model)) < 10)) {
    put(case, "stratified hr", c(exp(coef(model)), sqrt(vcov(model))))
  }
  warned <- FALSE
  model <- withCallingHandlers(
    try(coxph(Surv(time, event) ~ group, data = x, control = control), silent = TRUE),
    warning = function(w) { warned <<- TRUE; invokeRestart("muffleWarning") })
  if (!warned && !inherits(model, "try-error") && all(is.finite(coef(model))) &&
      all(abs(coef(model)) < 10)) {
    z <- try(cox.zph(model), silent = TRUE)
    if (!inherits(z, "try-error")) put(case, "zph", z$table["group", c("chisq", "df", "p")])
  }
}
write.csv(do.call(rbind, rows), files[2], row.names = FALSE, quote = FALSE)
