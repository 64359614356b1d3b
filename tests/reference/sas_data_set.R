# Makes sas_data_set.sas7bdat, three synthetic patients, with R 4.2.2 and haven 2.5.1.
library(haven)
patients <- data.frame(
  id = c("A1", "A2", "A3"), sex = c(1, 2, NA),
  seen = as.Date(c("2020-01-01", "2021-05-03", NA)), size = c(2.5, NA, 7)
)
attr(patients$id, "label") <- "Patient"
attr(patients$size, "label") <- "Size (cm)"
write_sas(patients, "sas_data_set.sas7bdat")
