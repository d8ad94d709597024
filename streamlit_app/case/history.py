"""Timeline of a customer's purchases, and the distances between them; pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import pairwise
from typing import Final

from fraudwatch.application.console.alerts import is_alert
from fraudwatch.domain.features.great_circle import great_circle_km
from fraudwatch.domain.messages.transaction import Transaction
from fraudwatch.domain.messages.verdict import Verdict
from fraudwatch.domain.money import amount_text
from streamlit_app.case.feature_words import duration_text
from streamlit_app.risk_marks import risk_word
from streamlit_app.view_models import (
    OUTCOME_WORDS,
    PAYMENT_WORDS,
    UNKNOWN,
    sentences,
)

# Below a minute, clock differences dominate the speed; as the detector's.
_SHORTEST_TRAVEL_SECONDS: Final = 60.0
_SAME_PLACE_KM: Final = 1.0


@dataclass(frozen=True, slots=True)
class TimelineRow:
    """One purchase of the timeline, as texts and numbers."""

    transaction: str
    at: datetime
    amount_eur: float
    amount: str
    merchant: str
    risk: str
    outcome: str
    payment: str
    reasons: str
    is_alert: bool
    is_case: bool
    latitude: float | None
    longitude: float | None

    @property
    def place(self) -> tuple[float, float] | None:
        """Latitude and longitude, where both are known."""
        if self.latitude is None or self.longitude is None:
            return None
        return self.latitude, self.longitude


@dataclass(frozen=True, slots=True)
class Leg:
    """Leg from one located purchase to the next."""

    latitude: float
    longitude: float
    next_latitude: float
    next_longitude: float
    distance: str
    took: str
    speed: str


def timeline(
    purchases: Sequence[Transaction], verdicts: Mapping[str, Verdict], case_id: str
) -> list[TimelineRow]:
    """List the purchases, newest first."""
    ordered = sorted(purchases, key=lambda one: (-one.event_at_ms, one.transaction_id))
    return [_timeline_row(one, verdicts.get(one.transaction_id), case_id) for one in ordered]


def legs(rows: Sequence[TimelineRow]) -> list[Leg]:
    """List the legs between consecutive purchases with known, different places."""
    located = sorted((row for row in rows if row.place), key=lambda row: row.at)
    pairs = pairwise(located)
    return [leg for here, there in pairs if (leg := _leg(here, there)) is not None]


def _timeline_row(one: Transaction, verdict: Verdict | None, case_id: str) -> TimelineRow:
    return TimelineRow(
        transaction=one.transaction_id,
        at=datetime.fromtimestamp(one.event_at_ms / 1_000, UTC),
        amount_eur=one.amount_eur_cents / 100,
        amount=amount_text(one.amount_minor, one.currency),
        merchant=one.merchant_id,
        risk=risk_word(verdict.risk if verdict else None),
        outcome=OUTCOME_WORDS[verdict.outcome] if verdict else UNKNOWN,
        payment=PAYMENT_WORDS[one.payment_status],
        reasons=sentences(verdict.reasons) if verdict and verdict.reasons else UNKNOWN,
        is_alert=verdict is not None and is_alert(verdict),
        is_case=one.transaction_id == case_id,
        latitude=one.purchase_latitude,
        longitude=one.purchase_longitude,
    )


def _leg(here: TimelineRow, there: TimelineRow) -> Leg | None:
    if here.place is None or there.place is None:
        return None
    km = great_circle_km(*here.place, *there.place)
    if km < _SAME_PLACE_KM:
        return None
    seconds = (there.at - here.at).total_seconds()
    hours = max(seconds, _SHORTEST_TRAVEL_SECONDS) / 3_600
    return Leg(
        *here.place,
        *there.place,
        distance=f"{km:,.0f} km",
        took=duration_text(seconds),
        speed=f"{km / hours:,.0f} km/h",
    )
