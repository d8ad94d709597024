"""Print alerts on a terminal: the newest ones of the topic, then those that arrive."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator, Mapping
from operator import itemgetter
from typing import Any, Final

from fraudwatch.adapters.kafka_log.ends import ends_of, starts_of
from fraudwatch.adapters.kafka_log.log import read_range
from fraudwatch.domain.instants import clock_of
from fraudwatch.settings import KafkaSettings
from fraudwatch.topics import FRAUD_TOPIC

MAX_RECENT, MAX_LIVE = 5, 10
POLL_SECONDS: Final = 2.0
# Alerts are rare: this many verdicts of each partition include some.
_VERDICTS_PER_PARTITION: Final = 2_000


def newest_alerts(kafka: KafkaSettings, live_seconds: float) -> Iterator[Mapping[str, Any]]:
    """Yield verdicts other than approve: the newest ones, oldest first, then those that arrive.

    It reads without a consumer group and commits nothing.

    Raises:
        TimeoutError: the broker stopped answering.
    """
    first, ends = starts_of(kafka, FRAUD_TOPIC), ends_of(kafka, FRAUD_TOPIC)
    starts = {n: max(first[n], end - _VERDICTS_PER_PARTITION) for n, end in ends.items()}
    recent = sorted(_alerts_between(kafka, starts, ends), key=itemgetter("decided_at_ms"))
    yield from recent[-MAX_RECENT:]
    yield from _live_alerts(kafka, ends, live_seconds)


def alert_line(verdict: Mapping[str, Any]) -> str:
    """Format one alert in one line, without personal data."""
    amount = verdict.get("amount_eur_cents")
    euros = f"{amount // 100}.{amount % 100:02d} EUR" if isinstance(amount, int) else ""
    reasons = verdict.get("reasons") or [{"text": ""}]
    decided_at_ms = verdict.get("decided_at_ms")
    clock = clock_of(decided_at_ms) if isinstance(decided_at_ms, int) else ""
    return (
        f"{clock:<8}  {verdict.get('risk', '?'):<8} {verdict.get('outcome', '?'):<9} "
        f"{euros:>14}  {reasons[0]['text']}"
    )


def _live_alerts(
    kafka: KafkaSettings, starts: Mapping[int, int], seconds: float
) -> Iterator[Mapping[str, Any]]:
    shown, deadline = 0, time.monotonic() + seconds
    while shown < MAX_LIVE and time.monotonic() < deadline:
        time.sleep(POLL_SECONDS)
        ends = ends_of(kafka, FRAUD_TOPIC)
        for alert in _alerts_between(kafka, starts, ends)[: MAX_LIVE - shown]:
            shown += 1
            yield alert
        starts = ends


def _alerts_between(
    kafka: KafkaSettings, starts: Mapping[int, int], ends: Mapping[int, int]
) -> list[Mapping[str, Any]]:
    longer = {n: end for n, end in ends.items() if end > starts.get(n, 0)}
    verdicts = (
        json.loads(message.value() or b"{}")
        for messages in read_range(kafka, FRAUD_TOPIC, longer, starts=starts)
        for message in messages
    )
    return [verdict for verdict in verdicts if verdict.get("outcome") != "approve"]
