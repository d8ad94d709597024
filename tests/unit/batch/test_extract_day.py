from __future__ import annotations

import json
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import httpx
import pytest

from fraudwatch.adapters.codecs.json_codec import decode
from fraudwatch.adapters.edge.sealed_pages import delete_old_keys
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
from tests.unit.batch.source_system import DAY, Edge, FakeShop, Spoil, a_line

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


def test_a_day_is_extracted_to_the_lake_tokenised_and_sealed(edge: Edge) -> None:
    done = edge.extract().run()
    assert done.is_new
    assert edge.shop.requested_pages == [1, 2, 3]
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


def test_sealed_fields_open_with_the_keys_of_the_edge(edge: Edge) -> None:
    edge.extract().run()
    one = transactions(edge.files)[3]
    opened = TinkVault(edge.folder / "keys").open(
        one.customer_token, one.transaction_id, one.sealed or ""
    )
    assert opened["customer_id"] == "customer-3"


def test_a_refused_purchase_is_recorded_without_its_content(edge: Edge) -> None:
    edge.shop.purchases[6]["currency"] = "XXX"
    edge.shop.purchases[7]["merchant_id"] = 4711
    edge.shop.purchases[8]["event_at_ms"] = NOON_MS - 86_400_000
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


@pytest.mark.parametrize(
    ("sources", "accepted"), [("shop", 9), ("shop, my-shop", 10), ("", 10), ("my-shop", 1)]
)
def test_an_extract_brings_purchases_of_its_own_sources_alone(
    edge: Edge, monkeypatch: pytest.MonkeyPatch, sources: str, accepted: int
) -> None:
    edge.shop.purchases[3]["source"] = "my-shop"
    monkeypatch.setenv("EXTRACT_SOURCES", sources)
    done = edge.extract().run()
    assert done.manifest.accepted == accepted
    assert done.manifest.rejected == ({"out_of_bounds": 10 - accepted} if accepted < 10 else {})
    rejected = edge.files.read(f"{FOLDER}/{REJECTED_NAME}")
    assert all(b"source is none that this extract speaks for" in x for x in lines_of(rejected))


def test_files_have_a_maximum_of_lines(edge: Edge, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(use_case, "LARGEST_FILE_LINES", 5)
    done = edge.extract().run()
    assert done.manifest.files == ("transactions-00001.jsonl", "transactions-00002.jsonl")
    assert [len(transactions(edge.files, name)) for name in done.manifest.files] == [5, 5]


def test_a_day_without_purchases_is_a_day(edge: Edge) -> None:
    edge.shop.purchases = []
    done = edge.extract().run()
    assert (done.manifest.purchases, done.manifest.accepted) == (0, 0)
    assert transactions(edge.files) == []


def test_an_unchanged_day_costs_one_request(edge: Edge) -> None:
    first = edge.extract().run()
    edge.shop.requested_pages.clear()
    second = edge.extract().run()
    assert (second.is_new, second.manifest) == (False, first.manifest)
    assert edge.shop.requested_pages == [1]
    assert edge.extract().run(force=True).is_new


def test_a_day_that_the_source_corrected_is_replaced(edge: Edge) -> None:
    edge.extract().run()
    edge.shop.purchases.append(a_line(10))
    done = edge.extract().run()
    assert done.is_new
    assert len(transactions(edge.files)) == 11
    assert edge.files.names(EXTRACT_FOLDER) == [".work", "day=2026-01-15"]
    assert edge.files.names(WORK) == []


MISMATCHES: dict[str, tuple[Spoil, str]] = {
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
    "another page than requested": (on_page(2, page=1), "answered page 1"),
    "totals that change midway": (
        on_page(2, total_purchases=11),
        "changed between page 1 and page 2",
    ),
    "pages that cannot be": (lambda page: page | {"pages": 9}, "9 pages of 4"),
}


@pytest.mark.parametrize("name", MISMATCHES)
def test_a_day_that_does_not_match_its_totals_is_never_published(edge: Edge, name: str) -> None:
    edge.shop.spoil, expected = MISMATCHES[name]
    with pytest.raises(SourceMismatch, match=expected) as refused:
        edge.extract().run()
    assert "run this again" in str(refused.value)
    assert not edge.files.exists(FOLDER)
    assert not edge.files.exists(f"{extract_work_folder(DAY)}/pages"), "the next run begins anew"

    edge.shop.spoil = lambda page: page
    assert edge.extract().run().manifest.accepted == 10


def test_a_refused_day_keeps_the_earlier_extract(edge: Edge) -> None:
    before = edge.extract().run().manifest
    edge.shop.purchases.append(a_line(10))
    edge.shop.spoil = MISMATCHES["an altered page"][0]
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
def test_another_shape_of_the_answer_is_reported(edge: Edge, name: str) -> None:
    edge.shop.spoil, expected = SHAPES[name]
    with pytest.raises(SourceChanged, match=expected) as refused:
        edge.extract().run()
    assert "nothing was written" in str(refused.value)
    assert not edge.files.exists(FOLDER)


@pytest.mark.parametrize(
    ("status", "sentence"), [(409, "not ended"), (425, "not ended"), (404, "no page 1")]
)
def test_an_unknown_or_open_day_is_refused(edge: Edge, status: int, sentence: str) -> None:
    edge.shop.spoil = lambda _: httpx.Response(status)
    with pytest.raises(NoSuchDay, match=sentence):
        edge.extract().run()
    assert edge.rests == []
    assert not edge.files.exists(FOLDER)


def test_a_wrong_key_is_not_tried_again(edge: Edge) -> None:
    edge.shop.spoil = lambda _: httpx.Response(401)
    with pytest.raises(SourceUnavailable, match="EXTRACT_SOURCE_API_KEY"):
        edge.extract().run()
    assert edge.shop.requested_pages == [1]


@pytest.mark.parametrize(
    "away",
    [httpx.ConnectError("refused"), httpx.ReadTimeout("slow"), httpx.Response(503)],
    ids=["down", "slow", "busy"],
)
def test_an_unavailable_source_ends_the_run_and_the_next_one_resumes(
    edge: Edge, away: httpx.HTTPError | httpx.Response
) -> None:
    edge.shop.spoil = lambda page: away if page["page"] == 3 else page
    with pytest.raises(SourceUnavailable, match=rf"page 3 of 2026-01-15 in {TRIES} tries"):
        edge.extract().run()
    assert edge.shop.requested_pages == [1, 2, *[3] * TRIES]
    assert edge.rests == sorted(edge.rests)
    assert len(edge.rests) == TRIES - 1
    assert not edge.files.exists(FOLDER)

    edge.shop.requested_pages.clear()
    edge.shop.spoil = lambda page: page
    assert edge.extract().run().manifest.accepted == 10
    assert edge.shop.requested_pages == [1, 3], "page 2 was cached"


def test_a_source_that_recovers_is_read_on(edge: Edge) -> None:
    answers = [httpx.Response(503), httpx.ReadTimeout("slow")]
    edge.shop.spoil = lambda page: answers.pop() if answers else page
    assert edge.extract().run().manifest.accepted == 10


def test_cached_pages_of_a_changed_day_are_discarded(edge: Edge) -> None:
    edge.shop.spoil = lambda page: httpx.Response(503) if page["page"] == 3 else page
    with pytest.raises(SourceUnavailable):
        edge.extract().run()
    edge.shop.purchases[0] = a_line(0, item_count=7)
    edge.shop.requested_pages.clear()
    edge.shop.spoil = lambda page: page
    assert edge.extract().run().manifest.accepted == 10
    assert edge.shop.requested_pages == [1, 2, 3]


def test_an_altered_cached_page_is_read_again(edge: Edge) -> None:
    edge.shop.spoil = lambda page: httpx.Response(503) if page["page"] == 3 else page
    with pytest.raises(SourceUnavailable):
        edge.extract().run()
    kept = f"{extract_work_folder(DAY)}/pages/00002.sealed"
    content = bytearray(content_of(edge.files, kept) or b"")
    content[40] ^= 1
    edge.files.write(kept, [bytes(content)])
    edge.shop.requested_pages.clear()
    edge.shop.spoil = lambda page: page
    assert edge.extract().run().manifest.accepted == 10
    assert edge.shop.requested_pages == [1, 2, 3]


def test_no_personal_data_is_in_the_lake_in_clear(edge: Edge) -> None:
    edge.shop.spoil = lambda page: httpx.Response(503) if page["page"] == 3 else page
    with pytest.raises(SourceUnavailable):
        edge.extract().run()
    kept = everything(edge.folder / "lake")
    edge.shop.spoil = lambda page: page
    edge.extract().run()
    for personal in (b"Mustermann", b"4111111111111111", b"192.0.2.17", b"customer-1"):
        assert personal not in kept
        assert personal not in everything(edge.folder / "lake")


def test_keys_of_unfinished_extracts_are_deleted_after_a_week(edge: Edge) -> None:
    edge.shop.spoil = lambda page: httpx.Response(503) if page["page"] == 3 else page
    with pytest.raises(SourceUnavailable):
        edge.extract().run()
    [key] = (edge.folder / "keys/extract").iterdir()
    made_on = datetime.fromtimestamp(key.stat().st_mtime, UTC).date()
    delete_old_keys(edge.folder / "keys", made_on)
    assert key.exists()
    delete_old_keys(edge.folder / "keys", date.fromordinal(made_on.toordinal() + 8))
    assert not key.exists()


def test_a_concurrent_extract_is_refused(edge: Edge) -> None:
    second: list[str] = []

    def during(page: dict[str, Any]) -> dict[str, Any]:
        if page["page"] == 2 and not second:
            with pytest.raises(DayLocked) as refused:
                replace_run(edge).run()
            second.append(str(refused.value))
        return page

    edge.shop.spoil = during
    assert edge.extract().run().manifest.accepted == 10
    assert "another extract of this day runs" in second[0]


def replace_run(edge: Edge) -> use_case.DayExtract:
    return Edge(edge.folder, FakeShop(edge.shop.purchases)).extract()


def test_a_lock_of_a_dead_process_is_ignored(edge: Edge) -> None:
    dead = edge.extract()
    dead.lease.acquire()
    extract = edge.extract()
    extract.lease.is_gone = lambda _: True
    assert extract.run().is_new


def test_a_lock_of_another_machine_is_respected_until_its_lease_ends(edge: Edge) -> None:
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


def test_an_empty_lock_expires(edge: Edge) -> None:
    edge.files.create(f"{extract_work_folder(DAY)}.lock", b"")
    extract = edge.extract()
    extract.lease.rest = lambda _: None
    assert extract.run().is_new


def test_a_run_that_lost_its_lock_does_not_publish(edge: Edge) -> None:
    extract = edge.extract()

    def steal(page: dict[str, Any]) -> dict[str, Any]:
        if page["page"] == 3:
            edge.files.write(
                f"{extract_work_folder(DAY)}.lock",
                [b'{"run_id":"other","process":"elsewhere:1","seen_at_ms":4102444800000}'],
            )
        return page

    edge.shop.spoil = steal
    with pytest.raises(DayLocked):
        extract.run()
    assert not edge.files.exists(FOLDER)


def test_a_kill_between_the_two_renames_loses_no_day(edge: Edge) -> None:
    edge.extract().run()
    edge.files.move(FOLDER, f"{extract_work_folder(DAY)}/old")
    assert not edge.extract().run().is_new
    assert manifest(edge.files).accepted == 10


def test_a_lake_in_safe_mode_ends_the_run_and_changes_nothing(edge: Edge) -> None:
    before = edge.extract().run().manifest
    edge.shop.purchases.append(a_line(10))
    files = edge.files

    def full(page: dict[str, Any]) -> dict[str, Any]:
        files.refusal = "HDFS is in safe mode" if page["page"] == 2 else ""
        return page

    edge.shop.spoil = full
    with pytest.raises(LakeUnavailable, match="safe mode"):
        edge.extract(files).run()
    assert manifest(edge.files) == before
