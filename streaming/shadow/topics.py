"""Check by Kafka's topic id that counts of the shadow continue in the topics that they began with.

A comparison and a canary's trial keep their own positions, which are those of no consumer group. So
the ids are kept with the positions: a comparison's among its counts, a canary's in its trial.
Positions before the start of a topic are no error: what retention removed is counted as not
compared.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Final

from fraudwatch.adapters.kafka_log.topic_check import TopicLog, check_ends, check_topic_id
from fraudwatch.application.promotion.canary_trial import CanaryTrial
from fraudwatch.domain.shadow import NOTHING_COMPARED, ShadowCounted
from fraudwatch.topics import FEATURE_TOPIC, FRAUD_TOPIC, TRANSACTION_TOPIC

LookUp = Callable[[str], TopicLog]
_RUNBOOK: Final = "see docs/runbooks/topic_changed.md"
# Next offsets by partition, by topic.
_Positions = Mapping[str, Mapping[int, int]]


def check_comparison(counted: Sequence[ShadowCounted], look_up: LookUp) -> str:
    """Check the counts of a comparison; return their value of the dimension TOPICS.

    Raises:
        TopicChanged: a topic was made anew, or lost what was compared.
        BrokerUnavailable: the broker does not answer.
    """
    name = counted[0].comparison_id
    positions = {
        FRAUD_TOPIC: _known({c.source_partition: c.position.verdict_offset for c in counted}),
        FEATURE_TOPIC: _known({c.source_partition: c.position.vector_offset for c in counted}),
        TRANSACTION_TOPIC: _after({c.source_partition: c.position.source_offset for c in counted}),
    }
    known = dict(pair.split("=") for part in counted for pair in part.topics.split())
    cure = f"{_RUNBOOK}; compare again from now on with ./fraudwatch shadow start"
    ids = _checked(positions, known, look_up, reader=f"comparison {name}", cure=cure)
    return " ".join(f"{topic}={topic_id}" for topic, topic_id in ids.items())


def check_trial(trial: CanaryTrial, look_up: LookUp, path: Path) -> dict[str, str]:
    """Check the positions of a canary's trial, whose file is ``path``; return the topics' ids.

    Raises as :func:`check_comparison`.
    """
    positions = {
        FRAUD_TOPIC: _known({n: one.verdict_offset for n, one in trial.positions.items()}),
        TRANSACTION_TOPIC: _after({n: one.source_offset for n, one in trial.positions.items()}),
    }
    cure = f"{_RUNBOOK}; to count the canary again from its start, remove {path}"
    return _checked(positions, trial.topic_ids, look_up, reader="the canary's guard", cure=cure)


def _checked(
    positions: _Positions, known: Mapping[str, str], look_up: LookUp, *, reader: str, cure: str
) -> dict[str, str]:
    found = {topic: look_up(topic) for topic in positions}
    for topic, log in found.items():
        check_topic_id(log, known.get(topic), reader=reader, cure=cure)
        check_ends(log, positions[topic], reader=reader, cure=cure)
    return {topic: log.topic_id for topic, log in found.items()}


def _known(offsets: Mapping[int, int]) -> dict[int, int]:
    return {number: at for number, at in offsets.items() if at != NOTHING_COMPARED}


def _after(offsets: Mapping[int, int]) -> dict[int, int]:
    return {number: at + 1 for number, at in _known(offsets).items()}
