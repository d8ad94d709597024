"""Declare all metrics: name, kind, meaning, and in a comment the alert condition.

A process creates those that it exports, once each.
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
    """Kind, meaning and labels of one metric."""

    kind: type[Any]
    meaning: str
    labels: tuple[str, ...] = ()


METRICS: Final[dict[str, Metric]] = {
    # Alert when it stops increasing: ingest no longer reads the feed.
    "fraudwatch_shop_requests": Metric(
        Counter, "Requests of the shop's readers, by endpoint", ("endpoint", "status")
    ),
    "fraudwatch_shop_purchases_told": Metric(
        Gauge, "Purchases published by the feed by now, history included"
    ),
    # Alert when it is before the current time: readers then wait for a minute to be computed.
    "fraudwatch_shop_made_until_seconds": Metric(
        Gauge, "End of the newest precomputed minute, epoch seconds; NaN before the first"
    ),
    # Alert when it stops increasing while the source is busy.
    "fraudwatch_ingest_accepted": Metric(Counter, "Purchases accepted and acknowledged"),
    "fraudwatch_ingest_repeated": Metric(Counter, "Repeated purchases with a known id"),
    # Alert when it is more than a few: the source has changed.
    "fraudwatch_dead_letters": Metric(Counter, "Messages dead-lettered", ("stage", "code")),
    # Alert when it grows: ingest cannot follow its source.
    "fraudwatch_ingest_feed_behind": Metric(Gauge, "Lag of ingest behind the feed, in events"),
    "fraudwatch_ingest_labels": Metric(Counter, "Labels accepted and acknowledged"),
    "fraudwatch_ingest_repeated_labels": Metric(Counter, "Repeated, unchanged labels"),
    "fraudwatch_ingest_chargebacks_behind": Metric(
        Gauge, "Lag of ingest behind the chargebacks, in chargebacks"
    ),
    # Alert when it grows with the synchronous calls: verdicts come later than callers wait.
    "fraudwatch_ingest_waits_timed_out": Metric(Counter, "Synchronous calls that timed out"),
    # Alert when "limited" or "forbidden" is not 0: a person reveals more than work needs.
    "fraudwatch_ingest_reveals": Metric(
        Counter,
        "Requests to reveal sealed fields: shown, erased, altered, refused, forbidden, limited, "
        "unlogged",
        ("outcome",),
    ),
    "fraudwatch_detector_verdicts": Metric(Counter, "Verdicts acknowledged", ("risk",)),
    "fraudwatch_detector_repeats": Metric(Counter, "Repeated transactions, not scored again"),
    "fraudwatch_detector_batch_seconds": Metric(Histogram, "Time to score a micro-batch"),
    # Alert when "publishing" takes nearly all the time: the broker is the bottleneck.
    "fraudwatch_detector_seconds": Metric(
        Counter,
        "Time by phase: reading, folding, looking_up, judging, encoding, publishing",
        ("phase",),
    ),
    # Sampled once a second; phases are Spark's own names.
    "fraudwatch_detector_trigger_seconds": Metric(
        Gauge, "Time of the last trigger by phase, as measured by Spark", ("phase",)
    ),
    # Alert when it grows: the detector cannot follow ingest.
    "fraudwatch_detector_behind_messages": Metric(
        Gauge, "Transactions in Kafka that were not yet in the last trigger"
    ),
    # Alert when it is above a second: verdicts are late.
    "fraudwatch_detector_lag_seconds": Metric(
        Gauge, "Age of the last batch's oldest transaction when scoring began"
    ),
    # From ingest's acknowledgement to the verdict's. Alert when p99 is above 0.25.
    "fraudwatch_event_to_verdict_seconds": Metric(
        LatencyHistogram, "From production of the transaction to its verdict"
    ),
    # Alert when it is before the current time while ingest is busy: the detector cannot follow.
    "fraudwatch_detector_judged_until_seconds": Metric(
        Gauge, "When the newest scored transaction was produced, epoch seconds"
    ),
    # Alert when it is minutes old under load: a restart then folds that much from the log.
    "fraudwatch_detector_snapshot_at_seconds": Metric(
        Gauge, "Time of the newest snapshot, epoch seconds"
    ),
    # Alert when it is 0: the policy file is invalid and the previous policy stays active.
    "fraudwatch_detector_policy_usable": Metric(Gauge, "1 if the policy file is valid"),
    # Alert when it is 0: the champion cannot be used, and the previous model, or none, stays
    # active. After a new features version or label delay the model says nothing: fit again.
    "fraudwatch_detector_models_usable": Metric(
        Gauge, "1 if the models that training published can be used"
    ),
    # Alert when both are infinite while a model is active: the floors of rules fill the budget.
    "fraudwatch_detector_review_from_score": Metric(
        Gauge, "Score from which purchases are reviewed; infinite: by no score"
    ),
    "fraudwatch_detector_decline_from_score": Metric(
        Gauge, "Score from which purchases are declined; infinite: by no score"
    ),
    # Alert when it is 0: the newest views cannot be used, and the previous ones stay active; or
    # all of them are of another label delay, and none is used until the next one is built.
    "fraudwatch_detector_views_usable": Metric(
        Gauge, "1 if the published risk views can be used, or there are none"
    ),
    # Alert when it is more than two hours old: the hourly job does not succeed.
    "fraudwatch_detector_newest_view_seconds": Metric(
        Gauge, "End of the hour that the newest risk view includes, epoch seconds; 0 without one"
    ),
    "fraudwatch_detector_customers": Metric(Gauge, "Customers in the state"),
    "fraudwatch_persister_rows": Metric(Counter, "Messages written", ("topic",)),
    # Alert when it is above a second: alerts reach the console late.
    "fraudwatch_event_to_row_seconds": Metric(
        Histogram, "From production of the transaction to the row of its verdict"
    ),
    # Alert when it stays 1 for a minute: Cassandra is unavailable, the console gets nothing new.
    "fraudwatch_persister_paused": Metric(
        Gauge, "1 while the store is unavailable and consumption is paused"
    ),
    # Alert when "writing" takes nearly all the time (1 s a second): Cassandra is the bottleneck.
    "fraudwatch_persister_seconds": Metric(
        Counter,
        "Time by phase: polling, decoding, writing, dead_letters, committing, resting",
        ("phase",),
    ),
    # Rows over batches is the batch size. Alert when it stays at its maximum.
    "fraudwatch_persister_batches": Metric(Counter, "Batches written and committed"),
    # Alert when it is above 5: alerts are late; 0 while nothing waits.
    "fraudwatch_persister_lag_seconds": Metric(
        Gauge, "Age of the oldest message consumed and not written yet", ("topic",)
    ),
    # Alert when it is before the current time while the topic is busy.
    "fraudwatch_persister_written_until_seconds": Metric(
        Gauge, "When the newest written message was produced, epoch seconds", ("topic",)
    ),
    # Alert when it stops increasing while verdicts are published: the patterns are outdated.
    "fraudwatch_tally_verdicts": Metric(Counter, "Verdicts counted"),
    # A few after a restart of the detector or the tally. Alert when it grows while
    # fraudwatch_tally_verdicts does not: the topic was recreated under counts of the old one.
    "fraudwatch_tally_copies": Metric(Counter, "Repeated verdicts, not counted again"),
    # Alert when it is not 0; the persister has dead-lettered the messages with the reason.
    "fraudwatch_tally_unreadable": Metric(Counter, "Messages without a valid verdict"),
    # Alert when it stays 1 for a minute: Cassandra is unavailable.
    "fraudwatch_tally_paused": Metric(
        Gauge, "1 while the store is unavailable and consumption is paused"
    ),
    # Alert when it is above 60: the patterns are late; 0 while nothing waits.
    "fraudwatch_tally_lag_seconds": Metric(
        Gauge, "Age of the oldest verdict consumed and not saved yet"
    ),
    # Alert when it is before the current time while the topic is busy.
    "fraudwatch_tally_counted_until_seconds": Metric(
        Gauge, "When the newest counted verdict was produced, epoch seconds"
    ),
    # Its count is the number of queries. Alert when p99 is above 1: the console is slow.
    "fraudwatch_console_query_seconds": Metric(
        Histogram, "Time of the console's queries to the store, successful or not", ("kind",)
    ),
    # Alert when it grows: Cassandra is unavailable, and analysts work on an old list.
    "fraudwatch_console_store_unavailable": Metric(
        Counter, "Queries that the store did not answer"
    ),
    "fraudwatch_console_alerts_shown": Metric(
        Gauge, "Alerts in the list that was rendered last; NaN before the first"
    ),
    # Alert when it increases: a sender and the bridge disagree, and its metrics are missing.
    "statsd_bridge_bad_lines": Metric(Counter, "StatsD lines that the bridge refused"),
    # Alert when it is more than an occasional typing error: passwords are being guessed.
    "fraudwatch_console_sign_ins_refused": Metric(Counter, "Refused logins", ("reason",)),
}


@cache
def counter(name: str) -> Counter:
    """Return the counter of this name."""
    return _create(Counter, name)


@cache
def gauge(name: str) -> Gauge:
    """Return the gauge of this name."""
    return _create(Gauge, name)


@cache
def histogram(name: str) -> Histogram:
    """Return the histogram of this name, in seconds."""
    return _create(Histogram, name, buckets=_LATENCY_SECONDS)


@cache
def latencies(name: str) -> LatencyHistogram:
    """Return the histogram of this name that is updated by whole batches, in seconds."""
    metric = _declaration(LatencyHistogram, name)
    return LatencyHistogram(name, metric.meaning, _LATENCY_SECONDS)


def _create(kind: type[Instrument], name: str, **more: Any) -> Instrument:
    metric = _declaration(kind, name)
    created: Instrument = kind(name, metric.meaning, metric.labels, **more)
    return created


def _declaration(kind: type[Any], name: str) -> Metric:
    metric = METRICS[name]
    if metric.kind is not kind:
        raise TypeError(f"{name} is declared as a {metric.kind.__name__}, not a {kind.__name__}")
    return metric
