"""The query list on the Data page."""

from __future__ import annotations

import re

import pytest

from tests.pages.driver import checked, drop, shown, start, with_sample, words

pytestmark = pytest.mark.pages

ROWS = "\n".join(f"p{n},{n + 3},{n % 2},{n % 3}" for n in range(12))
FILE = f"id,time (months),status,ECOG\n{ROWS}\nz,5,1,9\ny,-4,1,1\n"


def listed(at):
    """Give the lines of the list as dicts, each with the sentence that stands above it."""
    found = [item.value for item in at.markdown if 'class="sts-table queries"' in item.value]
    heads = re.findall(r"<th>(.*?)</th>", found[0])
    lines, said = [], ""
    for kind, row in re.findall(r"<tr( class=[^>]*)?>(.*?)</tr>", found[0].split("<tbody>")[1]):
        cells = [words(cell) for cell in re.findall(r"<td[^>]*>(.*?)</td>", row)]
        if kind:
            said = cells[0]
        else:
            lines.append({**dict(zip(heads, cells, strict=True)), "said": said})
    return lines


def test_each_wrong_cell_is_a_line_without_its_value_until_asked():
    at = drop(start(), {"clinic.csv": FILE})
    found = listed(at)
    assert "Value" not in found[0]
    (ecog,) = [line for line in found if line["Column"] == "ECOG"]
    assert (ecog["Row"], ecog["Patient"]) == ("14", "S013")
    assert ecog["said"].startswith("Error “ECOG” is ECOG performance status, which goes from 0")
    checked(at.toggle(key="w:queries.values").set_value(True).run())
    assert [line["Value"] for line in listed(at) if line["Column"] == "ECOG"] == ["9"]
    checked(at.selectbox(key="w:queries.column").set_value("ECOG").run())
    assert {line["Column"] for line in listed(at)} == {"ECOG"}


def test_the_workbook_is_given_on_purpose_only():
    at = drop(start(), {"clinic.csv": FILE})
    (button,) = [item for item in at.get("download_button") if "queries" in str(item.proto)]
    assert button.proto.disabled
    checked(at.checkbox(key="queries.agreed").set_value(True).run())
    (button,) = [item for item in at.get("download_button") if "queries" in str(item.proto)]
    assert not button.proto.disabled


def test_the_sample_has_no_queries():
    at = with_sample()
    assert not [item for item in at.markdown if 'class="sts-table queries"' in item.value]
    assert "Query list" not in shown(at)


def test_a_long_list_shows_its_first_lines_and_the_workbook_holds_all():
    rows = "\n".join(f"p{n},{n % 40},1,{n % 9}" for n in range(3600))
    at = drop(start(), {"long.csv": f"id,time (months),status,ECOG\n{rows}\n"})
    checked(at.selectbox(key="w:queries.column").set_value("ECOG").run())
    assert len(listed(at)) == 400
    n_wrong = sum(n % 9 > 5 for n in range(3600))
    assert f"The first 400 of {n_wrong} lines" in shown(at)
    (button,) = [item for item in at.get("download_button") if "queries" in str(item.proto)]
    assert button.proto.label == f"Download {n_wrong} queries (xlsx)"
