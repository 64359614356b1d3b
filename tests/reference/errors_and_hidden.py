"""Make errors_and_hidden.xlsx; LibreOffice 7.4 then saved it as .xls and .ods."""

import openpyxl

book = openpyxl.Workbook()
sheet = book.active
for row in (["id", "age", "f"], ["a", 5, "=1/0"], ["b", "=NA()", "=1+1"], ["c", 7, "=ZZZ(1)"]):
    sheet.append(row)
sheet.append(["d", 8, 1])
sheet.row_dimensions[5].hidden = True
sheet.column_dimensions["B"].hidden = True
book.save("errors_and_hidden.xlsx")
