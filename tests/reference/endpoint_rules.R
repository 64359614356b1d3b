# Makes endpoint_rules_cohort.csv and endpoint_rules_results.csv: Rscript --vanilla endpoint_rules.R
set.seed(20261124)
n <- 80
day <- function(from, to, known) {
  d <- as.Date("2021-01-01") + sample(from:to, n, TRUE)
  d[runif(n) > known] <- NA
  d
}
d <- data.frame(start = day(0, 60, 1), progressed = day(80, 500, .6), died = day(120, 700, .4),
                seen = day(61, 400, .85), therapy = day(90, 450, .3))
write.csv(d, "endpoint_rules_cohort.csv", row.names = FALSE, quote = FALSE, na = "")
cutoff <- as.Date("2022-06-30")
out <- NULL
derive <- function(rules, day_0 = FALSE, plus = 0, therapy = FALSE, gap = NA) {
  for (i in seq_len(n)) {
    x <- d[i, ]
    events <- c(progression = x$progressed, death = x$died)
    events <- events[!is.na(events)]
    if (length(events)) {
      end <- min(events)
      kind <- names(events)[which.min(events)]
    } else if (!is.na(x$seen)) {
      end <- x$seen
      kind <- ""
    } else if (day_0) {
      end <- x$start
      kind <- ""
    } else next
    if (!is.na(gap) && kind != "") {
      last <- if (!is.na(x$seen) && x$seen >= x$start) x$seen else x$start
      if (last < end && end - last > gap) {
        end <- last
        kind <- ""
      }
    }
    if (therapy && !is.na(x$therapy) && x$therapy < end) {
      end <- x$therapy
      kind <- ""
    }
    if (end > cutoff) {
      end <- cutoff
      kind <- ""
    }
    out <<- rbind(out, data.frame(rules = rules, patient = i,
                                  time = as.numeric(end - x$start) + plus, kind = kind))
  }
}
derive("plain")
derive("day_0", day_0 = TRUE, plus = 1)
derive("therapy", therapy = TRUE)
derive("gap", day_0 = TRUE, gap = 100)
write.csv(out, "endpoint_rules_results.csv", row.names = FALSE, quote = FALSE)
