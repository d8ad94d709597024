"""Download of the live list: for leads, recorded first, and without formulas."""

from __future__ import annotations

import csv
import io
from dataclasses import fields, replace

import pytest
from streamlit.testing.v1 import AppTest

from fraudwatch.application.console.access import Forbidden, Person, Role
from fraudwatch.application.console.access_log import AccessLog
from fraudwatch.domain.messages.audit import AuditAction, AuditRecord
from streamlit_app.live.export import csv_of, recorded_csv
from streamlit_app.live.lines import Line

NOW = lambda: 1_772_000_000_000  # noqa: E731
LINE = Line(
    **{  # type: ignore[arg-type]
        field.name: {"age_seconds": 3, "score": 0.25}.get(field.name, field.name)
        for field in fields(Line)
    }
)


class Keeper:
    def __init__(self) -> None:
        self.records: list[AuditRecord] = []
        self.is_full = False

    def note(self, record: AuditRecord) -> None:
        if self.is_full:
            raise OSError("no space left on device")
        self.records.append(record)


def page(person: "Person", line: "Line", log: "AccessLog") -> None:  # noqa: UP037
    from streamlit_app.live import export
    from streamlit_app.people import access

    access.declare(log)
    export.button(person, [line])


@pytest.mark.parametrize(("role", "count"), [(Role.ANALYST, 0), (Role.LEAD, 1), (Role.ADMIN, 0)])
def test_only_a_lead_has_the_button_and_drawing_it_records_nothing(role: Role, count: int) -> None:
    keeper = Keeper()
    kwargs = {"person": Person("lina", role), "line": LINE, "log": AccessLog(keeper, NOW)}
    app = AppTest.from_function(page, kwargs=kwargs).run()
    assert not app.exception
    assert len(app.get("download_button")) == count
    assert not keeper.records


def test_a_download_is_recorded_before_there_is_a_file() -> None:
    keeper, lead = Keeper(), Person("lina", Role.LEAD)
    assert recorded_csv(lead, AccessLog(keeper, NOW), [LINE, LINE]).count("\n") == 3
    [record] = keeper.records
    assert (record.deed, record.by) == (AuditAction.EXPORTED, "lina")
    assert record.subject == "live list, 2 lines"
    keeper.is_full = True
    with pytest.raises(OSError, match="no space"):
        recorded_csv(lead, AccessLog(keeper, NOW), [LINE])


def test_an_analyst_gets_no_file_however_it_is_asked_for() -> None:
    keeper = Keeper()
    with pytest.raises(Forbidden):
        recorded_csv(Person("anna", Role.ANALYST), AccessLog(keeper, NOW), [LINE])
    assert not keeper.records


def test_the_file_has_the_lines_and_no_formula() -> None:
    evil = replace(LINE, merchant='=HYPERLINK("http://evil.example")', reasons="-2+3")
    rows = list(csv.DictReader(io.StringIO(csv_of([LINE, evil]))))
    assert rows[0]["merchant"] == "merchant"
    assert rows[0]["score"] == "0.25"
    assert rows[1]["merchant"] == '\'=HYPERLINK("http://evil.example")'
    assert rows[1]["reasons"] == "'-2+3"
