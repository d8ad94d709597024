"""Read the labels of a data file, for the purchases that a replay of it sends.

The purchases come from the replay's own code, so their ids match the verdicts. The label column is
read only here: by row number, and never together with a purchase's columns.
"""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import numpy as np
import polars as pl

from fraudwatch.adapters.datasets.batches import Slice
from fraudwatch.adapters.datasets.columns import text_of
from fraudwatch.adapters.datasets.files import DatasetFile
from fraudwatch.adapters.datasets.layout import Layout
from fraudwatch.adapters.datasets.mapping import Mapping, WrongMapping
from fraudwatch.adapters.datasets.mapping_keys import LabelColumns
from fraudwatch.adapters.datasets.tables import readable, scan
from fraudwatch.adapters.datasets.templates import ROW_NUMBER
from fraudwatch.application.evaluation.ports import LabelledPurchases, key_bytes, keys_from
from fraudwatch.application.replay.ports import BadRow
from fraudwatch.domain.arrays import Float64s
from fraudwatch.domain.money import MissingRate, RateTable, UnknownCurrency


def read_labelled_purchases(
    path: Path,
    mapping: Mapping,
    rates: RateTable,
    *,
    from_ms: int | None = None,
    until_ms: int | None = None,
) -> LabelledPurchases:
    """Read every labelled purchase of a file, in the order in which a replay sends them.

    Raises:
        UnreadableFile: no such file, or an unknown file type.
        WrongMapping: the mapping has no ``label``, or a named column is missing.
    """
    if mapping.label is None:
        raise WrongMapping(
            "label: is missing, so it is unknown which rows are fraud; see"
            " contracts/datasets/README.md"
        )
    is_fraud = labels_of(path, mapping.label, mapping)
    dataset = DatasetFile(path, mapping, from_ms=from_ms, until_ms=until_ms)
    collector = _LabelledPurchasesCollector(mapping.fields["source"], rates)
    for piece in dataset.slices():
        collector.add(piece, is_fraud.gather(piece.numbers - 1))
    return collector.finished(len(dataset.without_time))


def labels_of(path: Path, label: LabelColumns, layout: Layout) -> pl.Series:
    """Return for every row whether it is fraud; null without a label."""
    table = scan(path, [label.column], layout)
    text = text_of(f"{{{label.column}}}", table.frame.collect_schema())
    known = (
        pl.when(text.is_in(label.fraud))
        .then(pl.lit(value=True))
        .when(text.is_in(label.genuine))
        .then(pl.lit(value=False))
    )
    with readable(path, layout):
        rows = table.frame.select(ROW_NUMBER, known.alias("is_fraud")).collect()
    return rows["is_fraud"]


class _LabelledPurchasesCollector:
    """Collects labelled purchases, slice by slice."""

    def __init__(self, source: str, rates: RateTable) -> None:
        self._source, self._rates = source, rates
        self._transaction, self._card = bytearray(), bytearray()
        self._columns: list[pl.DataFrame] = []
        self._euros: list[Float64s] = []
        self._refused: Counter[str] = Counter()
        self._refused_frauds = 0
        self._unlabelled = 0

    def add(self, piece: Slice, is_fraud: pl.Series) -> None:
        """Add a slice with the labels of its rows; null is no label."""
        self._unlabelled += is_fraud.null_count()
        self._refuse(piece.bad, is_fraud)
        is_good = is_fraud.is_not_null().to_numpy(writable=True)
        is_good[list(piece.bad)] = False
        good = piece.purchases.with_columns(is_fraud.alias("is_fraud")).filter(pl.Series(is_good))
        for identity, customer in zip(good["id"], good["customer_id"], strict=True):
            self._transaction += key_bytes(f"{self._source}:{identity}")
            self._card += key_bytes(customer)
        self._columns.append(good.select("event_at_ms", "is_fraud"))
        self._euros.append(eur_cents_of(good, self._rates))

    def _refuse(self, bad: dict[int, BadRow], is_fraud: pl.Series) -> None:
        for position, row in bad.items():
            if is_fraud[position] is not None:
                self._refused[f"{row.what} {row.reason}"] += 1
                self._refused_frauds += bool(is_fraud[position])

    def finished(self, without_time: int) -> LabelledPurchases:
        """Return all purchases added; of rows with one id the first."""
        transaction, card = keys_from(self._transaction), keys_from(self._card)
        first = np.sort(np.unique(transaction, return_index=True)[1])
        empty = pl.DataFrame(schema={"event_at_ms": pl.Int64, "is_fraud": pl.Boolean})
        columns = pl.concat([empty, *self._columns])
        return LabelledPurchases(
            source=self._source,
            transaction=transaction[first],
            card=card[first],
            event_at_ms=columns["event_at_ms"].to_numpy()[first],
            eur_cents=np.concatenate([np.empty(0), *self._euros])[first],
            is_fraud=columns["is_fraud"].to_numpy()[first],
            refused=dict(self._refused),
            refused_frauds=self._refused_frauds,
            unlabelled=self._unlabelled,
            repeated=len(transaction) - len(first),
            without_time=without_time,
        )


def eur_cents_of(purchases: pl.DataFrame, rates: RateTable) -> Float64s:
    """Convert to euro cents like ingest; NaN without decimals or a rate."""
    day = purchases["event_at_ms"].cast(pl.Datetime("ms")).dt.strftime("%Y-%m-%d")
    rows = zip(purchases["amount_minor"], purchases["currency"], day, strict=True)
    return np.array([_to_eur(rates, *row) for row in rows], dtype=np.float64)


def _to_eur(rates: RateTable, amount_minor: int, currency: str, day: str) -> float:
    try:
        return float(rates.to_eur(amount_minor, currency, day).eur_cents)
    except (MissingRate, UnknownCurrency):
        return float("nan")
