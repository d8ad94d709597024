"""Case links are looked for around the case, whenever it was."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from fraudwatch.adapters.memory.casework import MemoryCases
from fraudwatch.adapters.memory.verdict_store import MemoryVerdictStore
from fraudwatch.application.console.casework import Shared
from fraudwatch.domain.instants import epoch_ms_of
from fraudwatch.samples import a_token, a_transaction, a_verdict
from streamlit_app.case.queries import purchases_sharing

NOW = datetime(2026, 3, 1, 12, 30, tzinfo=UTC)
CARD = a_token("c")


@pytest.mark.parametrize(
    ("case_at", "days_from_case", "is_found"),
    [
        (NOW, 0, True),
        (NOW, -89.9, True),
        (NOW, -92, False),
        (NOW - timedelta(days=30), 29.9, True),
        # A replayed case of years ago: its neighbours after it are found, and only they.
        (datetime(2019, 5, 1, tzinfo=UTC), 89.9, True),
        (datetime(2019, 5, 1, tzinfo=UTC), -89.9, True),
        (datetime(2019, 5, 1, tzinfo=UTC), 91, False),
        (datetime(2019, 5, 1, tzinfo=UTC), -92, False),
    ],
)
def test_links_are_within_ninety_days_of_the_case(
    case_at: datetime, days_from_case: float, *, is_found: bool
) -> None:
    store = MemoryVerdictStore()
    case = a_verdict(event_at_ms=epoch_ms_of(case_at))
    other = a_transaction(
        transaction_id="shop:other",
        card_token=CARD,
        event_at_ms=epoch_ms_of(case_at + timedelta(days=days_from_case)),
    )
    store.write([], [other])
    found = purchases_sharing(MemoryCases(store), case, (Shared.CARD, CARD), now=NOW, limit=9)
    assert found == ([other] if is_found else [])


def test_a_case_that_a_clock_ahead_of_ours_dated_is_found_itself() -> None:
    store = MemoryVerdictStore()
    at_ms = epoch_ms_of(NOW + timedelta(minutes=5))
    store.write([], [a_transaction(card_token=CARD, event_at_ms=at_ms)])
    case = a_verdict(event_at_ms=at_ms)
    assert purchases_sharing(MemoryCases(store), case, (Shared.CARD, CARD), now=NOW, limit=9)
