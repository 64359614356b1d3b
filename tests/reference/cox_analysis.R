# Univariable and multivariable Cox models of a made-up cohort with missing values:
#   Rscript --vanilla cox_analysis.R
library(survival)
set.seed(20240718)
n <- 160
pick <- function(levels, p) sample(levels, n, replace = TRUE, prob = p)
d <- data.frame(
  id = sprintf("P%03d", seq_len(n)),
  histotype = pick(c("LMS", "UPS", "Myxofibrosarcoma", "Synovial"), c(.4, .3, .2, .1)),
  grade = pick(c("2", "3"), c(.4, .6)),
  age = round(rnorm(n, 58, 14)),
  size = round(rlnorm(n, 2, .5), 1)
)
rate <- 0.04 * exp(0.5 * (d$grade == "3") + 0.02 * (d$age - 58) + 0.6 * (d$histotype == "UPS"))
t <- rexp(n, rate)
censor <- runif(n, 5, 40)
d$time <- pmax(1, ceiling(pmin(t, censor)))
d$event <- as.integer(t <= censor)
d$grade[sample(n, 9)] <- NA
d$age[sample(n, 7)] <- NA
d$histotype[sample(n, 5)] <- NA
write.csv(d, "cox_analysis_cohort.csv", row.names = FALSE, quote = FALSE, na = "")

d$histotype <- relevel(factor(d$histotype), ref = "LMS")
d$grade <- relevel(factor(d$grade), ref = "2")
number <- function(x) sprintf("%.15g", x)
out <- NULL
add <- function(ties, model, term, level, statistic, value) {
  out <<- rbind(out, data.frame(
    ties = ties, model = model, term = term, level = level, statistic = statistic,
    value = number(value)
  ))
}
right <- c(histotype = "histotype", grade = "grade", age = "I(age / 10)", size = "size")
control <- coxph.control(eps = 1e-11, iter.max = 200)
describe <- function(fit, ties, model, key) {
  s <- summary(fit)
  rows <- which(fit$assign.key == key)
  for (i in rows) {
    level <- if (key %in% c("histotype", "grade")) sub(key, "", names(coef(fit))[i], fixed = TRUE) else ""
    add(ties, model, key, level, "hr", s$conf.int[i, 1])
    add(ties, model, key, level, "low", s$conf.int[i, 3])
    add(ties, model, key, level, "high", s$conf.int[i, 4])
    add(ties, model, key, level, "p", s$coefficients[i, 5])
  }
  b <- coef(fit)[rows]
  wald <- as.numeric(t(b) %*% solve(vcov(fit)[rows, rows, drop = FALSE]) %*% b)
  add(ties, model, key, "", "wald", wald)
  add(ties, model, key, "", "wald_p", pchisq(wald, length(b), lower.tail = FALSE))
}
for (ties in c("efron", "breslow")) {
  for (key in names(right)) {
    fit <- coxph(as.formula(paste("Surv(time, event) ~", right[key])), d, ties = ties, control = control)
    fit$assign.key <- rep(key, length(coef(fit)))
    describe(fit, ties, "univariable", key)
    add(ties, "univariable", key, "", "n", fit$n)
    add(ties, "univariable", key, "", "events", fit$nevent)
    add(ties, "univariable", key, "", "lr", 2 * diff(fit$loglik))
  }
  complete <- na.omit(d)
  formula <- as.formula(paste("Surv(time, event) ~", paste(right, collapse = " + ")))
  fit <- coxph(formula, complete, ties = ties, control = control)
  fit$assign.key <- rep(names(right), c(3, 1, 1, 1))
  for (key in names(right)) describe(fit, ties, "multivariable", key)
  reduced <- coxph(Surv(time, event) ~ grade + I(age / 10) + size, complete, ties = ties, control = control)
  add(ties, "multivariable", "histotype", "", "lr", 2 * (fit$loglik[2] - reduced$loglik[2]))
  add(ties, "multivariable", "", "", "n", fit$n)
  add(ties, "multivariable", "", "", "events", fit$nevent)
  add(ties, "multivariable", "", "", "lr", 2 * diff(fit$loglik))
  add(ties, "multivariable", "", "", "wald", fit$wald.test)
  add(ties, "multivariable", "", "", "score", fit$score)
  add(ties, "multivariable", "", "", "concordance", fit$concordance["concordance"])
}
write.csv(out, "cox_analysis_results.csv", row.names = FALSE, quote = FALSE)
