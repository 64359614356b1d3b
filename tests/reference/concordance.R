# Makes concordance_cohorts.csv and concordance_results.csv: Rscript concordance.R
library(survival)
set.seed(20261123)
n <- 120
make <- function(case, digits) {
  time <- round(rexp(n, 0.1), digits) + 0.5
  data.frame(case = case, time = time, status = rbinom(n, 1, 0.6),
             score = round(rnorm(n), digits), stratum = sample(3, n, TRUE))
}
rows <- rbind(make("ties", 0), make("no ties", 9), make("strata", 0))
result <- do.call(rbind, lapply(unique(rows$case), function(case) {
  d <- rows[rows$case == case, ]
  formula <- if (case == "strata") Surv(time, status) ~ score + strata(stratum) else
    Surv(time, status) ~ score
  fit <- concordance(formula, d, reverse = TRUE)
  count <- if (is.matrix(fit$count)) colSums(fit$count) else fit$count
  data.frame(case = case, t(count), concordance = fit$concordance)
}))
result$concordance <- formatC(result$concordance, digits = 17, format = "g")
rows$time <- formatC(rows$time, digits = 17, format = "g")
rows$score <- formatC(rows$score, digits = 17, format = "g")
write.csv(rows, "concordance_cohorts.csv", row.names = FALSE, quote = FALSE)
write.csv(result, "concordance_results.csv", row.names = FALSE, quote = FALSE)
