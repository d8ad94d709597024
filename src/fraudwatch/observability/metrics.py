"""The one list of metrics: name, kind, meaning, when to worry.

A process makes those it serves, once each.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from typing import Any, Final, TypeVar

from prometheus_client import Counter, Gauge, Histogram

from fraudwatch.observability.latencies import LatencyHistogram

Instrument = TypeVar("Instrument", Counter, Gauge, Histogram)

_LATENCY_SECONDS = (0.01, 0.02, 0.05, 0.1, 0.15, 0.25, 0.5, 1.0, 2.5, 5.0, 15.0, 60.0)


@dataclass(frozen=True, slots=True)
class Metric:
    """One name, what it means and when to worry about it."""

    kind: type[Any]
    meaning: str
    labels: tuple[str, ...] = ()


METRICS: Final[dict[str, Metric]] = {
    # Worry when it stands still: ingest no longer reads the feed.
    "fraudwatch_shop_requests": Metric(
        Counter, "Requests of the shop's readers, by endpoint", ("endpoint", "status")
    ),
    "fraudwatch_shop_purchases_told": Metric(
        Gauge, "Purchases that a reader of the feed can have by now, history included"
    ),
    # Worry when it falls behind the clock: readers then wait for a minute's making.
    "fraudwatch_shop_made_until_seconds": Metric(
        Gauge, "End of the newest minute that is made, epoch seconds; NaN before the first"
    ),
    # Worry when it stands still while the source is busy.
    "fraudwatch_ingest_accepted": Metric(Counter, "Purchases admitted and acknowledged"),
    "fraudwatch_ingest_repeated": Metric(Counter, "Purchases given again with a known id"),
    # Worry when it is more than a trickle: the source has changed.
    "fraudwatch_dead_letters": Metric(Counter, "Messages put aside", ("stage", "code")),
    # Worry when it grows: ingest cannot follow its source.
    "fraudwatch_ingest_feed_behind": Metric(Gauge, "Events the feed has and ingest has not"),
    "fraudwatch_ingest_labels": Metric(Counter, "Labels admitted and acknowledged"),
    "fraudwatch_ingest_repeated_labels": Metric(Counter, "Labels given again as they were"),
    "fraudwatch_ingest_chargebacks_behind": Metric(
        Gauge, "Chargebacks the feed has and ingest has not"
    ),
    # Worry when it grows with the calls that wait: verdicts come later than callers can.
    "fraudwatch_ingest_waits_timed_out": Metric(Counter, "Calls whose time to wait was too short"),
    # Worry when "limited" or "forbidden" is not 0: somebody looks behind more than work needs.
    "fraudwatch_ingest_reveals": Metric(
        Counter,
        "Wishes to look behind a token: shown, erased, altered, refused, forbidden, limited, "
        "unlogged",
        ("outcome",),
    ),
    "fraudwatch_detector_verdicts": Metric(Counter, "Verdicts acknowledged", ("risk",)),
    "fraudwatch_detector_repeats": Metric(Counter, "Transactions seen before, not judged again"),
    "fraudwatch_detector_batch_seconds": Metric(Histogram, "Judging one micro-batch, all of it"),
    # Worry when "publishing" fills its time: the broker sets the pace, not the judgement.
    "fraudwatch_detector_seconds": Metric(
        Counter,
        "Where a batch's time goes: reading, folding, looking_up, judging, encoding, publishing",
        ("phase",),
    ),
    # Looked at once a second; Spark's own names of a trigger's parts.
    "fraudwatch_detector_trigger_seconds": Metric(
        Gauge, "What the last trigger spent its time on, by Spark's own account", ("phase",)
    ),
    # Worry when it grows: the detector cannot follow ingest.
    "fraudwatch_detector_behind_messages": Metric(
        Gauge, "Transactions in Kafka that were not yet in the last trigger"
    ),
    # Worry when it passes a second: verdicts come late.
    "fraudwatch_detector_lag_seconds": Metric(
        Gauge, "Age of the last batch's oldest transaction when its judgement began"
    ),
    # From the edge's acknowledgement to the verdict's. Worry when p99 passes 0.25.
    "fraudwatch_event_to_verdict_seconds": Metric(LatencyHistogram, "Produced until judged"),
    # Worry when it falls behind the clock while ingest is busy: the detector cannot follow.
    "fraudwatch_detector_judged_until_seconds": Metric(
        Gauge, "When the newest judged transaction was produced, epoch seconds"
    ),
    # Worry when it is minutes old under load: a restart then folds that much from the log.
    "fraudwatch_detector_snapshot_at_seconds": Metric(
        Gauge, "When the newest snapshot was taken, epoch seconds"
    ),
    # Worry when it is 0: the file as it stands is broken and the policy before it still judges.
    "fraudwatch_detector_policy_usable": Metric(Gauge, "1 if the policy file can be used"),
    # Worry when it is 0: a model was pointed to that cannot be used, and the one before it, or
    # none, still scores. After an upgrade of the features it says: fit again.
    "fraudwatch_detector_models_usable": Metric(
        Gauge, "1 if the models that training points to can be used"
    ),
    # Worry when it is 0: what was published last cannot be used, and the views before it stay.
    "fraudwatch_detector_views_usable": Metric(
        Gauge, "1 if the published risk views can be used, or there are none"
    ),
    # Worry when it is over two hours behind the clock: the hourly job does not come through.
    "fraudwatch_detector_newest_view_seconds": Metric(
        Gauge, "End of the hour that the newest risk view knows, epoch seconds; 0 without one"
    ),
    "fraudwatch_detector_customers": Metric(Gauge, "Customers in the state"),
    "fraudwatch_persister_rows": Metric(Counter, "Messages written", ("topic",)),
    # Worry when it passes a second: alerts come late to the screen.
    "fraudwatch_event_to_row_seconds": Metric(Histogram, "Produced until its verdict is a row"),
    # Worry when it stays 1 for a minute: Cassandra is away, and nothing new reaches the screen.
    "fraudwatch_persister_paused": Metric(Gauge, "1 while the store is away and reading rests"),
    # Worry when "writing" fills its time (1 s a second): Cassandra sets the pace, and lag follows.
    "fraudwatch_persister_seconds": Metric(
        Counter,
        "Where time goes: polling, decoding, writing, dead_letters, committing, resting",
        ("phase",),
    ),
    # Rows over batches is the size of a batch. Worry when it stays at the most it may read.
    "fraudwatch_persister_batches": Metric(Counter, "Batches written and committed"),
    # Worry when it passes 5: alerts come late; 0 while nothing waits.
    "fraudwatch_persister_lag_seconds": Metric(
        Gauge, "Age of the oldest message read and not written yet", ("topic",)
    ),
    # Worry when it falls behind the clock while the topic is busy.
    "fraudwatch_persister_written_until_seconds": Metric(
        Gauge, "When the newest written message was produced, epoch seconds", ("topic",)
    ),
    # Worry when it stands still while verdicts are made: the patterns are of earlier.
    "fraudwatch_tally_verdicts": Metric(Counter, "Verdicts counted"),
    # A few after a restart of the detector or the tally. Worry when it grows beside
    # fraudwatch_tally_verdicts standing still: the topic began anew under counts of the old one.
    "fraudwatch_tally_copies": Metric(Counter, "Verdicts told again, not counted again"),
    # Worry when it is not 0; the persister has put the messages aside and says why.
    "fraudwatch_tally_unreadable": Metric(Counter, "Messages that hold no verdict to count"),
    # Worry when it stays 1 for a minute: Cassandra is away.
    "fraudwatch_tally_paused": Metric(Gauge, "1 while the store is away and reading rests"),
    # Worry when it passes 60: the patterns come late; 0 while nothing waits.
    "fraudwatch_tally_lag_seconds": Metric(
        Gauge, "Age of the oldest verdict read and not saved yet"
    ),
    # Worry when it falls behind the clock while the topic is busy.
    "fraudwatch_tally_counted_until_seconds": Metric(
        Gauge, "When the newest counted verdict was produced, epoch seconds"
    ),
    # Its count is how often the store was asked. Worry when p99 passes 1: the screen lags.
    "fraudwatch_console_query_seconds": Metric(
        Histogram, "What the console asks the store, answered or not", ("kind",)
    ),
    # Worry when it grows: Cassandra is away, and analysts see an old list.
    "fraudwatch_console_store_unavailable": Metric(
        Counter, "Questions that the store did not answer"
    ),
    "fraudwatch_console_alerts_shown": Metric(
        Gauge, "Alerts in the list that was drawn last; NaN before the first"
    ),
    # Worry when it is more than a typing error now and then: somebody guesses.
    "fraudwatch_console_sign_ins_refused": Metric(Counter, "Tries to log in", ("reason",)),
}


@cache
def counter(name: str) -> Counter:
    """The counter of this name."""
    return _made(Counter, name)


@cache
def gauge(name: str) -> Gauge:
    """The gauge of this name."""
    return _made(Gauge, name)


@cache
def histogram(name: str) -> Histogram:
    """The histogram of this name, in seconds."""
    return _made(Histogram, name, buckets=_LATENCY_SECONDS)


@cache
def latencies(name: str) -> LatencyHistogram:
    """The histogram of this name that takes whole batches, in seconds."""
    metric = _declared(LatencyHistogram, name)
    return LatencyHistogram(name, metric.meaning, _LATENCY_SECONDS)


def _made(kind: type[Instrument], name: str, **more: Any) -> Instrument:
    metric = _declared(kind, name)
    made: Instrument = kind(name, metric.meaning, metric.labels, **more)
    return made


def _declared(kind: type[Any], name: str) -> Metric:
    metric = METRICS[name]
    if metric.kind is not kind:
        raise TypeError(f"{name} is declared as a {metric.kind.__name__}, not a {kind.__name__}")
    return metric
