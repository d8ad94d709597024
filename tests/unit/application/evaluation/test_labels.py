from __future__ import annotations

import copy
import json
import math
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import polars as pl
import pytest

from fraudwatch.adapters.datasets import files as dataset_files
from fraudwatch.adapters.datasets.files import DatasetFile
from fraudwatch.adapters.datasets.labels import read_labelled_purchases
from fraudwatch.adapters.datasets.ledger import identity_of
from fraudwatch.adapters.datasets.mapping import WrongMapping, load_mapping
from fraudwatch.application.evaluation.ports import LabelledPurchases, keys_of
from fraudwatch.domain.money import Rate, RateTable
from fraudwatch.stack.home import ROOT
from tests.unit.application.evaluation.conftest import MAPPING, NEW_YEAR_MS, ROWS

if TYPE_CHECKING:
    from tests.unit.application.evaluation.conftest import Files, WriteFiles

REAL_DATA = ROOT.parent / "shared" / "data"
DAY_MS = 86_400_000
RATES = RateTable([Rate("2019-01-01", "USD", Decimal("1.25"))])


def truth_of(files: Files, **limits: int) -> LabelledPurchases:
    return read_labelled_purchases(files.labels, load_mapping(files.mapping), RATES, **limits)


def changed(**changes: Any) -> dict[str, Any]:
    return copy.deepcopy(MAPPING) | changes


def test_ids_cards_money_and_labels_are_those_of_the_file(write_files: WriteFiles) -> None:
    labelled = truth_of(write_files(ROWS))
    assert labelled.source == "test"
    assert labelled.transaction.tolist() == keys_of(f"test:t-a{i}" for i in range(1, 7)).tolist()
    assert labelled.card.tolist() == keys_of(["ann", "bob", "bob", "ann", "cy", "dee"]).tolist()
    assert labelled.eur_cents.tolist() == [1000, 50000, 30000, 2000, 20000, 500]
    assert labelled.is_fraud.tolist() == [False, True, True, False, True, False]
    assert labelled.event_at_ms[0] == NEW_YEAR_MS + 9 * 3_600_000


def test_ids_are_those_that_a_replay_sends(write_files: WriteFiles) -> None:
    files = write_files(ROWS[::-1])
    dataset = DatasetFile(files.labels, load_mapping(files.mapping))
    sent = [json.loads(body) for batch in dataset.batches(0, 4) for body in batch.bodies]
    ids = keys_of(f"{one['source']}:{one['id']}" for one in sent)
    assert ids.tolist() == truth_of(files).transaction.tolist()


def test_an_interval_begins_with_from_and_ends_before_until(write_files: WriteFiles) -> None:
    rows = [*ROWS, ROWS[0] | {"no": "a7", "when": "2020-01-03 00:00:00"}]
    labelled = truth_of(
        write_files(rows), from_ms=NEW_YEAR_MS + DAY_MS, until_ms=NEW_YEAR_MS + 2 * DAY_MS
    )
    assert labelled.transaction.tolist() == keys_of(["test:t-a3", "test:t-a4"]).tolist()


@pytest.mark.parametrize(
    ("values", "kind"), [([1, 0, None], pl.Int8), ([1.0, 0.0, 2.0], pl.Float64)]
)
def test_another_value_is_no_label(values: list[Any], kind: Any, write_files: WriteFiles) -> None:
    files = write_files(ROWS[:3])
    frame = pl.read_parquet(files.labels)
    frame.with_columns(pl.Series("fraud", values, kind)).write_parquet(files.labels)
    labelled = truth_of(files)
    assert labelled.is_fraud.tolist() == [True, False]
    assert labelled.unlabelled == 1


def test_a_repeated_id_counts_once_as_its_first(write_files: WriteFiles) -> None:
    labelled = truth_of(
        write_files([*ROWS, ROWS[1] | {"when": "2020-01-09 00:00:00", "fraud": "0"}])
    )
    assert len(labelled) == 6
    assert labelled.repeated == 1
    assert labelled.is_fraud.sum() == 3


def test_refused_rows_are_counted_by_reason(write_files: WriteFiles) -> None:
    rows = [ROWS[0], ROWS[1] | {"amt": -1.0}, ROWS[2] | {"when": "once"}]
    labelled = truth_of(write_files(rows))
    assert len(labelled) == 1
    assert labelled.refused == {
        "amount_minor (column amt) must lie between 0 and 10000000000000": 1
    }
    assert labelled.refused_frauds == 1
    assert labelled.without_time == 1


def test_money_is_converted_as_ingest_does_and_unknown_without_a_rate(
    write_files: WriteFiles,
) -> None:
    currencies = ("USD", "CHF", "XXX")
    rows = [row | {"currency": one} for row, one in zip(ROWS[:3], currencies, strict=True)]
    mapping = changed(fields=MAPPING["fields"] | {"currency": "{currency}"})
    labelled = truth_of(write_files(rows, mapping))
    assert len(labelled) == 2
    assert labelled.refused == {
        "currency (column currency) has no number of decimals in ISO 4217, so its amounts cannot"
        " be read": 1
    }
    assert labelled.eur_cents[0] == 800
    assert math.isnan(labelled.eur_cents[1])


@pytest.mark.parametrize(
    ("label", "sentence"),
    [
        (
            {"column": "who", "fraud": ["1"], "genuine": ["0"]},
            "label.column: must be listed under nev",
        ),
        ({"column": "fraud", "fraud": ["1"], "genuine": ["1"]}, "label: a value may not mean"),
        ({"column": "fraud", "fraud": ["1"]}, "label.genuine: Field required"),
        ({"column": "fraud", "fraud": [], "genuine": ["0"]}, "label.fraud: List should have"),
        ({"column": "fraud", "fraud": [1], "genuine": ["0"]}, "label.fraud.0: must be text"),
    ],
)
def test_a_wrong_label_is_named(
    label: dict[str, Any], sentence: str, write_files: WriteFiles
) -> None:
    with pytest.raises(WrongMapping) as refused:
        load_mapping(write_files(ROWS, changed(label=label)).mapping)
    assert sentence in str(refused.value)


def test_without_a_label_there_are_no_labelled_purchases(write_files: WriteFiles) -> None:
    with pytest.raises(WrongMapping, match="label: is missing"):
        truth_of(write_files(ROWS, changed(label=None)))


def test_a_missing_label_column_is_named(write_files: WriteFiles) -> None:
    label = MAPPING["label"] | {"column": "truth"}
    files = write_files(ROWS, changed(label=label, never_read=["truth"]))
    with pytest.raises(WrongMapping, match="has no column truth"):
        truth_of(files)


def test_replay_cannot_read_the_label(
    write_files: WriteFiles, monkeypatch: pytest.MonkeyPatch
) -> None:
    files = write_files(ROWS)
    loaded: list[str] = []
    real = dataset_files.scan

    def watched(path: Any, columns: list[str], *others: Any) -> pl.LazyFrame:
        loaded.extend(columns)
        return real(path, columns, *others)

    monkeypatch.setattr(dataset_files, "scan", watched)
    dataset = DatasetFile(files.labels, load_mapping(files.mapping))
    bodies = [body for batch in dataset.batches(0, 10) for body in batch.bodies]
    assert sorted(loaded) == ["amt", "no", "when", "who"]
    assert len(bodies) == 6
    assert all(set(json.loads(body)) == set(MAPPING["fields"]) for body in bodies)
    # Nor can a replay depend on it: the same purchases without any such column, and in its place.
    pl.read_parquet(files.labels).drop("fraud").write_parquet(files.labels)
    without = DatasetFile(files.labels, load_mapping(files.mapping))
    assert [body for batch in without.batches(0, 10) for body in batch.bodies] == bodies


def test_a_label_does_not_make_another_replay(write_files: WriteFiles) -> None:
    files = write_files(ROWS)
    mapping = load_mapping(files.mapping)
    unlabelled = mapping.model_copy(update={"label": None})
    assert identity_of([files.labels], mapping, None, None) == identity_of(
        [files.labels], unlabelled, None, None
    )


@pytest.mark.parametrize(
    ("name", "rows", "frauds", "cards"),
    [("sparkov", 306_460, 6_574, 700), ("handbook", 1_754_155, 14_681, 4_990)],
)
def test_the_published_sets_have_their_published_counts(
    name: str, rows: int, frauds: int, cards: int
) -> None:
    path = REAL_DATA / name / "transactions.parquet"
    if not path.exists():
        pytest.skip(f"the data set {name} is not beside this checkout")
    mapping = load_mapping(ROOT / "contracts" / "datasets" / f"{name}.yaml")
    labelled = read_labelled_purchases(path, mapping, RATES)
    assert (len(labelled), int(labelled.is_fraud.sum()), len(set(labelled.card.tolist()))) == (
        rows,
        frauds,
        cards,
    )
    assert (labelled.refused, labelled.unlabelled, labelled.repeated) == ({}, 0, 0)
