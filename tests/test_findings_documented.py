from __future__ import annotations

import re
from pathlib import Path

from sts_core.findings import FindingCode

PAGE = Path(__file__).parents[1] / "docs" / "findings.md"


def rows() -> list[list[str]]:
    return [
        [cell.strip() for cell in line.strip().strip("|").split("|")]
        for line in PAGE.read_text("utf-8").splitlines()
        if line.startswith("| `")
    ]


def test_every_code_of_a_finding_has_one_row_and_no_row_is_left_over() -> None:
    documented = [cells[0].strip("`") for cells in rows()]
    assert sorted(documented) == sorted(code.value for code in FindingCode)


def test_each_row_says_what_it_is_and_what_to_do() -> None:
    for cells in rows():
        assert len(cells) == 3
        assert all(re.search(r"[.]$", cell) for cell in cells[1:]), cells[0]
