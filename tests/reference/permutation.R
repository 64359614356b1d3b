# Permutation tests and maximally selected statistics, by R's coin and maxstat:
#   cd tests/reference && Rscript --vanilla permutation.R
# Reads kaplan_meier_cohorts.csv; writes permutation_results.csv, one row a number. The cut point is
# that of a made-up marker with ties. Case 0 is Freireich's trial.
suppressPackageStartupMessages({library(survival); library(coin); library(maxstat)})
d <- read.csv("kaplan_meier_cohorts.csv",
              colClasses = c("integer", rep("numeric", 3), "character", "character"))
rows <- list()
put <- function(case, quantity, value) {
  rows[[length(rows) + 1]] <<- data.frame(case, quantity, value = sprintf("%.15g", as.numeric(value)))
}
freireich <- data.frame(
  case = 0, entry = 0,
  time = c(6, 6, 6, 6, 7, 9, 10, 10, 11, 13, 16, 17, 19, 20, 22, 23, 25, 32, 32, 34, 35,
           1, 1, 2, 2, 3, 4, 4, 5, 5, 8, 8, 8, 8, 11, 11, 12, 12, 15, 17, 22, 23),
  event = c(1, 1, 1, 0, 1, 0, 1, 0, 0, 1, 1, 0, 0, 0, 1, 1, 0, 0, 0, 0, 0, rep(1, 21)),
  group = rep(c("g0", "g1"), each = 21), stratum = "s0"
)
d <- rbind(freireich, d[, names(freireich)])
scores <- function(y) -logrank_trafo(y, ties.method = "mid-ranks")
for (case in unique(d$case)) {
  x <- d[d$case == case, ]
  if (any(x$entry > 0) || sum(x$event) == 0 || nrow(x) < 5) next
  y <- aeqSurv(Surv(x$time, x$event))
  a <- scores(y)
  # a made-up marker with ties: 37 times the row number, modulo 11
  marker <- (37 * seq_along(a)) %% 11
  group <- factor(x$group)
  if (nlevels(group) > 1) {
    test <- independence_test(a ~ group, teststat = "quadratic")
    put(case, "quadratic", statistic(test))
    if (nlevels(group) == 2) {
      test <- independence_test(a ~ group, teststat = "scalar", distribution = exact())
      put(case, "exact_p", pvalue(test))
    }
  }
  if (nrow(x) >= 20) {
    test <- coin::maxstat_test(a ~ marker, minprob = 0.1, maxprob = 0.9)
    put(case, "maxstat", statistic(test))
    put(case, "cutpoint", test@estimates$estimate$cutpoint)
    for (method in c("Lau92", "Lau94")) {
      # maxstat on data scores: the same standardised statistic with any scores
      test <- maxstat.test(a ~ marker, data = data.frame(a, marker), smethod = "Data",
                           pmethod = method, minprop = 0.1, maxprop = 0.9)
      put(case, paste0("maxstat_", tolower(method)), test$p.value)
      put(case, paste0("statistic_", tolower(method)), test$statistic)
      put(case, paste0("cutpoint_", tolower(method)), test$estimate)
    }
  }
}
write.csv(do.call(rbind, rows), "permutation_results.csv", row.names = FALSE, quote = FALSE)
