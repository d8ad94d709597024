"""The alerts that `demo` prints, read from the real broker."""

from __future__ import annotations

import time
import uuid
from collections.abc import Mapping
from typing import Any

import pytest

from fraudwatch.adapters.codecs.json_codec import encode
from fraudwatch.cli.alert_tail import newest_alerts
from fraudwatch.samples import a_purchase
from fraudwatch.stack.private_stack import PrivateStack
from tests.waiting import eventually

pytestmark = pytest.mark.engines


def test_an_existing_alert_is_shown(stack: PrivateStack) -> None:
    now_ms, name = time.time_ns() // 1_000_000, uuid.uuid4().hex
    expensive = a_purchase(source="shown", id=name, amount_minor=987_600, event_at_ms=now_ms)
    with stack.http("ingest", "INGEST_API_KEY") as ingest:
        answer = ingest.post("/v1/transactions", content=encode([expensive]))
    assert answer.status_code == 202, answer.text
    shown = eventually(
        lambda: shown_with(stack, f"shown:{name}"), within_seconds=60, what="the alert"
    )
    decided = [alert["decided_at_ms"] for alert in shown]
    assert decided == sorted(decided)


def shown_with(stack: PrivateStack, transaction_id: str) -> list[Mapping[str, Any]]:
    """Return the newest alerts once this one is among them, else an empty list."""
    shown = list(newest_alerts(stack.kafka("admin"), live_seconds=0))
    return shown if transaction_id in [alert["transaction_id"] for alert in shown] else []
