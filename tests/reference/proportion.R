# Exact (binom.test) and score (prop.test without correction) intervals: Rscript --vanilla proportion.R
cases <- rbind(
  c(0, 1), c(1, 1), c(0, 51), c(5, 51), c(9, 51), c(11, 51), c(39, 51), c(51, 51),
  c(68, 69), c(68, 73), c(58, 58), c(1, 6), c(2, 5), c(1, 1000), c(500, 1000),
  c(3, 100000), c(99999, 100000)
)
out <- NULL
for (level in c(0.8, 0.95, 0.99)) {
  for (i in seq_len(nrow(cases))) {
    x <- cases[i, 1]
    n <- cases[i, 2]
    exact <- binom.test(x, n, conf.level = level)$conf.int
    score <- suppressWarnings(prop.test(x, n, conf.level = level, correct = FALSE))$conf.int
    for (kind in c("clopper-pearson", "wilson")) {
      limits <- if (kind == "wilson") score else exact
      out <- rbind(out, data.frame(
        count = sprintf("%d", as.integer(x)), total = sprintf("%d", as.integer(n)), conf_level = level, interval = kind,
        low = sprintf("%.15g", limits[1]), high = sprintf("%.15g", limits[2])
      ))
    }
  }
}
write.csv(out, "proportion_results.csv", row.names = FALSE, quote = FALSE)
