# Makes public_cohorts_expected.csv from the three public cohorts beside it:
#   cd tests/reference && Rscript --vanilla public_cohorts.R
# One row a group ("" for everyone): medians with both usual intervals, and the log-rank test.
suppressPackageStartupMessages(library(survival))
rows <- list()
number <- function(x) ifelse(is.na(x), "", sprintf("%.15g", as.numeric(x)))

one_group <- function(cohort, endpoint, group_var, group, y, test) {
  limits <- lapply(c("log", "log-log"), function(conf_type) {
    q <- quantile(survfit(y ~ 1, conf.type = conf_type), probs = 0.5)
    c(q$quantile, q$lower, q$upper)
  })
  rows[[length(rows) + 1]] <<- data.frame(
    cohort, endpoint, group_var, group, n = nrow(y), events = sum(y[, "status"]),
    median = number(limits[[1]][1]),
    log_low = number(limits[[1]][2]), log_high = number(limits[[1]][3]),
    loglog_low = number(limits[[2]][2]), loglog_high = number(limits[[2]][3]),
    chi_square = number(test[1]), df = number(test[2]), p = number(test[3])
  )
}
cohort <- function(name, endpoint, y, group_var = NULL, group = NULL) {
  known <- !is.na(y[, "time"]) & !is.na(y[, "status"])
  if (is.null(group)) return(one_group(name, endpoint, "", "", y[known], c(NA, NA, NA)))
  y <- y[known]
  group <- group[known]
  test <- survdiff(y ~ group)
  test <- c(test$chisq, length(test$n) - 1, test$pvalue)
  for (g in sort(unique(group))) one_group(name, endpoint, group_var, g, y[group == g], test)
}

d <- read.csv("tcga_sarc_2017.csv", check.names = FALSE)
os <- Surv(d[["OS days"]], d[["OS status"]] == "Dead")
cohort("tcga_sarc_2017", "OS", os)
cohort("tcga_sarc_2017", "OS", os, "short histo", d[["short histo"]])
cohort("tcga_sarc_2017", "OS", os, "residual", ifelse(d[["residual tumor"]] == "R0", "R0", "not R0"))
cohort("tcga_sarc_2017", "RFS", Surv(d[["RFS days"]], d[["RFS status"]] == "Relapse"))
cohort("tcga_sarc_2017", "DSS", Surv(d[["OS days"]], d[["DSS status"]] == 1))

d <- read.csv("asaur_pancreatic.csv", na.strings = ".")
day <- function(text) as.Date(text, "%m/%d/%Y")
start <- day(d$onstudy)
end <- pmin(day(d$progression), day(d$death), na.rm = TRUE)
cohort("asaur_pancreatic", "OS", Surv(as.numeric(day(d$death) - start), !is.na(d$death)))
cohort("asaur_pancreatic", "PFS", Surv(as.numeric(end - start), !is.na(end)), "stage", d$stage)

d <- read.csv("tern_adtte.csv")
for (code in c("OS", "PFS")) {
  x <- d[d$PARAMCD == code, ]
  cohort("tern_adtte", code, Surv(x$AVAL, x$CNSR == 0), "ARM", x$ARM)
}
write.csv(do.call(rbind, rows), "public_cohorts_expected.csv", row.names = FALSE, quote = TRUE)
