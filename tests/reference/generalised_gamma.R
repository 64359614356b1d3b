# Makes generalised_gamma_results.csv from kaplan_meier_cohorts.csv and competing_risks_cohorts.csv (where
# any kind is the event), in the folder it is started in:
#   cd tests/reference && Rscript --vanilla generalised_gamma.R
# Prentice's generalised gamma (Biometrika 1974;61:539-544), log T = mu + sigma W: its density and survival
# function are written out here, and the likelihood is maximised by optim. Delayed entry divides by the
# survival at entry. Cohorts with an event at 0 or fewer than 8 events are left out.
# One row a number: file, case, quantity, position, value.
log_density <- function(t, mu, sigma, q) {
  w <- (log(t) - mu) / sigma
  if (abs(q) < 1e-5) return(dlnorm(t, mu, sigma, log = TRUE))
  k <- q^-2
  log(abs(q)) + k * log(k) - log(sigma * t) - lgamma(k) + k * (q * w - exp(q * w))
}
log_survival <- function(t, mu, sigma, q) {
  if (abs(q) < 1e-5) return(plnorm(t, mu, sigma, lower.tail = FALSE, log.p = TRUE))
  u <- q^-2 * exp(q * (log(t) - mu) / sigma)
  pgamma(u, q^-2, lower.tail = q < 0, log.p = TRUE)
}
log_likelihood <- function(p, x) {
  value <- suppressWarnings({
    late <- x$entry > 0
    sum(log_density(x$time[x$event == 1], p[1], exp(p[2]), p[3])) +
      sum(log_survival(x$time[x$event == 0], p[1], exp(p[2]), p[3])) -
      sum(log_survival(x$entry[late], p[1], exp(p[2]), p[3]))
  })
  if (is.finite(value)) value else -1e10
}
maximum <- function(x) {
  best <- NULL
  for (q in c(-1, 0.3, 1, 2)) {
    p <- c(mean(log(x$time)) + 0.5, log(sd(log(x$time))), q)
    for (round in 1:6) {
      method <- if (round %% 2) "Nelder-Mead" else "BFGS"
      fit <- optim(p, log_likelihood, x = x, method = method,
                   control = list(fnscale = -1, reltol = 1e-15, maxit = 2000))
      p <- fit$par
    }
    if (is.null(best) || fit$value > best$value) best <- fit
  }
  if (abs(best$par[3]) > 4) return(NULL)
  # Newton's steps on central differences, to the last digits
  for (round in 1:4) {
    step <- 1e-4
    gradient <- sapply(1:3, function(j) {
      e <- replace(numeric(3), j, step)
      (8 * (log_likelihood(best$par + e, x) - log_likelihood(best$par - e, x)) -
        (log_likelihood(best$par + 2 * e, x) - log_likelihood(best$par - 2 * e, x))) / (12 * step)
    })
    hessian <- optimHess(best$par, log_likelihood, x = x, control = list(fnscale = -1, ndeps = rep(1e-4, 3)))
    if (any(eigen(-hessian)$values <= 1e-8)) return(NULL)
    best$par <- best$par - solve(hessian, gradient)
  }
  list(par = best$par, value = log_likelihood(best$par, x), covariance = solve(-hessian))
}

rows <- list()
for (file in c("kaplan_meier", "competing_risks")) {
  d <- read.csv(paste0(file, "_cohorts.csv"))
  if (file == "competing_risks") d$event <- as.integer(d$cause > 0)
  put <- function(case, quantity, values) {
    rows[[length(rows) + 1]] <<- data.frame(file, case, quantity, position = seq_along(values),
                                            value = sprintf("%.10g", as.numeric(values)))
  }
  for (case in unique(d$case)) {
    x <- d[d$case == case, ]
    if (any(x$time == 0 & x$event == 1) || sum(x$event) < 8) next
    x <- x[x$time > 0, ]
    fit <- maximum(x)
    # a likelihood that rises towards a border, or is too flat for optim, is no reference
    if (is.null(fit)) next
    at <- quantile(x$time, c(0.25, 0.5, 0.9))
    put(case, "parameters", fit$par)
    put(case, "log_likelihood", fit$value)
    put(case, "std_errors", sqrt(diag(fit$covariance)))
    put(case, "time", at)
    put(case, "survival", exp(log_survival(at, fit$par[1], exp(fit$par[2]), fit$par[3])))
  }
}
write.csv(do.call(rbind, rows), "generalised_gamma_results.csv", row.names = FALSE, quote = FALSE)
