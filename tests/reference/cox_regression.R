# Makes cox_cohorts.csv (random cohorts) and cox_regression.csv (what R's survival says of them).
# Usage, in this folder: Rscript cox_regression.R
suppressPackageStartupMessages(library(survival))
RNGversion("4.2.0")
set.seed(20261123)
control <- coxph.control(eps = 1e-11, iter.max = 200)

settings <- expand.grid(ties = c("efron", "breslow"),
                        kind = c("plain", "entry", "strata", "weights", "all", "missing"),
                        stringsAsFactors = FALSE)
cohorts <- NULL
results <- NULL
put <- function(case, quantity, values) {
  values <- as.numeric(values)
  results <<- rbind(results, data.frame(case = case, quantity = quantity,
    position = seq_along(values) - 1, value = sprintf("%.15g", values)))
}
for (case in seq_len(nrow(settings))) {
  kind <- settings$kind[case]
  n <- c(51, 90, 140)[case %% 3 + 1]
  level <- sample(1:3, n, TRUE)
  d <- data.frame(case = case, ties = settings$ties[case], kind = kind,
    x1 = round(rnorm(n, 60, 12)), x2 = as.numeric(level == 2), x3 = as.numeric(level == 3))
  latent <- rexp(n, exp(0.02 * (d$x1 - 60) + 0.7 * d$x2 - 0.4 * d$x3) / 12)
  censored <- runif(n, 3, 40)
  d$time <- pmax(1, ceiling(pmin(latent, censored)))
  d$event <- as.numeric(latent <= censored)
  d$entry <- if (kind %in% c("entry", "all")) ifelse(runif(n) < 0.6, 0, floor(runif(n) * d$time)) else 0
  d$stratum <- if (kind %in% c("strata", "all")) sample(1:3, n, TRUE) else 1
  d$weight <- if (kind %in% c("weights", "all")) sample(c(0.5, 1, 2), n, TRUE) else 1
  if (kind == "missing") d$x1[sample(n, 9)] <- NA
  cohorts <- rbind(cohorts, d)
  left <- if (any(d$entry > 0)) "Surv(entry, time, event)" else "Surv(time, event)"
  right <- if (any(d$stratum > 1)) "x1 + x2 + x3 + strata(stratum)" else "x1 + x2 + x3"
  fit <- coxph(as.formula(paste(left, "~", right)), d, weights = weight, robust = FALSE,
               ties = settings$ties[case], control = control, x = TRUE, y = TRUE)
  put(case, "coefficients", fit$coefficients)
  put(case, "covariance", fit$var)
  put(case, "log_likelihood", fit$loglik)
  put(case, "score_test", fit$score)
  put(case, "wald_test", fit$wald.test)
  put(case, "n", c(fit$n, fit$nevent))
  put(case, "score_residuals", resid(fit, type = "score"))
  put(case, "schoenfeld_sums", colSums(resid(fit, type = "schoenfeld")^2))
  for (transform in c("km", "rank", "identity")) {
    table <- cox.zph(fit, transform = transform, terms = FALSE)$table
    put(case, paste0("zph_", transform), table[, "chisq"])
  }
  if (kind %in% c("plain", "strata", "missing")) put(case, "concordance", fit$concordance["concordance"])
}
write.csv(cohorts, "cox_cohorts.csv", row.names = FALSE, quote = FALSE)
write.csv(results, "cox_regression.csv", row.names = FALSE, quote = FALSE)
cat(R.version.string, "survival", as.character(packageVersion("survival")), "\n")
