"""Public data as the stream would have them: mapped as a replay maps them, in its order."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import polars as pl

from fraudwatch.adapters.codecs.message_frames import events_of
from fraudwatch.adapters.datasets.files import DatasetFile
from fraudwatch.adapters.datasets.labels import eur_cents_of, labels_of
from fraudwatch.adapters.datasets.mapping import Mapping, WrongMapping
from fraudwatch.domain.arrays import Bools, Float64s
from fraudwatch.domain.evaluation.labelled_scores import LabelledScores
from fraudwatch.domain.features.events import Events
from fraudwatch.domain.features.fold import fold
from fraudwatch.domain.features.state import CustomerState
from fraudwatch.domain.messages.purchase import transaction_id_of
from fraudwatch.domain.money import RateTable
from fraudwatch.domain.views.as_of import view_features_as_of
from fraudwatch.domain.views.past import LabelChanges, PastPurchases

_ABSENT_TEXTS = ("category", "device_token", "merchant_country")
_ABSENT_NUMBERS = (
    *(f"{what}_{axis}" for what in ("purchase", "billing", "shipping")
      for axis in ("latitude", "longitude")),
    "item_count",
)  # fmt: skip


class UnfitData(ValueError):
    """The file holds rows that the protocol has no place for."""


@dataclass(frozen=True, slots=True)
class Table:
    """Purchases in event order, and whether each was fraud."""

    events: Events
    is_fraud: Bools

    @property
    def judged(self) -> LabelledScores:
        """As what is measured takes it; the customer's one card is their name."""
        return LabelledScores(
            transaction=self.events.transaction_key,
            card=self.events.customer_key,
            event_at_ms=self.events.event_at_ms,
            eur_cents=self.events.amount_eur_cents.astype(np.float64),
            is_fraud=self.is_fraud,
        )

    def served(self, label_delay_ms: int) -> Float64s:
        """What the stream serves: the fold's features, then those of the hourly views.

        Every label is known so long after its purchase.
        """
        events, frauds = self.events, np.flatnonzero(self.is_fraud)
        past = PastPurchases(
            event_at_ms=events.event_at_ms,
            is_approved=events.is_approved,
            merchant_key=events.merchant_key,
            customer_key=events.customer_key,
            device_key=events.device_key,
            ip_network_key=np.zeros_like(events.device_key),
            amount_eur_cents=events.amount_eur_cents,
        )
        known_at_ms = events.event_at_ms[frauds] + label_delay_ms
        truths = LabelChanges(frauds, known_at_ms, np.ones(len(frauds), dtype=np.bool_))
        told = view_features_as_of(past, truths, label_delay_ms=label_delay_ms)
        return np.concatenate([fold(CustomerState(), events).features, told], axis=1)


def read_table(path: Path, mapping: Mapping, rates: RateTable) -> Table:
    """The purchases that a replay of the file sends, and their labels.

    Raises:
        UnreadableFile: no such file, or of no known kind.
        WrongMapping: it names no label, or a column that is not there.
        UnfitData: rows make no purchase or have no label.
    """
    if mapping.label is None:
        raise WrongMapping("label: is missing, so nothing says which rows are fraud")
    dataset, labels = DatasetFile(path, mapping), labels_of(path, mapping.label, mapping.separator)
    frames: list[pl.DataFrame] = []
    truths: list[pl.Series] = []
    for piece in dataset.slices():
        is_fraud = labels.gather(piece.numbers - 1)
        if piece.bad or is_fraud.null_count():
            raise UnfitData(
                f"{path.name}: {len(piece.bad)} rows make no purchase and {is_fraud.null_count()} "
                "have no label, so its figures would be of another table than the published; get "
                "it again as data/source_data.txt says"
            )
        frames.append(piece.purchases)
        truths.append(is_fraud)
    if not frames:
        raise UnfitData(f"{path.name} holds no purchase")
    return Table(events_of(_admitted(pl.concat(frames), rates)), pl.concat(truths).to_numpy())


def _admitted(purchases: pl.DataFrame, rates: RateTable) -> pl.DataFrame:
    """Purchases by the names that they have inside.

    Raises:
        UnfitData: there is no rate for some of them.
    """
    eur_cents = eur_cents_of(purchases, rates)
    if np.isnan(eur_cents).any():
        raise UnfitData("for some purchases there is no exchange rate, so ingest would refuse them")
    source, identity = purchases["source"][0], purchases["id"]
    absent = {name: pl.lit(None, pl.String) for name in _ABSENT_TEXTS}
    absent |= {name: pl.lit(None, pl.Float64) for name in _ABSENT_NUMBERS}
    return purchases.with_columns(
        pl.Series("transaction_id", [transaction_id_of(source, one) for one in identity]),
        pl.col("customer_id").alias("customer_token"),
        pl.Series("amount_eur_cents", eur_cents.astype(np.int64)),
        **{name: none for name, none in absent.items() if name not in purchases.columns},
    )
