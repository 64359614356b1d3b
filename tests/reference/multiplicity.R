# Holm's adjustment (p.adjust), also with missing values: Rscript --vanilla multiplicity.R
set.seed(20240611)
families <- list(
  one = 0.03, two = c(0.04, 0.03), tied = c(0.02, 0.02, 0.02, 0.5), ends = c(0, 1, 0.2),
  missing = c(0.01, NA, 0.04, NA, 0.03), none = c(NA, NA), near_one = c(0.6, 0.7, 0.99),
  article = c(0.0005, 0.012, 0.046, 0.049, 0.051, 0.2, 0.35, 0.88),
  small = c(1e-300, 1e-16, 1e-9, 3e-5), many = runif(40)^3
)
out <- NULL
for (name in names(families)) {
  p <- families[[name]]
  out <- rbind(out, data.frame(
    family = name, p = sprintf("%.17g", p), adjusted = sprintf("%.17g", p.adjust(p, "holm"))
  ))
}
write.csv(out, "multiplicity_results.csv", row.names = FALSE, quote = FALSE)
