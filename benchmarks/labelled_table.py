"""Read a public data set as labelled transactions, mapped and ordered as a replay does."""

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
    """The file holds rows that the benchmark cannot use."""


@dataclass(frozen=True, slots=True)
class LabelledTable:
    """Transactions in event order and whether each was fraud."""

    events: Events
    is_fraud: Bools

    @property
    def purchases(self) -> LabelledScores:
        """Columns that the measures need; a customer has one card, so their key is the card's."""
        return LabelledScores(
            transaction=self.events.transaction_key,
            card=self.events.customer_key,
            event_at_ms=self.events.event_at_ms,
            eur_cents=self.events.amount_eur_cents.astype(np.float64),
            is_fraud=self.is_fraud,
        )

    def feature_vectors(self, label_delay_ms: int) -> Float64s:
        """Compute the stream's feature vectors: the fold's features, then the risk views'.

        Every label is known ``label_delay_ms`` after its purchase.
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
        changes = LabelChanges(frauds, known_at_ms, np.ones(len(frauds), dtype=np.bool_))
        view_features = view_features_as_of(past, changes, label_delay_ms=label_delay_ms)
        return np.concatenate([fold(CustomerState(), events).features, view_features], axis=1)


def read_table(path: Path, mapping: Mapping, rates: RateTable) -> LabelledTable:
    """Read the purchases that a replay of the file would send, and their labels.

    Raises:
        UnreadableFile: no such file, or of no known format.
        WrongMapping: it names no label, or a column that does not exist.
        UnfitData: rows make no purchase or have no label.
    """
    if mapping.label is None:
        raise WrongMapping("label: is missing, so no row can be labelled; add it to the mapping")
    dataset, labels = DatasetFile(path, mapping), labels_of(path, mapping.label, mapping)
    frames: list[pl.DataFrame] = []
    fraud_columns: list[pl.Series] = []
    for piece in dataset.slices():
        is_fraud = labels.gather(piece.numbers - 1)
        if piece.bad or is_fraud.null_count():
            raise UnfitData(
                f"{path.name}: {len(piece.bad)} rows make no purchase and {is_fraud.null_count()} "
                "have no label, so its figures could not be compared with the published ones; "
                "download it again as data/source_data.txt describes"
            )
        frames.append(piece.purchases)
        fraud_columns.append(is_fraud)
    if not frames:
        raise UnfitData(f"{path.name} holds no purchase, so there is nothing to measure")
    transactions = _as_transactions(pl.concat(frames), rates)
    # As in a stream without delay.
    events = events_of(transactions, transactions["event_at_ms"].to_numpy())
    return LabelledTable(events, pl.concat(fraud_columns).to_numpy())


def _as_transactions(purchases: pl.DataFrame, rates: RateTable) -> pl.DataFrame:
    """Convert purchases to the columns of transactions.

    Raises:
        UnfitData: there is no exchange rate for some of them.
    """
    eur_cents = eur_cents_of(purchases, rates)
    if np.isnan(eur_cents).any():
        raise UnfitData(
            "some purchases have no exchange rate, so ingest would refuse them; add their "
            "currency to contracts/rates/eur.csv"
        )
    source, identity = purchases["source"][0], purchases["id"]
    absent = {name: pl.lit(None, pl.String) for name in _ABSENT_TEXTS}
    absent |= {name: pl.lit(None, pl.Float64) for name in _ABSENT_NUMBERS}
    return purchases.with_columns(
        pl.Series("transaction_id", [transaction_id_of(source, one) for one in identity]),
        pl.col("customer_id").alias("customer_token"),
        pl.Series("amount_eur_cents", eur_cents.astype(np.int64)),
        **{name: none for name, none in absent.items() if name not in purchases.columns},
    )
