# Makes group_tests_results.csv, with its tables and numbers inside: Rscript --vanilla group_tests.R
set.seed(20261124)
number <- function(x) sprintf("%.15g", x)
out <- NULL
add <- function(case, statistic, value) {
  out <<- rbind(out, data.frame(case = case, statistic = statistic, value = number(value)))
}
text <- function(m) paste(apply(m, 1, paste, collapse = " "), collapse = "/")

tables <- list(
  matrix(c(15, 10, 8, 18), 2, byrow = TRUE),
  matrix(c(3, 1, 4, 2, 6, 1, 0, 2, 5), 3, byrow = TRUE),
  matrix(c(0, 7, 9, 2), 2, byrow = TRUE),
  matrix(c(40, 35, 22, 51, 18, 60), 3, byrow = TRUE)
)
for (shape in list(c(9, 2), c(9, 3), c(3, 4), c(2, 5), c(4, 3))) {
  a <- factor(sample(shape[1], 51, TRUE), seq_len(shape[1]))
  b <- factor(sample(shape[2], 51, TRUE), seq_len(shape[2]))
  m <- unclass(table(a, b))
  tables[[length(tables) + 1]] <- m[rowSums(m) > 0, colSums(m) > 0]
}
for (m in tables) {
  m <- matrix(m, nrow(m))
  case <- paste0("table ", text(m))
  chi <- suppressWarnings(chisq.test(m, correct = FALSE))
  add(case, "pearson", chi$statistic)
  add(case, "pearson_p", chi$p.value)
  add(case, "smallest_expected", min(chi$expected))
  if (sum(m) < 200) add(case, "exact_p", fisher.test(m, workspace = 2e7)$p.value)
  p <- prop.table(m, 2)[-1, , drop = FALSE]
  pairs <- combn(ncol(m), 2)
  smd <- apply(pairs, 2, function(k) {
    d <- p[, k[1]] - p[, k[2]]
    v <- lapply(k, function(j) diag(p[, j], nrow(p)) - p[, j] %*% t(p[, j]))
    sqrt(t(d) %*% MASS::ginv((v[[1]] + v[[2]]) / 2) %*% d)
  })
  add(case, "smd", mean(smd))
}

groups <- list(
  list(c(54, 61, 47, 39.5, 70), c(33, 58, 44.5, 29, 41, 36)),
  list(c(1, 2, 2, 3, 3, 3), c(2, 3, 4, 4, 5)),
  list(round(rnorm(60, 50, 9), 3), round(rnorm(55, 54, 12), 3)),
  list(c(5, 7, 9), c(6, 6, 8, 10), c(1, 2, 4, 4)),
  list(round(rexp(20, .2)), round(rexp(25, .1)), round(rexp(6, .3)))
)
for (g in groups) {
  case <- paste0("numbers ", paste(vapply(g, paste, "", collapse = " "), collapse = "/"))
  x <- unlist(g)
  f <- factor(rep(seq_along(g), lengths(g)))
  if (length(g) == 2) {
    w <- suppressWarnings(wilcox.test(g[[1]], g[[2]]))
    add(case, "rank", w$statistic)
    add(case, "rank_p", w$p.value)
    t <- t.test(g[[1]], g[[2]])
    add(case, "mean", t$statistic)
    add(case, "mean_p", t$p.value)
  } else {
    k <- kruskal.test(x, f)
    add(case, "rank", k$statistic)
    add(case, "rank_p", k$p.value)
    a <- anova(lm(x ~ f))
    add(case, "mean", a[1, "F value"])
    add(case, "mean_p", a[1, "Pr(>F)"])
  }
  pairs <- combn(length(g), 2)
  add(case, "smd", mean(apply(pairs, 2, function(k) {
    abs(mean(g[[k[1]]]) - mean(g[[k[2]]])) / sqrt((var(g[[k[1]]]) + var(g[[k[2]]])) / 2)
  })))
}
write.csv(out, "group_tests_results.csv", row.names = FALSE, quote = FALSE)
