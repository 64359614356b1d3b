"""A status column with more than two values: nothing is censored that nobody named."""

from pathlib import Path

import pandas as pd
import pyreadstat

from tests.pages.driver import click, drop, shown, start, study_of

ROWS = "id,os_months,status\nA,5,1\nB,6,0\nC,7,1\nD,8,lost\nE,9,0\nF,10,1\nG,11,0\nH,12,0\n"
STUDY = """
data: {tables: {subjects: {file: status.csv, subject_id: id}}}
definitions:
  endpoints:
    OS:
      label: Overall survival
      time: os_months
      unit: months
      event: status
      events: {death: [1]}
      censored: [0]
"""


def test_a_value_that_is_neither_event_nor_censored_is_left_out_and_listed() -> None:
    at = drop(start(), {"status.csv": ROWS, "study.yaml": STUDY})
    assert "3 events, 4 censored, 1 left out." in shown(at)
    at.button(key="endpoint.confirm.OS").click().run()
    assert not at.exception
    endpoint = study_of(at).definitions.endpoints["OS"]
    assert endpoint.is_confirmed
    assert endpoint.events == {"death": ("1",)}
    assert endpoint.censored == ("0",)
    assert "lost" in shown(at)


def test_values_of_a_status_are_shown_with_what_the_file_says_of_them(tmp_path: Path) -> None:
    path = tmp_path / "study.sav"
    frame = pd.DataFrame(
        {
            "id": [float(n) for n in range(12)],
            "os_months": [3.0 + n for n in range(12)],
            "vital": [1.0, 2.0, 2.0] * 4,
        }
    )
    pyreadstat.write_sav(frame, path, variable_value_labels={"vital": {1: "Dead", 2: "Alive"}})
    at = drop(start(), {"study.sav": path.read_bytes()})
    texts = [option for group in at.get("button_group") for option in group.options]
    assert "1 = Dead (4 patients)" in texts
    assert "2 = Alive (8 patients)" in texts
    assert "The words say it." in shown(at)


def test_a_progression_without_a_date_is_asked_before_it_is_confirmed() -> None:
    rows = "".join(
        f"p{n},2020-01-01,{('No', 'Yes')[n % 2]},{'2020-05-11' if n % 4 == 1 else ''},2021-01-15\n"
        for n in range(12)
    )
    header = "id,Start,Progression,Progression date,Last contact\n"
    at = drop(start(), {"a.csv": header + rows})
    said = "“Progression” says of 3 patients that it happened, but “Progression date” has no date"
    assert "2 open questions" in shown(at)
    assert said in shown(at)
    click(at, "endpoint.confirm.PFS")
    assert "No question is open." in shown(at)
    assert said in shown(at), "it stays among the findings"
