# Hazard ratios of two public cohorts beside it: cd tests/reference && Rscript --vanilla cox_public.R
library(survival)
control <- coxph.control(eps = 1e-11, iter.max = 200)
rows <- NULL
fit <- function(cohort, endpoint, y, group, reference) {
  group <- relevel(factor(group), ref = reference)
  model <- coxph(y ~ group, control = control)
  s <- summary(model)
  rows <<- rbind(rows, data.frame(
    cohort, endpoint, reference, level = levels(group)[-1],
    hr = sprintf("%.15g", s$conf.int[, 1]), low = sprintf("%.15g", s$conf.int[, 3]),
    high = sprintf("%.15g", s$conf.int[, 4]), p = sprintf("%.15g", s$coefficients[, 5]),
    lr = sprintf("%.15g", s$logtest[1]), concordance = sprintf("%.15g", s$concordance[1])
  ))
}
d <- read.csv("tcga_sarc_2017.csv", check.names = FALSE)
os <- Surv(d[["OS days"]], d[["OS status"]] == "Dead")
fit("tcga_sarc_2017", "OS", os, d[["short histo"]], "DDLPS")
fit("tcga_sarc_2017", "OS", os, ifelse(d[["residual tumor"]] == "R0", "R0", "not R0"), "not R0")
d <- read.csv("tern_adtte.csv")
for (code in c("OS", "PFS")) {
  x <- d[d$PARAMCD == code, ]
  fit("tern_adtte", code, Surv(x$AVAL, x$CNSR == 0), x$ARM, "A: Drug X")
}
write.csv(rows, "cox_public_results.csv", row.names = FALSE)
