"""Sentences about a replay: its span of time, and what of it would be too late."""

from __future__ import annotations

from datetime import UTC, datetime

from fraudwatch.adapters.datasets.files import DatasetFile
from fraudwatch.domain.features.catalogue import TOO_LATE_MS
from fraudwatch.domain.time_units import DAY_MS


def iso(at_ms: int | None) -> str | None:
    """Format an instant, UTC; one outside the calendar as its count."""
    if at_ms is None:
        return None
    try:
        return datetime.fromtimestamp(at_ms / 1000, UTC).isoformat()
    except (ValueError, OverflowError, OSError):
        return f"{at_ms} ms since 1970"


def span(dataset: DatasetFile) -> str:
    """Describe between which instants the file's purchases are."""
    if dataset.span_ms is None:
        return "the file has no purchase"
    first, last = dataset.span_ms
    return f"the file's purchases are between {iso(first)} and {iso(last)}"


def too_late_sentence(dataset: DatasetFile, newest_other_ms: int | None) -> str | None:
    """Count the rows that are too late if their customer is among newer purchases sent before."""
    if newest_other_ms is None:
        return None
    rows = dataset.rows_before(newest_other_ms - TOO_LATE_MS)
    if not rows:
        return None
    return (
        f"{rows} of {dataset.count} rows are more than {TOO_LATE_MS // DAY_MS} days older than the"
        f" newest purchase of this source that was sent here, by replay, POST or feed"
        f" ({iso(newest_other_ms)}): those of customers who bought since are too late, and become"
        " dead letters. Replay older files first, or into a home of their own."
    )
