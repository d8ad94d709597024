from __future__ import annotations

import math
from pathlib import Path

import pytest

from exporters.kafka_lag import __main__ as kafka_lag
from exporters.kafka_lag.collecting import LagCollector
from exporters.kafka_lag.lag import Lag, LagReport, TopicLog, lags_of
from exporters.kafka_lag.message_times import MessageTimes
from fraudwatch.adapters.kafka_log.positions import Partition, TimedOffset
from fraudwatch.topics import TRANSACTION_TOPIC

NOW_MS = 1_800_000_000_000
HOUR_MS = 3_600_000
A0, A1, B0 = Partition("a", 0), Partition("a", 1), Partition("b", 0)
LOG = TopicLog(
    starts={A0: 10, A1: 0, B0: 0},
    ends={A0: 100, A1: 50, B0: 7},
    retention_ms={"a": 24.0 * HOUR_MS, "b": math.inf},
)


def lags(positions: dict[Partition, int], at_ms: int = NOW_MS - HOUR_MS) -> list[Lag]:
    """Compute lags where every message was produced at one time."""
    times = MessageTimes(
        lambda asked: {
            p: TimedOffset(0, at_ms) if since <= at_ms else None for p, since in asked.items()
        }
    )
    return list(lags_of("g", LOG, positions, times, NOW_MS))


def test_nothing_unread_is_no_lag_and_infinite_retention() -> None:
    (found,) = lags({A0: 100, A1: 50})
    assert (found.messages, found.oldest_seconds) == (0, 0.0)
    assert found.retention_left_seconds == math.inf


def test_lag_is_messages_and_the_age_of_the_oldest() -> None:
    (found,) = lags({A0: 90, A1: 50})
    assert found.messages == 10
    assert found.oldest_seconds == pytest.approx(3600, rel=0.011)
    assert found.retention_left_seconds == pytest.approx(23 * 3600, rel=0.011)


def test_a_partition_that_the_group_has_not_begun_is_unread() -> None:
    (found,) = lags({A1: 50})
    assert found.messages == 90


def test_retention_that_has_removed_unread_messages_leaves_nothing() -> None:
    (found,) = lags({A0: 4, A1: 50})
    assert found.messages == 96
    assert found.retention_left_seconds == 0


def test_topics_are_apart_and_unlimited_retention_is_infinite() -> None:
    first, second = lags({A0: 100, A1: 50, B0: 0})
    assert (first.topic, first.messages) == ("a", 0)
    assert (second.topic, second.messages) == ("b", 7)
    assert second.retention_left_seconds == math.inf


def test_a_broker_that_is_down_leaves_no_figures() -> None:
    collector = LagCollector()
    collector.report(LagReport(lags=(Lag(group="g", topic="a"),), topic_messages={"a": 3}))
    found = {s.name: s.value for f in collector.collect() for s in f.samples}
    assert found["fraudwatch_kafka_reachable"] == 1
    assert found["fraudwatch_topic_messages_total"] == 3
    assert found["fraudwatch_consumer_retention_left_seconds"] == math.inf
    collector.report(None)
    samples = [s for f in collector.collect() for s in f.samples]
    assert [(s.name, s.value) for s in samples] == [("fraudwatch_kafka_reachable", 0)]


def test_the_detectors_position_is_that_of_its_last_committed_batch(tmp_path: Path) -> None:
    settings = kafka_lag.KafkaLagSettings(state_folder=tmp_path)
    assert kafka_lag.detector_positions(settings) == {}
    for folder in ("offsets", "commits"):
        (tmp_path / "checkpoint" / folder).mkdir(parents=True)
    for batch, end in ((3, 40), (4, 60)):
        text = f'v1\n{{"batchTimestampMs":1}}\n{{"{TRANSACTION_TOPIC}":{{"0":{end},"1":5}}}}'
        (tmp_path / f"checkpoint/offsets/{batch}").write_text(text)
    (tmp_path / "checkpoint/commits/3").write_text("v1\n{}")
    assert kafka_lag.detector_positions(settings) == {
        "detector": {Partition(TRANSACTION_TOPIC, 0): 40, Partition(TRANSACTION_TOPIC, 1): 5}
    }
    (tmp_path / "checkpoint/commits/5").write_text("v1\n{}")
    assert kafka_lag.detector_positions(settings) == {}
