"""Publish the last measured lag; a broker that is down leaves no figures, only that it is down."""

from __future__ import annotations

from collections.abc import Iterator

from prometheus_client.registry import Collector

from exporters.families import Family, family, single
from exporters.kafka_lag.lag import LagReport


class LagCollector(Collector):
    """Collects what was reported last; a scrape asks the broker nothing."""

    def __init__(self) -> None:
        self._report: LagReport | None = None

    def report(self, report: LagReport | None) -> None:
        """Replace the report; None while the broker does not answer."""
        self._report = report

    def collect(self) -> Iterator[Family]:
        """Return all families."""
        report = self._report
        yield single("fraudwatch_kafka_reachable", float(report is not None))
        lags = report.lags if report else ()
        yield family(
            "fraudwatch_consumer_lag_messages",
            [((one.group, one.topic), one.messages) for one in lags],
        )
        yield family(
            "fraudwatch_consumer_lag_seconds",
            [((one.group, one.topic), one.oldest_seconds) for one in lags],
        )
        yield family(
            "fraudwatch_consumer_retention_left_seconds",
            [((one.group, one.topic), one.retention_left_seconds) for one in lags],
        )
        totals = report.topic_messages if report else {}
        yield family(
            "fraudwatch_topic_messages_total",
            [((topic,), messages) for topic, messages in totals.items()],
        )
