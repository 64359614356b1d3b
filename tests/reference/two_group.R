# Makes two_group_results.csv: hazard ratios of two groups with the exact partial likelihood.
#   cd tests/reference && Rscript --vanilla two_group.R
# Each row holds its made-up data; where coxph warns or gives no finite coefficient it is empty.
suppressPackageStartupMessages(library(survival))
set.seed(20261128)
rows <- lapply(1:40, function(case) {
  late <- case %% 4 == 0
  n <- sample(if (late) c(4, 8, 12) else c(4, 8, 15, 40, 90), 1)  # with entry, R counts all subsets
  second <- rbinom(n, 1, 0.4)
  time <- ceiling(rexp(n, exp(0.6 * second) / 9)) + 1
  event <- rbinom(n, 1, sample(c(0.4, 0.7, 1), 1))
  entry <- if (late) pmax(0, pmin(time - 1, rbinom(n, 1, 0.5) * sample(0:3, n, TRUE))) else rep(0, n)
  y <- if (late) Surv(entry, time, event) else Surv(time, event)
  warned <- FALSE
  fit <- withCallingHandlers(
    try(coxph(y ~ second, ties = "exact", control = coxph.control(eps = 1e-11, iter.max = 200)),
        silent = TRUE),
    warning = function(w) { warned <<- TRUE; invokeRestart("muffleWarning") })
  # with entry, survival 3.5-3 gives a plain list without the class of a fit
  beta <- if (inherits(fit, "try-error") || is.null(fit$coefficients)) NA else fit$coefficients[[1]]
  good <- !warned && is.finite(beta) && abs(beta) < 10
  data.frame(
    time = paste(time, collapse = " "), event = paste(event, collapse = " "),
    second = paste(second, collapse = " "), entry = paste(entry, collapse = " "),
    coefficient = if (good) sprintf("%.17g", beta) else "",
    std_error = if (good) sprintf("%.17g", sqrt(fit$var[1])) else "")
})
write.csv(do.call(rbind, rows), "two_group_results.csv", row.names = FALSE, quote = FALSE)
