"""Watch the triggers of a running query by polling Spark's progress reports."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from pyspark.sql.streaming.query import StreamingQuery

# Each poll calls the JVM; a listener would be called in every trigger and slow each down.
POLL_SECONDS = 1.0


@dataclass(frozen=True, slots=True)
class Trigger:
    """Trigger as Spark reports it."""

    seconds: Mapping[str, float]  # by Spark's own name of the part
    lag_messages: int  # in Kafka when the trigger was planned, and not part of it


def watch_triggers(query: StreamingQuery, on_trigger: Callable[[Trigger], None]) -> None:
    """Poll the newest trigger once a second in a thread, for as long as the query runs."""
    threading.Thread(target=_watch, args=(query, on_trigger), name="triggers", daemon=True).start()


def _watch(query: StreamingQuery, on_trigger: Callable[[Trigger], None]) -> None:
    last: int | None = None
    while query.isActive:
        progress = query.lastProgress
        if progress is not None and progress["batchId"] != last:
            last = progress["batchId"]
            on_trigger(trigger_of(progress))
        time.sleep(POLL_SECONDS)


def trigger_of(progress: Mapping[str, Any]) -> Trigger:
    """Convert Spark's progress report to a trigger."""
    behind = (source["metrics"] or {} for source in progress["sources"])
    return Trigger(
        seconds={name: ms / 1000 for name, ms in progress["durationMs"].items()},
        lag_messages=sum(int(one.get("maxOffsetsBehindLatest", 0)) for one in behind),
    )
