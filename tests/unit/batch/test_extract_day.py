from __future__ import annotations

import json
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import httpx
import pytest

from fraudwatch.adapters.codecs.json_codec import decode
from fraudwatch.adapters.edge.sealed_pages import forget_old_pages
from fraudwatch.adapters.edge.shop_extract import TRIES
from fraudwatch.adapters.edge.tink_vault import TinkVault
from fraudwatch.application.extract import extract_day as use_case
from fraudwatch.application.extract.lake_files import (
    LakeFiles,
    LakeUnavailable,
    content_of,
    lines_of,
)
from fraudwatch.application.extract.ports import (
    DayLocked,
    NoSuchDay,
    SourceChanged,
    SourceMismatch,
    SourceUnavailable,
)
from fraudwatch.domain.lake.day_extract import MANIFEST_NAME, REJECTED_NAME, ExtractManifest
from fraudwatch.domain.messages.fields import problems
from fraudwatch.domain.messages.transaction import Transaction
from fraudwatch.lake import EXTRACT_FOLDER, extract_folder, extract_work_folder
from fraudwatch.samples import NOON_MS
from tests.unit.batch.source_books import DAY, Books, Edge, Spoil, a_line

FOLDER = extract_folder(DAY)
WORK = f"{EXTRACT_FOLDER}/.work"


def transactions(files: LakeFiles, name: str = "transactions-00001.jsonl") -> list[Transaction]:
    return [decode(Transaction, line) for line in lines_of(files.read(f"{FOLDER}/{name}"))]


def manifest(files: LakeFiles) -> ExtractManifest:
    return decode(ExtractManifest, content_of(files, f"{FOLDER}/{MANIFEST_NAME}") or b"")


def everything(folder: Path) -> bytes:
    return b"".join(path.read_bytes() for path in folder.rglob("*") if path.is_file())


def on_page(number: int, **changes: Any) -> Spoil:
    return lambda page: page | changes if page["page"] == number else page


def test_a_day_lies_in_the_lake_tokenised_and_sealed(edge: Edge) -> None:
    done = edge.extract().run()
    assert done.is_new
    assert edge.books.asked == [1, 2, 3]
    found = transactions(edge.files)
    assert [one.transaction_id for one in found] == [f"shop:{n}" for n in range(10)]
    assert not any(problems(one) for one in found)
    assert len({one.customer_token for one in found}) == 5
    written = manifest(edge.files)
    assert written == done.manifest
    assert (written.purchases, written.accepted, written.pages) == (10, 10, 3)
    assert written.amount_minor_by_currency == {"EUR": 25_900}
    assert written.files == ("transactions-00001.jsonl",)
    assert edge.files.names(FOLDER) == [MANIFEST_NAME, REJECTED_NAME, *written.files]
    assert edge.files.names(WORK) == []
    assert list((edge.folder / "keys/extract").iterdir()) == []


def test_what_it_sealed_opens_with_the_keys_of_the_edge(edge: Edge) -> None:
    edge.extract().run()
    one = transactions(edge.files)[3]
    opened = TinkVault(edge.folder / "keys").open(
        one.customer_token, one.transaction_id, one.sealed or ""
    )
    assert opened["customer_id"] == "customer-3"


def test_a_refused_purchase_is_noted_without_what_it_was(edge: Edge) -> None:
    edge.books.purchases[6]["currency"] = "XXX"
    edge.books.purchases[7]["name"] = 4711
    edge.books.purchases[8]["event_at_ms"] = NOON_MS - 86_400_000
    done = edge.extract().run()
    rejected = [json.loads(x) for x in lines_of(edge.files.read(f"{FOLDER}/{REJECTED_NAME}"))]
    assert [(one["origin"], one["code"]) for one in rejected] == [
        ("extract:2026-01-15:7", "unknown_currency"),
        ("extract:2026-01-15:8", "wrong_schema"),
        ("extract:2026-01-15:9", "out_of_bounds"),
    ]
    assert "4711" not in json.dumps(rejected)
    assert done.manifest.accepted == 7
    assert done.manifest.rejected == {"out_of_bounds": 1, "unknown_currency": 1, "wrong_schema": 1}


def test_files_hold_no_more_lines_than_agreed(edge: Edge, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(use_case, "LARGEST_FILE_LINES", 5)
    done = edge.extract().run()
    assert done.manifest.files == ("transactions-00001.jsonl", "transactions-00002.jsonl")
    assert [len(transactions(edge.files, name)) for name in done.manifest.files] == [5, 5]


def test_a_day_without_purchases_is_a_day(edge: Edge) -> None:
    edge.books.purchases = []
    done = edge.extract().run()
    assert (done.manifest.purchases, done.manifest.accepted) == (0, 0)
    assert transactions(edge.files) == []


def test_the_same_day_again_costs_one_question(edge: Edge) -> None:
    first = edge.extract().run()
    edge.books.asked.clear()
    force = edge.extract().run()
    assert (force.is_new, force.manifest) == (False, first.manifest)
    assert edge.books.asked == [1]
    assert edge.extract().run(force=True).is_new


def test_a_day_whose_books_were_corrected_is_replaced(edge: Edge) -> None:
    edge.extract().run()
    edge.books.purchases.append(a_line(10))
    done = edge.extract().run()
    assert done.is_new
    assert len(transactions(edge.files)) == 11
    assert edge.files.names(EXTRACT_FOLDER) == [".work", "day=2026-01-15"]
    assert edge.files.names(WORK) == []


UNTRUE: dict[str, tuple[Spoil, str]] = {
    "a wrong amount": (
        lambda page: page | {"total_amount_minor_by_currency": {"EUR": 25_901}},
        "amounts of 2026-01-15 in EUR do not add up",
    ),
    "a currency that is missing": (
        lambda page: page | {"total_amount_minor_by_currency": {"EUR": 25_900, "USD": 1}},
        "in USD do not add up",
    ),
    "a wrong checksum": (lambda page: page | {"checksum_sha256": "0" * 64}, "checksum over the 10"),
    "a truncated page": (
        lambda page: page | {"purchases": page["purchases"][:-1]},
        "page 1 of 2026-01-15 has 3 purchases, expected 4",
    ),
    "a truncated last page": (on_page(3, purchases=[]), "page 3 of 2026-01-15 has 0"),
    "a repeated page": (
        on_page(2, purchases=[a_line(n) for n in range(4)]),
        "page 2 of 2026-01-15 repeats page 1",
    ),
    "an altered page": (
        on_page(2, purchases=[a_line(n, item_count=9) for n in range(4, 8)]),
        "checksum over the 10",
    ),
    "another page than asked for": (on_page(2, page=1), "answered page 1"),
    "totals that change midway": (
        on_page(2, total_purchases=11),
        "changed between page 1 and page 2",
    ),
    "pages that cannot be": (lambda page: page | {"pages": 9}, "which is impossible"),
}


@pytest.mark.parametrize("name", UNTRUE)
def test_what_the_source_does_not_confirm_never_appears(edge: Edge, name: str) -> None:
    edge.books.spoil, told = UNTRUE[name]
    with pytest.raises(SourceMismatch, match=told) as refused:
        edge.extract().run()
    assert "run this again" in str(refused.value)
    assert not edge.files.exists(FOLDER)
    assert not edge.files.exists(f"{extract_work_folder(DAY)}/pages"), "the next run begins anew"

    edge.books.spoil = lambda page: page
    assert edge.extract().run().manifest.accepted == 10


def test_a_refused_day_leaves_the_one_that_was_there(edge: Edge) -> None:
    before = edge.extract().run().manifest
    edge.books.purchases.append(a_line(10))
    edge.books.spoil = UNTRUE["an altered page"][0]
    with pytest.raises(SourceMismatch):
        edge.extract().run()
    assert manifest(edge.files) == before


def without(page: dict[str, Any], name: str) -> dict[str, Any]:
    return {key: value for key, value in page.items() if key != name}


SHAPES: dict[str, tuple[Spoil, str]] = {
    "a field less": (lambda page: without(page, "checksum_sha256"), "checksum_sha256"),
    "another type": (lambda page: page | {"total_purchases": "10"}, "total_purchases"),
    "no amount": (lambda page: page | {"purchases": [{"currency": "EUR"}]}, "amount_minor"),
    "no JSON": (lambda _: httpx.Response(200, text="<html>"), "no JSON"),
    "another status": (lambda _: httpx.Response(302), "status 302"),
}


@pytest.mark.parametrize("name", SHAPES)
def test_another_shape_is_said_clearly(edge: Edge, name: str) -> None:
    edge.books.spoil, told = SHAPES[name]
    with pytest.raises(SourceChanged, match=told) as refused:
        edge.extract().run()
    assert "nothing was written" in str(refused.value)
    assert not edge.files.exists(FOLDER)


@pytest.mark.parametrize(
    ("status", "told"), [(409, "not ended"), (425, "not ended"), (404, "no page 1")]
)
def test_a_day_that_is_none_or_not_yet(edge: Edge, status: int, told: str) -> None:
    edge.books.spoil = lambda _: httpx.Response(status)
    with pytest.raises(NoSuchDay, match=told):
        edge.extract().run()
    assert edge.rests == []
    assert not edge.files.exists(FOLDER)


def test_a_wrong_key_is_not_tried_again(edge: Edge) -> None:
    edge.books.spoil = lambda _: httpx.Response(401)
    with pytest.raises(SourceUnavailable, match="EXTRACT_SOURCE_API_KEY"):
        edge.extract().run()
    assert edge.books.asked == [1]


@pytest.mark.parametrize(
    "away",
    [httpx.ConnectError("refused"), httpx.ReadTimeout("slow"), httpx.Response(503)],
    ids=["down", "slow", "busy"],
)
def test_a_source_that_stays_away_is_given_up_and_gone_on_with_later(
    edge: Edge, away: httpx.HTTPError | httpx.Response
) -> None:
    edge.books.spoil = lambda page: away if page["page"] == 3 else page
    with pytest.raises(SourceUnavailable, match=rf"page 3 of 2026-01-15 in {TRIES} tries"):
        edge.extract().run()
    assert edge.books.asked == [1, 2, *[3] * TRIES]
    assert edge.rests == sorted(edge.rests)
    assert len(edge.rests) == TRIES - 1
    assert not edge.files.exists(FOLDER)

    edge.books.asked.clear()
    edge.books.spoil = lambda page: page
    assert edge.extract().run().manifest.accepted == 10
    assert edge.books.asked == [1, 3], "page 2 was kept"


def test_a_source_that_comes_back_is_asked_on(edge: Edge) -> None:
    answers = [httpx.Response(503), httpx.ReadTimeout("slow")]
    edge.books.spoil = lambda page: answers.pop() if answers else page
    assert edge.extract().run().manifest.accepted == 10


def test_pages_of_books_that_changed_since_are_forgotten(edge: Edge) -> None:
    edge.books.spoil = lambda page: httpx.Response(503) if page["page"] == 3 else page
    with pytest.raises(SourceUnavailable):
        edge.extract().run()
    edge.books.purchases[0] = a_line(0, item_count=7)
    edge.books.asked.clear()
    edge.books.spoil = lambda page: page
    assert edge.extract().run().manifest.accepted == 10
    assert edge.books.asked == [1, 2, 3]


def test_an_altered_kept_page_is_read_again(edge: Edge) -> None:
    edge.books.spoil = lambda page: httpx.Response(503) if page["page"] == 3 else page
    with pytest.raises(SourceUnavailable):
        edge.extract().run()
    kept = f"{extract_work_folder(DAY)}/pages/00002.sealed"
    content = bytearray(content_of(edge.files, kept) or b"")
    content[40] ^= 1
    edge.files.write(kept, [bytes(content)])
    edge.books.asked.clear()
    edge.books.spoil = lambda page: page
    assert edge.extract().run().manifest.accepted == 10
    assert edge.books.asked == [1, 2, 3]


def test_no_person_lies_in_the_lake_in_clear(edge: Edge) -> None:
    edge.books.spoil = lambda page: httpx.Response(503) if page["page"] == 3 else page
    with pytest.raises(SourceUnavailable):
        edge.extract().run()
    kept = everything(edge.folder / "lake")
    edge.books.spoil = lambda page: page
    edge.extract().run()
    for personal in (b"Mustermann", b"4111111111111111", b"192.0.2.17", b"customer-1"):
        assert personal not in kept
        assert personal not in everything(edge.folder / "lake")


def test_pages_that_nobody_finished_are_shut_after_a_week(edge: Edge) -> None:
    edge.books.spoil = lambda page: httpx.Response(503) if page["page"] == 3 else page
    with pytest.raises(SourceUnavailable):
        edge.extract().run()
    [key] = (edge.folder / "keys/extract").iterdir()
    made_on = datetime.fromtimestamp(key.stat().st_mtime, UTC).date()
    forget_old_pages(edge.folder / "keys", made_on)
    assert key.exists()
    forget_old_pages(edge.folder / "keys", date.fromordinal(made_on.toordinal() + 8))
    assert not key.exists()


def test_of_two_at_once_the_second_ends_with_a_sentence(edge: Edge) -> None:
    second: list[str] = []

    def during(page: dict[str, Any]) -> dict[str, Any]:
        if page["page"] == 2 and not second:
            with pytest.raises(DayLocked) as taken:
                replace_run(edge).run()
            second.append(str(taken.value))
        return page

    edge.books.spoil = during
    assert edge.extract().run().manifest.accepted == 10
    assert "another extract of this day runs" in second[0]


def replace_run(edge: Edge) -> use_case.DayExtract:
    return Edge(edge.folder, Books(edge.books.purchases)).extract()


def test_a_lock_of_a_process_that_ended_holds_nobody_up(edge: Edge) -> None:
    dead = edge.extract()
    dead.lease.acquire()
    extract = edge.extract()
    extract.lease.is_gone = lambda _: True
    assert extract.run().is_new


def test_a_lock_of_another_machine_holds_until_its_lease_is_over(edge: Edge) -> None:
    other = edge.extract()
    other.lease.process = "elsewhere:17"
    other.lease.acquire()
    with pytest.raises(DayLocked, match="elsewhere:17"):
        edge.extract().run()
    later = edge.extract()
    now_ms = later.lease.now_ms
    later.lease.now_ms = lambda: now_ms() + 6 * 60_000
    assert later.run().is_new
    with pytest.raises(DayLocked, match="passed to another run"):
        other.lease.confirm()


def test_an_empty_lock_is_no_lock_for_ever(edge: Edge) -> None:
    edge.files.create(f"{extract_work_folder(DAY)}.lock", b"")
    extract = edge.extract()
    extract.lease.rest = lambda _: None
    assert extract.run().is_new


def test_who_lost_the_day_does_not_publish(edge: Edge) -> None:
    extract = edge.extract()

    def steal(page: dict[str, Any]) -> dict[str, Any]:
        if page["page"] == 3:
            edge.files.write(
                f"{extract_work_folder(DAY)}.lock",
                [b'{"run_id":"other","process":"elsewhere:1","seen_at_ms":4102444800000}'],
            )
        return page

    edge.books.spoil = steal
    with pytest.raises(DayLocked):
        extract.run()
    assert not edge.files.exists(FOLDER)


def test_a_kill_between_the_two_renames_loses_no_day(edge: Edge) -> None:
    edge.extract().run()
    edge.files.move(FOLDER, f"{extract_work_folder(DAY)}/old")
    assert not edge.extract().run().is_new
    assert manifest(edge.files).accepted == 10


def test_a_lake_that_takes_no_writes_ends_the_run_and_changes_nothing(edge: Edge) -> None:
    before = edge.extract().run().manifest
    edge.books.purchases.append(a_line(10))
    files = edge.files

    def full(page: dict[str, Any]) -> dict[str, Any]:
        files.refusal = "HDFS is in safe mode" if page["page"] == 2 else ""
        return page

    edge.books.spoil = full
    with pytest.raises(LakeUnavailable, match="safe mode"):
        edge.extract(files).run()
    assert manifest(edge.files) == before
