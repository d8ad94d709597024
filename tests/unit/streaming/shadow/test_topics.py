"""A comparison goes on only in the topics that it began with."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import pytest
from prometheus_client import REGISTRY

from fraudwatch.adapters.artefacts.candidate import Candidate
from fraudwatch.adapters.kafka_log.topic_check import TopicChanged, TopicLog
from fraudwatch.adapters.memory.shadow import MemoryShadowStore
from fraudwatch.domain.shadow import (
    Comparison,
    ShadowCounted,
    ShadowPosition,
)
from fraudwatch.samples import NOON_MS
from fraudwatch.topics import FEATURE_TOPIC, FRAUD_TOPIC, TRANSACTION_TOPIC
from streaming.shadow.loop import CandidateWatch, ShadowLoop
from streaming.shadow.topics import LookUp, check_comparison

IDS = {FRAUD_TOPIC: "f-1", FEATURE_TOPIC: "v-1", TRANSACTION_TOPIC: "t-1"}
ALL_IDS = "fraud_topic=f-1 feature_topic=v-1 transaction_topic=t-1"


def a_broker(ids: Mapping[str, str], *, end: int = 1_000) -> LookUp:
    return lambda topic: TopicLog(topic, ids[topic], {0: 600, 1: 600}, {0: end, 1: end})


def counts(topics: str = ALL_IDS, **offsets: int) -> list[ShadowCounted]:
    """Counts of one partition, and of one that has none yet."""
    counted = ShadowCounted("0123456789ab", 0, ShadowPosition(**offsets))
    counted.topics = topics
    return [counted, ShadowCounted("0123456789ab", 1)]


def test_counts_of_before_ids_were_kept_adopt_them_once() -> None:
    counted = counts("", verdict_offset=700)
    assert check_comparison(counted, a_broker(IDS)) == ALL_IDS
    assert check_comparison(counts(verdict_offset=700), a_broker(IDS)) == ALL_IDS


@pytest.mark.parametrize("topic", IDS)
@pytest.mark.parametrize("end", [10, 10**9])
def test_a_topic_made_anew_is_refused_whatever_its_length(topic: str, end: int) -> None:
    broker = a_broker(IDS | {topic: "another"}, end=end)
    text = rf"{topic} was made anew: its id is another.*topic_changed\.md.*fraudwatch shadow start"
    with pytest.raises(TopicChanged, match=text):
        check_comparison(counts(), broker)


@pytest.mark.parametrize(
    ("offsets", "topic"),
    [
        ({"verdict_offset": 1_001}, FRAUD_TOPIC),
        ({"vector_offset": 1_001}, FEATURE_TOPIC),
        ({"source_offset": 1_000}, TRANSACTION_TOPIC),
    ],
)
def test_a_position_beyond_the_end_is_refused(offsets: dict[str, int], topic: str) -> None:
    text = f"{topic}-0 ends at offset 1000, and comparison 0123456789ab continues at 1001"
    with pytest.raises(TopicChanged, match=text):
        check_comparison(counts(**offsets), a_broker(IDS))


def test_what_retention_removed_is_no_error() -> None:
    counted = counts(verdict_offset=3, vector_offset=3, source_offset=3)
    assert check_comparison(counted, a_broker(IDS)) == ALL_IDS


def test_a_refused_comparison_rests_until_another_begins(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture, tmp_path: Path
) -> None:
    comparison = Comparison(
        comparison_id="0123456789ab", started_at_ms=1, from_at_ms=NOON_MS, started_by="operator"
    )
    candidates = [Candidate(comparison=comparison)] * 3
    watch = CandidateWatch(tmp_path, serving=None)  # type: ignore[arg-type]  # nothing is loaded
    monkeypatch.setattr(watch, "current", lambda: candidates[0])
    opened = []

    def refuse(candidate: Candidate) -> list[object]:
        opened.append(candidate.comparison)
        raise TopicChanged("fraud_topic was made anew; compare again")

    loop = ShadowLoop(watch, MemoryShadowStore(), refuse, lambda: 0.0)  # type: ignore[arg-type]
    loop.stopping.set()
    loop.step()
    loop.step()
    assert opened == [comparison], "tried once"
    assert "compare again" in caplog.text
    for name in ("active", "candidate_usable"):
        assert REGISTRY.get_sample_value(f"fraudwatch_shadow_{name}") == 0
