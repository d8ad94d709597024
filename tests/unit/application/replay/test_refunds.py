"""A replay brings refunds: recognised by row, sent behind purchases, counted and checked."""

from __future__ import annotations

import json
import re
from io import StringIO
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
import typer
from rich.console import Console
from typer.testing import CliRunner

from fraudwatch.adapters.datasets.files import DatasetFile
from fraudwatch.adapters.datasets.mapping import Mapping, WrongMapping, load_mapping
from fraudwatch.application.replay.ports import BatchResult, Ingest, ReplayFailed
from fraudwatch.cli.replay import replay
from fraudwatch.cli.replay_run import ReplayRun, Request
from fraudwatch.domain.messages.refund import RefundReason
from fraudwatch.domain.time_units import DAY_MS

if TYPE_CHECKING:
    from tests.unit.application.replay.conftest import Clock, Edge, WriteMapping

app = typer.Typer()
app.command()(replay)

NEW_YEAR_MS = 1_767_225_600_000  # 2026-01-01
FIELDS = {
    "source": "bank",
    "id": "{id}",
    "event_at_ms": "{at}",
    "customer_id": "{who}",
    "amount_minor": "{amt}",
    "currency": "EUR",
    "payment_status": "approved",
    "channel": "present",
    "merchant_id": "m",
}
OF_PURCHASE = {"purchase_id": "{of}", "purchased_at_ms": "{of_at}"}
# Newest first, as banks export; ann buys again after her refund.
EXPORT = (
    "id,at,who,amt,type,of,of_at\n"
    "p3,2026-01-04,ann,7.00,SALE,,\n"
    "r1,2026-01-03,ann,-4.00,RETURN,p1,2026-01-01\n"
    "p2,2026-01-02,bob,20.00,SALE,,\n"
    "r2,2026-01-01,ann,-1.50,RETURN,p1,2026-01-01\n"
    "p1,2026-01-01,ann,10.00,SALE,,\n"
)


def mapping_of(refunds: dict[str, Any] | None = None, **keys: Any) -> dict[str, Any]:
    plain: dict[str, Any] = {"about": "", "never_read": [], "amount": "major"}
    plain |= {"time": {"text": "%Y-%m-%d"}, "fields": FIELDS}
    plain["refunds"] = {"rows": {"type": ["RETURN"]}, "fields": OF_PURCHASE} | (refunds or {})
    return plain | keys


def export_of(folder: Path, text: str = EXPORT, name: str = "export.csv") -> Path:
    path = folder / name
    path.write_text(text, encoding="utf-8")
    return path


def replayed(
    file: Path, mapping: Path, home: Path, ingest: Ingest, clock: Clock, **options: Any
) -> tuple[ReplayRun, str]:
    printed = StringIO()
    request = Request(file=file, mapping=mapping, **options)
    console = Console(file=printed, width=500)
    run = ReplayRun(request, home, clock=clock, sleep=clock.sleep, console=console)
    run.perform(ingest)
    run.print_summary()
    return run, printed.getvalue()


def rows_of(tmp_path: Path, text: str, document: dict[str, Any]) -> tuple[list[Any], list[str]]:
    dataset = DatasetFile(export_of(tmp_path, text), Mapping.model_validate(document))
    batches = list(dataset.batches(0, 100))
    bodies = [json.loads(body) for batch in batches for body in batch.bodies]
    return bodies, [str(bad) for batch in batches for bad in batch.bad]


def test_refunds_are_sent_behind_their_purchases_and_counted_apart(
    tmp_path: Path, write_mapping: WriteMapping, edge: Edge, clock: Clock
) -> None:
    file, mapping = export_of(tmp_path), write_mapping(mapping_of())
    run, printed = replayed(file, mapping, tmp_path, edge.client(), clock)
    # Of one day the purchase comes first, wherever it is in the file.
    assert edge.log == ["p1", "p2", "refund r2", "refund r1", "p3"]
    assert edge.requests == [2, 2, 1]
    assert "3 purchases sent" in printed
    assert "2 refunds sent: 2 accepted, 0 repeated." in printed
    report = run.report()
    assert (report["sent"], report["rows_read"]) == (3, 5)
    assert report["refunds"] == {"sent": 2, "accepted": 2, "repeated": 0}
    r2, r1 = edge.refunds
    assert (r1.source, r1.purchase_id, r1.customer_id, r1.currency) == ("bank", "p1", "ann", "EUR")
    assert (r1.amount_minor, r2.amount_minor) == (400, 150)
    assert (r1.purchased_at_ms, r1.refunded_at_ms) == (NEW_YEAR_MS, NEW_YEAR_MS + 2 * DAY_MS)
    assert r1.reason is RefundReason.REFUND


def test_a_second_replay_repeats_refunds_like_purchases(
    tmp_path: Path, write_mapping: WriteMapping, edge: Edge, clock: Clock
) -> None:
    file, mapping = export_of(tmp_path), write_mapping(mapping_of())
    replayed(file, mapping, tmp_path, edge.client(), clock)
    run, printed = replayed(file, mapping, tmp_path, edge.client(), clock, repeat=True)
    assert "2 refunds sent: 0 accepted, 2 repeated." in printed
    assert (run.tally.accepted, run.tally.repeated) == (0, 3)
    assert len(edge.refunds) == 2


class EndingBeforeRefunds:
    """An ingest that is gone when refunds come, once."""

    def __init__(self, edge: Ingest) -> None:
        self._edge = edge

    def send(self, bodies: list[bytes]) -> BatchResult:
        return self._edge.send(bodies)

    def send_refunds(self, bodies: list[bytes]) -> BatchResult:
        raise ReplayFailed(f"gone before {len(bodies)} refunds")


def test_a_replay_that_ends_between_purchases_and_refunds_loses_neither(
    tmp_path: Path, write_mapping: WriteMapping, edge: Edge, clock: Clock
) -> None:
    file, mapping = export_of(tmp_path), write_mapping(mapping_of())
    with pytest.raises(ReplayFailed, match="gone before 2 refunds"):
        replayed(file, mapping, tmp_path, EndingBeforeRefunds(edge.client()), clock)
    assert edge.log == ["p1", "p2"]
    run, _ = replayed(file, mapping, tmp_path, edge.client(), clock)
    assert sorted(edge.log) == ["p1", "p2", "p3", "refund r1", "refund r2"]
    assert run.tally.repeated == 2


@pytest.mark.parametrize(
    ("keys", "amounts", "sent"),
    [
        ({}, ("10.00", "-4.00"), (1000, 400)),
        ({}, ("10.00", "4.00-"), (1000, 400)),
        ({}, ("10.00", "(4.00)"), (1000, 400)),
        ({"negative": "flip"}, ("-10.00", "4.00"), (1000, 400)),
        ({"negative": "flip"}, ("-10.00", "+4.00"), (1000, 400)),
        ({"decimal": ",", "currency_signs": ["€"]}, ("1.010,00 €", "-4,00 €"), (101_000, 400)),
    ],
)
def test_the_sign_of_the_amount_tells_refunds(
    keys: dict[str, Any], amounts: tuple[str, str], sent: tuple[int, int], tmp_path: Path
) -> None:
    text = (
        f'id,at,who,amt,of,of_at\np1,2026-01-01,ann,"{amounts[0]}",,\n'
        f'r1,2026-01-02,ann,"{amounts[1]}",p1,2026-01-01\n'
    )
    bodies, bad = rows_of(tmp_path, text, mapping_of({"rows": "by_sign"}, **keys))
    assert bad == []
    assert tuple(one["amount_minor"] for one in bodies) == sent
    assert ["purchase_id" in one for one in bodies] == [False, True]


def test_nothing_spent_is_a_purchase_where_the_sign_tells_refunds(tmp_path: Path) -> None:
    text = "id,at,who,amt,of,of_at\np1,2026-01-01,ann,0.00,,\n"
    bodies, bad = rows_of(tmp_path, text, mapping_of({"rows": "by_sign"}))
    assert (bad, [one["amount_minor"] for one in bodies]) == ([], [0])


def test_a_file_of_refunds_alone_needs_no_field_that_only_a_purchase_has(tmp_path: Path) -> None:
    text = (
        "no,on,who,authorised,captured,kind,of,of_ms\n"
        "c1,2026-01-02,ann,10.00,7.50,partial,p1,1767225600000\n"
        "c2,2026-01-03,bob,10.00,0.00,void,p2,1767225600000\n"
    )
    shared = ("source", "customer_id", "currency")
    document = mapping_of(
        {
            "rows": "all",
            "time": {"epoch": "ms"},
            "fields": {
                "purchase_id": "{of}", "purchased_at_ms": "{of_ms}", "reason": "{kind}",
            },
            "values": {"reason": {"partial": "partial_capture", "*": "reversal"}},
        },
        computed={"released": "{authorised} - {captured}"},
        fields={name: FIELDS[name] for name in shared}
        | {"id": "{no}", "event_at_ms": "{on}", "amount_minor": "{released}"},
    )  # fmt: skip
    bodies, bad = rows_of(tmp_path, text, document)
    assert bad == []
    assert [(one["id"], one["amount_minor"], one["reason"]) for one in bodies] == [
        ("c1", 250, "partial_capture"),
        ("c2", 1000, "reversal"),
    ]
    assert {one["purchased_at_ms"] for one in bodies} == {NEW_YEAR_MS}


def test_the_time_of_a_purchase_is_found_by_its_id_in_a_file_of_purchases(tmp_path: Path) -> None:
    lines = [line.rsplit(",", 1)[0] for line in EXPORT.splitlines()]
    text = "\n".join(lines).replace(",RETURN,p1", ",RETURN,p1", 1) + "\n"
    document = mapping_of(
        {"fields": {"purchase_id": "{of}", "purchased_at_ms": "{join.at}"}},
        join={"file": "export.csv", "by": "of", "key": "id", "left": True},
    )
    bodies, bad = rows_of(tmp_path, text, document)
    assert bad == []
    found = {one["id"]: one["purchased_at_ms"] for one in bodies if "purchase_id" in one}
    assert found == {"r1": NEW_YEAR_MS, "r2": NEW_YEAR_MS}
    _, bad = rows_of(tmp_path, text.replace("RETURN,p1", "RETURN,p9"), document)
    reason = "refund's purchased_at_ms (column join.at) is absent"
    assert sorted(bad) == [f"row 2: {reason}", f"row 4: {reason}"]


def test_a_bank_export_joined_with_itself_gives_refunds_their_purchases_times(
    tmp_path: Path,
) -> None:
    text = (
        "Kontoauszug 06/2024\n"
        "Beleg;Buchungstag;Uhrzeit;Konto;Betrag;Original\n"
        "B2;04.06.24;10:00;K-1;234,56 €;B1\n"
        "B1;03.06.24;09:15;K-1;-1.234,56 €;\n"
    )
    document = mapping_of(
        {
            "rows": "by_sign",
            "fields": {
                "purchase_id": "{file_hash}-{Original}",
                "purchased_at_ms": "{join.Buchungstag} {join.Uhrzeit}",
            },
        },
        separator=";",
        skip_lines=1,
        decimal=",",
        currency_signs=["€"],
        negative="flip",
        time={"zone": "Europe/Berlin", "text": "%d.%m.%y %H:%M"},
        join={
            "file": "export.csv",
            "by": "Original",
            "key": "Beleg",
            "left": True,
            "layout": {"separator": ";", "skip_lines": 1},
        },
        fields=FIELDS
        | {
            "id": "{file_hash}-{Beleg}",
            "event_at_ms": "{Buchungstag} {Uhrzeit}",
            "customer_id": "{Konto}",
            "amount_minor": "{Betrag}",
        },
    )
    [purchase, refund], bad = rows_of(tmp_path, text, document)
    assert bad == []
    assert (purchase["amount_minor"], refund["amount_minor"]) == (123_456, 23_456)
    assert refund["purchase_id"] == purchase["id"]
    assert refund["purchased_at_ms"] == purchase["event_at_ms"]


@pytest.mark.parametrize(
    ("row", "reason"),
    [
        ("r,2026-01-03,ann,-4.00,RETURN,,2026-01-01", "purchase_id (column of) is absent"),
        ("r,2026-01-03,ann,-4.00,RETURN,p1,", "purchased_at_ms (column of_at) is absent"),
        ("r,2026-01-03,ann,-4.00,RETURN,p1,lately", "purchased_at_ms (column of_at) is no such"),
        ("r,2026-01-03,ann,-4.00,RETURN,p1,1900-01-01", "purchased_at_ms (column of_at) must lie"),
        ("r,2026-01-03,ann,-4.00,RETURN,p1,2026-01-04", "refunded_at_ms (column at) is before"),
        ("r,2026-01-03,ann,0.00,RETURN,p1,2026-01-01", "amount_minor (column amt) must lie"),
        ("r,2026-01-03,ann,much,RETURN,p1,2026-01-01", "amount_minor (column amt) is no decimal"),
    ],
)
def test_a_row_that_makes_no_refund_is_named_with_its_column_and_no_value(
    row: str, reason: str, tmp_path: Path
) -> None:
    text = f"id,at,who,amt,type,of,of_at\np1,2026-01-01,ann,10.00,SALE,,\n{row}\n"
    bodies, [bad] = rows_of(tmp_path, text, mapping_of())
    assert [one["id"] for one in bodies] == ["p1"]
    assert bad.startswith(f"row 2: refund's {reason}")
    assert not any(value in bad for value in ("p1", "lately", "much", "ann"))


@pytest.mark.parametrize(
    ("refunds", "keys", "sentence"),
    [
        ({"rows": "some"}, {}, "refunds.rows: must be all, by_sign, or columns with their values"),
        ({"rows": {"type": [1]}}, {}, "refunds.rows: must be all, by_sign, or columns"),
        ({"rows": {"type": ["A*B"]}}, {}, "refunds.rows.type.A*B: one * only"),
        ({"rows": {"row_hash": ["1"]}}, {}, "refunds.rows.row_hash: must be a column of the data"),
        ({"rows": {"fraud": ["1"]}}, {"never_read": ["fraud"]}, "which never_read forbids"),
        ({"fields": {"purchased_at_ms": "{of_at}"}}, {}, "refunds.fields.purchase_id: is required"),
        (
            {"fields": {"purchase_id": "{of}"}},
            {},
            (
                "refunds.fields.purchased_at_ms: is required, since a refund is subtracted at the"
                " time of its purchase: name the column that has it, or where the file has only"
            ),
        ),
        ({"fields": OF_PURCHASE | {"refunded_at_ms": "{at}"}}, {}, "is the row's own time"),
        ({"fields": OF_PURCHASE | {"source": "other"}}, {}, "is that of its purchase"),
        ({"fields": OF_PURCHASE | {"merchant_id": "m"}}, {}, "a refund has no such field; it has"),
        ({"fields": OF_PURCHASE | {"reason": "gift"}}, {}, "refunds.fields.reason: must be one of"),
        ({"fields": OF_PURCHASE | {"purchase_id": "p"}}, {}, "is the same for every row"),
        ({"values": {"reason": {"x": "gift"}}}, {}, "refunds.values.reason: is allowed only for"),
        ({"rows": "by_sign"}, {"negative": "absolute"}, "by_sign needs the signs"),
        ({"column": "x"}, {}, "refunds.column: no such key"),
    ],
)
def test_a_wrong_section_of_refunds_is_one_sentence_with_its_key(
    refunds: dict[str, Any], keys: dict[str, Any], sentence: str, write_mapping: WriteMapping
) -> None:
    with pytest.raises(WrongMapping) as caught:
        load_mapping(write_mapping(mapping_of(refunds, **keys)))
    assert sentence in str(caught.value)


def test_a_missing_column_of_refunds_is_wrong_use(
    tmp_path: Path, write_mapping: WriteMapping, monkeypatch: pytest.MonkeyPatch
) -> None:
    fields = OF_PURCHASE | {"purchase_id": "{original}"}
    mapping = write_mapping(mapping_of({"fields": fields}))
    monkeypatch.setenv("FRAUDWATCH_HOME", str(tmp_path / "home"))
    arguments = [str(export_of(tmp_path)), "--mapping", str(mapping), "--check"]
    done = CliRunner().invoke(app, arguments)
    assert (done.exit_code, done.stdout) == (2, "")
    assert "has no column original" in done.stderr


def test_a_check_shows_what_refunds_become_and_no_personal_value(
    tmp_path: Path, write_mapping: WriteMapping, monkeypatch: pytest.MonkeyPatch
) -> None:
    mapping = write_mapping(mapping_of())
    monkeypatch.setenv("FRAUDWATCH_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("COLUMNS", "200")
    arguments = [str(export_of(tmp_path)), "--mapping", str(mapping), "--check"]
    done = CliRunner().invoke(app, arguments)
    assert done.exit_code == 0, done.stderr
    assert "field of a refund" in done.stdout
    assert "The first 5 of 5 rows by time, of which 2 are refunds" in done.stdout
    document = json.loads(CliRunner().invoke(app, [*arguments, "--json"]).stdout)
    assert document["refund_rows"] == 2
    becomes = {one["field"]: one["becomes"] for one in document["refund_fields"]}
    assert becomes["amount_minor"] == "150 to 400 minor units of EUR"
    assert becomes["purchase_id"] == "1 different, letters and digits, 2 characters"
    assert becomes["refunded_at_ms"] == "2026-01-01T00:00:00+00:00 to 2026-01-03T00:00:00+00:00"
    bought = {one["field"]: one["valid"] for one in document["fields"]}
    assert bought["amount_minor"] == 3
    assert not re.search(r"\b(ann|bob)\b", done.stdout)


def test_a_bad_refund_stops_the_replay_or_is_skipped_and_reported(
    tmp_path: Path, write_mapping: WriteMapping, edge: Edge, clock: Clock
) -> None:
    file = export_of(tmp_path, EXPORT.replace("p1,2026-01-01\np2", "p1,\np2"))
    mapping = write_mapping(mapping_of())
    with pytest.raises(ReplayFailed, match=r"1 row\(s\) make no purchase and no refund"):
        replayed(file, mapping, tmp_path, edge.client(), clock)
    assert edge.log == []
    run, printed = replayed(file, mapping, tmp_path, edge.client(), clock, skip_bad_rows=True)
    assert "1 rows skipped, for example:\n  row 2: refund's purchased_at_ms" in printed
    assert (run.tally.refunds.sent, run.tally.sent, run.tally.skipped) == (1, 3, 1)


def test_refunds_do_not_count_as_purchases_that_are_too_late_nor_as_newest(tmp_path: Path) -> None:
    dataset = DatasetFile(export_of(tmp_path), Mapping.model_validate(mapping_of()))
    assert (dataset.count, dataset.refund_count) == (5, 2)
    assert dataset.rows_before(NEW_YEAR_MS + 1) == 1
    assert dataset.newest_ms == NEW_YEAR_MS + 3 * DAY_MS


def test_a_mapping_without_refunds_is_the_replay_that_it_was() -> None:
    plain = mapping_of()
    del plain["refunds"]
    assert "refunds" not in Mapping.model_validate(plain).identity()
    assert "refunds" in Mapping.model_validate(mapping_of()).identity()
