# Makes baseline_public_results.csv: characteristics by group of three public cohorts, by base R.
#   cd tests/reference && Rscript --vanilla baseline_public.R
library(survival)
number <- function(x) sprintf("%.15g", as.numeric(x))
out <- NULL
add <- function(...) out <<- rbind(out, data.frame(..., stringsAsFactors = FALSE))

describe <- function(cohort, d, group, factors, numbers) {
  say <- function(term, level, g, statistic, value) {
    add(cohort = cohort, term = term, level = level, group = g, statistic = statistic,
        value = number(value))
  }
  d <- d[!is.na(d[[group]]), ]
  d[[group]] <- factor(d[[group]])
  parts <- c(split(d, d[[group]]), list(all = d))
  for (g in names(parts)) {
    part <- parts[[g]]
    say("", "", g, "n", nrow(part))
    for (v in factors) {
      say(v, "", g, "n_missing", sum(is.na(part[[v]])))
      counts <- table(factor(part[[v]], levels = sort(unique(d[[v]]))))
      for (level in names(counts)) say(v, level, g, "patients", counts[[level]])
    }
    for (v in numbers) {
      x <- part[[v]]
      q <- quantile(x, na.rm = TRUE)
      say(v, "", g, "n_missing", sum(is.na(x)))
      values <- c(mean = mean(x, na.rm = TRUE), std_dev = sd(x, na.rm = TRUE),
                  median = q[[3]], quartile_25 = q[[2]], quartile_75 = q[[4]],
                  minimum = q[[1]], maximum = q[[5]])
      for (s in names(values)) say(v, "", g, s, values[[s]])
    }
  }
  two <- nlevels(d[[group]]) == 2
  for (v in factors) {
    m <- table(d[[v]], d[[group]])
    m <- m[rowSums(m) > 0, ]
    expected <- outer(rowSums(m), colSums(m)) / sum(m)
    # NA: too many tables for R as well
    p <- if (min(expected) >= 5) chisq.test(m, correct = FALSE)$p.value else
      tryCatch(fisher.test(m, workspace = 2e8)$p.value, error = function(e) NA)
    say(v, "", "", "test_p", p)
  }
  for (v in numbers) {
    f <- d[[v]] ~ d[[group]]
    rank <- if (two) suppressWarnings(wilcox.test(f)) else kruskal.test(f)
    say(v, "", "", "median_test_p", rank$p.value)
    say(v, "", "", "mean_test_p", if (two) t.test(f)$p.value else anova(lm(f))[1, "Pr(>F)"])
    normal <- all(tapply(d[[v]], d[[group]], function(x) shapiro.test(x)$p.value) >= 0.05)
    say(v, "", "", "looks_normal", normal)
  }
}

describe("lung", lung, "sex", "ph.ecog", c("age", "ph.karno", "meal.cal", "wt.loss"))
describe("veteran", veteran, "celltype", c("trt", "prior"), c("age", "karno", "diagtime"))
sarc <- read.csv("tcga_sarc_2017.csv", na.strings = c("NA", "[Unknown]", "unk", ""),
                 check.names = FALSE)
describe("sarc", sarc, "short histo", c("residual tumor", "OS status"), "OS days")
write.csv(out, "baseline_public_results.csv", row.names = FALSE, quote = FALSE)
