"""Write the synthetic soft tissue sarcoma cohort as a clinic elsewhere would keep it.

Headers, values and names of sheets are translated. In Chinese, dates are text such as 2021年5月3日
in some columns, day numbers of the spreadsheet in others, and both by turns in the rest; in the
languages of ``translations/`` they are text with a month in words or day/month/year, or dates,
and times have a decimal comma. Terms of adverse events stay as typed. Nothing else differs: the
analyses must give the very same numbers.

Usage: ``python sample_data/translate_sts_cohort.py OUTPUT.xlsx [french|spanish|...]``.
"""

from __future__ import annotations

import datetime as dt
import io
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import openpyxl
import yaml

SOURCE = Path(__file__).with_name("sts_cohort.xlsx")
TRANSLATIONS = Path(__file__).with_name("translations")
EPOCH = dt.datetime(1899, 12, 30)

SHEETS = {"Patients": "患者", "Adverse events": "不良事件", "Data dictionary": "数据字典"}
HEADERS = {
    "patient_id": "患者编号",
    "sex": "性别",
    "age": "年龄",
    "ecog": "ECOG评分",
    "histotype": "病理类型",
    "rhabdomyosarcoma_type": "横纹肌肉瘤类型",
    "primary_site": "原发部位",
    "metastasis_lung": "肺转移",
    "metastasis_bone": "骨转移",
    "metastasis_liver": "肝转移",
    "metastasis_pancreas": "胰腺转移",
    "metastasis_brain": "脑转移",
    "n_metastatic_organs": "转移器官数",
    "treatment_line": "治疗线数",
    "prior_chemotherapy": "既往化疗",
    "prior_radiotherapy": "既往放疗",
    "prior_antiangiogenic": "既往抗血管治疗",
    "prior_immunotherapy": "既往免疫治疗",
    "antiangiogenic_drug": "抗血管药物",
    "immunotherapy_drug": "免疫治疗药物",
    "cycles": "周期数",
    "first_dose_date": "首次用药日期",
    "last_dose_date": "末次用药日期",
    "first_evaluation_date": "首次评估日期",
    "best_response": "最佳疗效",
    "progression_date": "进展日期",
    "last_assessment_date": "末次评估日期",
    "death_date": "死亡日期",
    "vital_status": "生存状态",
    "last_contact_date": "末次随访日期",
    "off_treatment_reason": "停药原因",
    "data_cutoff": "数据截止日期",
    "pfs_months": "PFS(月)",
    "pfs_event": "PFS状态",
    "os_months": "OS（月）",
    "os_event": "OS状态",
    "stage_advanced": "是否晚期",
    "not_surgical_candidate": "不可手术",
    "anthracycline_resistant_or_ineligible": "蒽环类耐药或不适合",
    "measurable_lesion": "可测量病灶",
    "second_primary": "第二原发肿瘤",
    "immune_disease": "免疫性疾病",
    "baseline_and_response_assessed": "有基线和疗效评估",
    "follow_up_available": "有随访资料",
    "term": "不良事件名称",
    "ctcae_grade": "CTCAE分级",
    "related": "是否相关",
    "onset_date": "发生日期",
    "serious": "是否严重",
    "sheet": "工作表",
    "column": "变量",
    "meaning": "含义",
    "values": "取值",
    "source": "说明",
}
VALUES = {
    "Male": "男",
    "Female": "女",
    "yes": "是",
    "no": "否",
    "Alive": "存活",
    "Dead": "死亡",
    "limb": "四肢",
    "trunk": "躯干",
    "others": "其他",
    "Others": "其他",
    "Leiomyosarcoma": "平滑肌肉瘤",
    "Alveolar soft part sarcoma": "腺泡状软组织肉瘤",
    "Rhabdomyosarcoma": "横纹肌肉瘤",
    "Clear cell sarcoma": "透明细胞肉瘤",
    "Myxofibrosarcoma": "黏液纤维肉瘤",
    "Synovial sarcoma": "滑膜肉瘤",
    "Malignant peripheral nerve sheath tumor": "恶性外周神经鞘瘤",
    "Undifferentiated pleomorphic sarcoma": "未分化多形性肉瘤",
    "embryonal": "胚胎性",
    "pleomorphic": "多形性",
    "CR": "完全缓解",
    "PR": "部分缓解",
    "SD": "疾病稳定",
    "PD": "疾病进展",
    "Anlotinib": "安罗替尼",
    "Apatinib": "阿帕替尼",
    "Lenvatinib": "仑伐替尼",
    "Regorafenib": "瑞戈非尼",
    "Pazopanib": "培唑帕尼",
    "Pembrolizumab": "帕博利珠单抗",
    "Sintilimab": "信迪利单抗",
    "Camrelizumab": "卡瑞利珠单抗",
    "Toripalimab": "特瑞普利单抗",
    "Tislelizumab": "替雷利珠单抗",
    "Disease progression": "疾病进展",
    "Completed two years": "完成两年",
    "Patient's wish": "患者意愿",
    "On treatment": "治疗中",
    "Toxicity": "毒性",
}
TEXT_DATES = {"死亡日期", "末次随访日期"}
DAY_NUMBERS = {"首次用药日期", "末次评估日期"}


def chinese_cell(cell: Any, header: str, row: int) -> Any:
    """Translate one cell; ``row`` decides how a date of a mixed column is written."""
    if isinstance(cell, dt.datetime):
        if header in TEXT_DATES or (header not in DAY_NUMBERS and row % 2):
            return f"{cell.year}年{cell.month}月{cell.day}日"
        return (cell - EPOCH).days
    return VALUES.get(cell, cell) if isinstance(cell, str) else cell


def chinese_workbook(source: Path = SOURCE) -> bytes:
    """Translate the sample.

    Parameters
    ----------
    source
        The English workbook.

    Returns
    -------
    bytes
        The Chinese one, as xlsx.

    Raises
    ------
    KeyError
        When the sample has a sheet or a column without a translation.
    """
    return _translated(source, SHEETS, HEADERS, chinese_cell)


def european_workbook(language: str, source: Path = SOURCE) -> bytes:
    """Translate the sample into a language of ``translations/``.

    Parameters
    ----------
    language
        "french", "spanish", "italian" or "portuguese".
    source
        The English workbook.

    Returns
    -------
    bytes
        The translated one, as xlsx.

    Raises
    ------
    KeyError
        When the sample has a sheet or a column without a translation.
    """
    path = TRANSLATIONS / f"{language}.yaml"
    words: dict[str, Any] = yaml.load(path.read_text("utf-8"), Loader=yaml.BaseLoader)
    headers, values, months = words["headers"], words["values"], words["months"]
    mixed, times = {headers["last_contact_date"]}, {headers["pfs_months"], headers["os_months"]}

    def cell_in(cell: Any, header: str, row: int) -> Any:
        if isinstance(cell, dt.datetime):
            if header == headers["death_date"] or (header in mixed and row % 2):
                return f"{cell.day} {months[cell.month - 1]} {cell.year}"
            return f"{cell:%d/%m/%Y}" if header == headers["first_dose_date"] else cell
        if header in times and cell is not None:
            return str(cell).replace(".", ",")
        return values.get(cell, cell) if isinstance(cell, str) else cell

    return _translated(source, words["sheets"], headers, cell_in)


def _translated(
    source: Path,
    sheets: Mapping[str, str],
    headers: Mapping[str, str],
    cell_in: Callable[[Any, str, int], Any],
) -> bytes:
    book = openpyxl.Workbook()
    book.remove(book.worksheets[0])
    for english in openpyxl.load_workbook(io.BytesIO(source.read_bytes())).worksheets:
        sheet = book.create_sheet(sheets[english.title])
        rows = english.iter_rows(values_only=True)
        names = [headers[str(name)] for name in next(rows)]
        sheet.append(names)
        for number, cells in enumerate(rows):
            sheet.append(
                [cell_in(cell, header, number) for header, cell in zip(names, cells, strict=True)]
            )
    out = io.BytesIO()
    book.save(out)
    return out.getvalue()


if __name__ == "__main__":
    output, *chosen = sys.argv[1:]
    made = european_workbook(chosen[0]) if chosen else chinese_workbook()
    Path(output).write_bytes(made)
