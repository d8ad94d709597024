"""What a running query says of its triggers, looked at now and then."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from pyspark.sql.streaming.query import StreamingQuery

# Each look asks the JVM; a listener would be called for every trigger and cost some of each.
LOOK_SECONDS = 1.0


@dataclass(frozen=True, slots=True)
class Trigger:
    """One trigger by Spark's account."""

    seconds: Mapping[str, float]  # by Spark's own name of the part
    behind_messages: int  # in Kafka when it was planned, and not in it


def watch_triggers(query: StreamingQuery, on_trigger: Callable[[Trigger], None]) -> None:
    """Look at the newest trigger once a second, beside the work, for as long as the query runs."""
    threading.Thread(target=_watch, args=(query, on_trigger), name="triggers", daemon=True).start()


def _watch(query: StreamingQuery, on_trigger: Callable[[Trigger], None]) -> None:
    seen: int | None = None
    while query.isActive:
        progress = query.lastProgress
        if progress is not None and progress["batchId"] != seen:
            seen = progress["batchId"]
            on_trigger(trigger_of(progress))
        time.sleep(LOOK_SECONDS)


def trigger_of(progress: Mapping[str, Any]) -> Trigger:
    """A trigger out of Spark's progress report."""
    behind = (source["metrics"] or {} for source in progress["sources"])
    return Trigger(
        seconds={name: ms / 1000 for name, ms in progress["durationMs"].items()},
        behind_messages=sum(int(one.get("maxOffsetsBehindLatest", 0)) for one in behind),
    )
