# All numbers of a cohort study with R's survival, from tables that are read already.
# Lines on stdin: "run" answers the seconds of one pass, "values" the numbers of the last one.
suppressPackageStartupMessages(library(survival))
folder <- commandArgs(TRUE)[1]
dates <- c("first_dose_date", "progression_date", "death_date", "last_assessment_date",
           "last_contact_date")
read <- function(name) read.csv(file.path(folder, name), na.strings = "", check.names = FALSE,
                                stringsAsFactors = FALSE)
patients <- read("patients.csv")
for (name in dates) patients[[name]] <- as.Date(patients[[name]])
events <- read("events.csv")
cutoff <- as.Date("2023-02-01")
month <- 365.25 / 12

yes_no <- function(x) factor(x, c("no", "yes"))
groups <- c(ecog = "ecog", treatment_line = "line", histotype = "histotype", asps_ccs = "asps_ccs")
covariates <- c(sex = "sex", age_group = "age_group", ecog = "ecog_2", primary_site = "site",
                organs_metastatic = "organs", metastasis_lung = "lung", metastasis_liver = "liver",
                metastasis_bone = "bone", treatment_line_group = "line_group",
                prior_chemotherapy = "chemo", prior_radiotherapy = "radio",
                prior_antiangiogenic = "anti", prior_immunotherapy = "immuno")
histotypes <- c("Leiomyosarcoma", "Alveolar soft part sarcoma", "Rhabdomyosarcoma",
                "Clear cell sarcoma", "Myxofibrosarcoma", "Synovial sarcoma",
                "Malignant peripheral nerve sheath tumor",
                "Undifferentiated pleomorphic sarcoma", "Others")

prepare <- function(p) {
  p <- p[p$stage_advanced == "yes" & p$not_surgical_candidate == "yes" &
         p$anthracycline_resistant_or_ineligible == "yes" & p$measurable_lesion == "yes" &
         p$second_primary != "yes" & p$immune_disease != "yes" & p$cycles > 1 &
         p$baseline_and_response_assessed != "no" & p$follow_up_available != "no", ]
  d <- data.frame(id = p$patient_id)
  d$ecog <- factor(ifelse(p$ecog <= 1, "0-1", "2-3"), c("0-1", "2-3"))
  d$line <- factor(ifelse(p$treatment_line >= 3, "\u22653", p$treatment_line),
                   c("1", "2", "\u22653"))
  d$histotype <- factor(p$histotype, histotypes)
  special <- p$histotype %in% c("Alveolar soft part sarcoma", "Clear cell sarcoma")
  d$asps_ccs <- factor(ifelse(special, "ASPS or CCS", "All others"),
                       c("ASPS or CCS", "All others"))
  d$sex <- factor(p$sex, c("Female", "Male"))
  d$age_group <- factor(ifelse(p$age < 54, "<54", "\u226554"), c("\u226554", "<54"))
  d$ecog_2 <- relevel(d$ecog, "2-3")
  d$site <- factor(p$primary_site, c("others", "limb", "trunk"))
  d$organs <- factor(ifelse(p$n_metastatic_organs < 2, "None or single", "Multiple"),
                     c("Multiple", "None or single"))
  d$lung <- yes_no(p$metastasis_lung); d$liver <- yes_no(p$metastasis_liver)
  d$bone <- yes_no(p$metastasis_bone)
  d$line_group <- factor(ifelse(p$treatment_line < 3, "1-2", "\u22653"), c("\u22653", "1-2"))
  d$chemo <- yes_no(p$prior_chemotherapy); d$radio <- yes_no(p$prior_radiotherapy)
  d$anti <- yes_no(p$prior_antiangiogenic); d$immuno <- yes_no(p$prior_immunotherapy)
  d$best <- factor(p$best_response, c("CR", "PR", "SD", "PD", "NE"))
  start <- p$first_dose_date
  first <- pmin(p$progression_date, p$death_date, na.rm = TRUE)
  end <- pmin(first, cutoff)
  d$PFS_event <- !is.na(first) & first <= cutoff
  end[is.na(first)] <- pmin(p$last_assessment_date[is.na(first)], cutoff)
  d$PFS <- as.numeric(end - start)
  d$OS_event <- !is.na(p$death_date) & p$death_date <= cutoff
  end <- pmin(p$death_date, cutoff)
  end[is.na(p$death_date)] <- pmin(p$last_contact_date[is.na(p$death_date)], cutoff)
  d$OS <- as.numeric(end - start)
  d
}

# --- the analyses: each adds its numbers to the list `out` -----------------------------------------
out <- list()
put <- function(name, value) out[[length(out) + 1L]] <<- list(name, value)

rates <- function(best, name) {
  n <- length(best)
  put(paste0(name, "|", levels(best)), as.vector(table(best)))
  for (rate in list(list("ORR", c("CR", "PR")), list("DCR", c("CR", "PR", "SD")))) {
    count <- sum(best %in% rate[[2]])
    if (n == 0) next
    limits <- binom.test(count, n)$conf.int
    put(paste0(name, "|", rate[[1]], "|", c("n", "estimate", "low", "high")),
        c(count, count / n, limits))
  }
}
response <- function(d) {
  rates(d$best, "response|")
  for (level in levels(d$histotype))
    rates(d$best[d$histotype == level], paste0("response|", level))
}

curves <- function(d, code, by) {
  time <- d[[code]]; event <- d[[paste0(code, "_event")]]
  g <- if (by == "") factor(rep("", length(time))) else d[[groups[[by]]]]
  ticks <- ticks_of(max(time)) * month
  marks <- c(6, 12, 24) * month
  form <- if (by == "") Surv(time, event) ~ 1 else Surv(time, event) ~ g
  fit <- survfit(form, conf.type = "log-log")
  q <- quantile(fit, c(0.25, 0.5, 0.75))
  at <- summary(fit, times = marks, extend = TRUE)
  risk <- summary(fit, times = ticks, extend = TRUE)
  reverse <- survfit(if (by == "") Surv(time, !event) ~ 1 else Surv(time, !event) ~ g,
                     conf.type = "log-log")
  follow <- quantile(reverse, 0.5)
  used <- levels(g)[table(g) > 0]
  last <- tapply(time, g, max)[table(g) > 0]
  n <- length(time)
  for (i in seq_along(used)) {
    row <- function(x) if (is.matrix(x)) x[i, ] else x
    name <- paste0("km|", code, "|", by, "|", used[i], "|")
    put(paste0(name, c("n", "events")), c(fit$n[i], sum(event[g == used[i]])))
    put(paste0(name, c("q25", "median", "q75")), row(q$quantile))
    put(paste0(name, c("q25_low", "median_low", "q75_low")), row(q$lower))
    put(paste0(name, c("q25_high", "median_high", "q75_high")), row(q$upper))
    mine <- if (by == "") seq_along(marks) else which(at$strata == paste0("g=", used[i]))
    known <- marks <= last[i] | at$surv[mine] == 0
    put(paste0(name, "at", c(6, 12, 24)), ifelse(known, at$surv[mine], NA))
    # log-log has no interval at a survival of 1; R writes 1 there
    inside <- known & at$surv[mine] < 1
    put(paste0(name, "at", c(6, 12, 24), "_low"), ifelse(inside, at$lower[mine], NA))
    mine <- if (by == "") seq_along(ticks) else which(risk$strata == paste0("g=", used[i]))
    put(paste0(name, "risk", seq_along(ticks)), risk$n.risk[mine])
    put(paste0(name, "follow"), if (by == "") follow$quantile else as.matrix(follow$quantile)[i, 1])
  }
  if (by != "") {
    test <- survdiff(Surv(time, event) ~ g)
    put(paste0("km|", code, "|", by, "|chisq"), test$chisq)
    put(paste0("km|", code, "|", by, "|p"),
        pchisq(test$chisq, length(test$n) - 1, lower.tail = FALSE))
  }
}
ticks_of <- function(days) {
  horizon <- days / month
  steps <- c(0.5, 1, 2, 3, 6, 12, 24, 36, 48, 60, 120, 240)
  step <- steps[horizon / steps <= 8][1]
  seq(0, by = step, length.out = max(1, ceiling(round(horizon / step, 9))) + 1)
}

ratios <- function(fit, name) {
  s <- summary(fit)
  put(paste0(name, "|", rownames(s$conf.int), "|hr"), s$conf.int[, "exp(coef)"])
  put(paste0(name, "|", rownames(s$conf.int), "|low"), s$conf.int[, "lower .95"])
  put(paste0(name, "|", rownames(s$conf.int), "|high"), s$conf.int[, "upper .95"])
  put(paste0(name, "|", rownames(s$conf.int), "|p"), s$coefficients[, "Pr(>|z|)"])
  s
}
regression <- function(d, code) {
  entered <- character()
  outcome <- paste0("Surv(", code, ", ", code, "_event) ~ ")
  for (key in names(covariates)) {
    fit <- coxph(as.formula(paste0(outcome, covariates[[key]])), d)
    s <- ratios(fit, paste0("cox|", code, "|univariable"))
    put(paste0("cox|", code, "|", key, "|wald"), fit$wald.test)
    put(paste0("cox|", code, "|", key, "|lr"), s$logtest[["test"]])
    if (s$waldtest[["pvalue"]] < 0.05) entered <- c(entered, key)
  }
  if (!length(entered)) return(invisible())
  columns <- covariates[entered]
  full <- coxph(as.formula(paste0(outcome, paste(columns, collapse = " + "))), d)
  ratios(full, paste0("cox|", code, "|multivariable"))
  put(paste0("cox|", code, "|concordance"), full$concordance[["concordance"]])
  for (key in entered) {
    if (nlevels(d[[covariates[[key]]]]) < 3) next
    rest <- setdiff(columns, covariates[[key]])
    reduced <- coxph(as.formula(paste0(outcome, paste(c("1", rest), collapse = " + "))), d)
    put(paste0("cox|", code, "|", key, "|multivariable_lr"),
        2 * (full$loglik[2] - tail(reduced$loglik, 1)))
  }
}

adverse <- function(d, related) {
  e <- events[events$patient_id %in% d$id, ]
  if (related) e <- e[e$related == "yes", ]
  name <- if (related) "ae|related|" else "ae|all|"
  kind <- if (related) "treatment-related adverse event" else "adverse event"
  count <- function(worst, label) {
    put(paste0(name, label, "|any"), rowSums(!is.na(worst)))
    put(paste0(name, label, "|grade_3_4"), rowSums(worst == 3 | worst == 4, na.rm = TRUE))
    put(paste0(name, label, "|grade_5"), rowSums(worst == 5, na.rm = TRUE))
  }
  worst <- tapply(e$ctcae_grade, list(tolower(e$term), e$patient_id), max)
  count(worst, rownames(worst))
  count(rbind(tapply(e$ctcae_grade, e$patient_id, max)), paste("any", kind))
  s <- e[e$serious == "yes", ]
  if (nrow(s)) count(rbind(tapply(s$ctcae_grade, s$patient_id, max)), paste("any serious", kind))
}

everything <- function() {
  out <<- list()
  d <- prepare(patients)
  response(d)
  for (code in c("PFS", "OS")) {
    for (by in c("", names(groups))) curves(d, code, by)
    regression(d, code)
  }
  adverse(d, TRUE)
  adverse(d, FALSE)
}

lines <- file("stdin", "r")
while (length(line <- readLines(lines, 1)) == 1) {
  if (line == "run") {
    begin <- Sys.time()
    everything()
    cat("seconds\t", format(as.numeric(Sys.time() - begin, units = "secs"), digits = 9), "\n",
        sep = "")
  } else if (line == "values") {
    for (item in out)
      cat(paste0(item[[1]], "\t", ifelse(is.na(item[[2]]), "NA", sprintf("%.12g", item[[2]]))),
          sep = "\n")
  }
  cat("end\n")
  flush(stdout())
}
