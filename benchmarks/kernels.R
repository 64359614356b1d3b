# Kaplan-Meier, log-rank and Cox regression with R's survival on follow-up read from a binary file.
# Lines on stdin: "<task>" answers the seconds and the numbers of that task.
suppressPackageStartupMessages(library(survival))
folder <- commandArgs(TRUE)[1]
n <- scan(file.path(folder, "n.txt"), quiet = TRUE)
source <- file(file.path(folder, "columns.bin"), "rb")
column <- function() readBin(source, "double", n)
time <- column(); event <- column() == 1; group <- factor(column(), 0:2)
x <- matrix(0, n, 8); for (j in 1:8) x[, j] <- column()
close(source)
d <- data.frame(time, event, group, x)
formula <- Surv(time, event) ~ X1 + X2 + X3 + X4 + X5 + X6 + X7 + X8
tell <- function(name, value) cat(name, "\t", sprintf("%.12g", value), "\n", sep = "")

tasks <- list(
  kaplan_meier = function() {
    fit <- survfit(Surv(time, event) ~ group, d, conf.type = "log-log")
    q <- quantile(fit, 0.5)
    list(q$quantile, q$lower, q$upper)
  },
  log_rank = function() survdiff(Surv(time, event) ~ group, d)$chisq,
  cox = function() coef(coxph(formula, d)),
  # the fitting routine alone, without formula, concordance or residuals
  cox_routine = function() coxph.fit(
    x, Surv(time, event), NULL, NULL, NULL, coxph.control(), rep(1, n), "efron", NULL,
    resid = FALSE)$coefficients
)

lines <- file("stdin", "r")
while (length(line <- readLines(lines, 1)) == 1) {
  invisible(gc())
  begin <- Sys.time()
  found <- unlist(tasks[[line]](), use.names = FALSE)
  seconds <- as.numeric(Sys.time() - begin, units = "secs")
  tell("seconds", seconds)
  for (i in seq_along(found)) tell(i, found[i])
  cat("end\n")
  flush(stdout())
}
