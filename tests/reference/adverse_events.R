# Patients by worst grade, for each term, each class and any event, of two public lists of adverse
# events. Each patient counts once, at the highest grade.
worst_counts <- function(file, subject, term, class, grade) {
  ae <- read.csv(file, colClasses = "character")
  ae <- data.frame(subject = ae[[subject]], term = ae[[term]], class = ae[[class]],
                   grade = as.integer(ae[[grade]]))
  by <- function(level, label) {
    worst <- aggregate(list(grade = ae$grade), list(subject = ae$subject, label = label), max)
    table <- table(worst$label, factor(worst$grade, levels = 1:5))
    data.frame(file = file, level = level, label = rownames(table),
               any = as.integer(rowSums(table)), grade_1 = as.integer(table[, 1]),
               grade_2 = as.integer(table[, 2]), grade_3 = as.integer(table[, 3]),
               grade_4 = as.integer(table[, 4]), grade_5 = as.integer(table[, 5]),
               events = as.integer(tapply(ae$grade, label, length)[rownames(table)]))
  }
  rbind(by("any", rep("any", nrow(ae))), by("class", ae$class), by("term", ae$term))
}
result <- rbind(
  worst_counts("uhn_ae.csv", "Subject", "ae_detail", "ae_category", "AE_SEV_GD"),
  worst_counts("tern_adae.csv", "SUBJID", "AEDECOD", "AESOC", "AETOXGR")
)
write.csv(result, "adverse_events_counts.csv", row.names = FALSE)
