"""The guard of a canary: it counts once, survives a death, and rolls back by itself."""

from __future__ import annotations

import json
import random
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from prometheus_client import REGISTRY

from fraudwatch.adapters.artefacts.canary_file import canary_file
from fraudwatch.adapters.artefacts.canary_pointer import CanaryPointerFolder
from fraudwatch.adapters.artefacts.model_pointer import (
    CanaryPointer,
    Pointer,
    read_pointer,
    replace_pointer,
)
from fraudwatch.adapters.codecs.json_codec import encode
from fraudwatch.adapters.kafka_log.topic_check import TopicChanged, TopicLog
from fraudwatch.application.promotion.canary_trial import CanaryTrial, TrialUnavailable
from fraudwatch.domain.messages.audit import AuditAction
from fraudwatch.domain.messages.fields import problems
from fraudwatch.domain.messages.verdict import Mode, ModelScore, Outcome, Verdict
from fraudwatch.domain.models.fitted import ModelKind
from fraudwatch.samples import NOON_MS, a_verdict
from fraudwatch.topics import FRAUD_TOPIC, TRANSACTION_TOPIC
from streaming.shadow.canary import CanaryGuard
from streaming.shadow.topics import check_trial
from tests.policies import AuditRecorder
from tests.unit.streaming.shadow.conftest import FakeMessage, MemoryCursor

CHAMPION, CANARY, CALIBRATION = "a" * 64, "b" * 64, "c" * 64
POINTER = Pointer(
    {ModelKind.XGBOOST: CHAMPION},
    CALIBRATION,
    CanaryPointer(model=CANARY, calibration=CALIBRATION, share_ratio=0.2, started_at_ms=NOON_MS),
)


def a_scored(number: int, *, is_broken: bool = False) -> Verdict:
    """Verdict of one of 3,000 customers; a broken canary alerts on every third purchase."""
    customer = number % 3_000
    is_canary = customer % 5 == 0
    alerts_every = 3 if is_canary and is_broken else 101
    is_alert = number % alerts_every == 0
    return a_verdict(
        transaction_id=f"shop:{number}",
        customer_token=f"00000000_{customer:026}",
        outcome=Outcome.REVIEW if is_alert else Outcome.APPROVE,
        score=0.6 if is_alert else 0.002,
        mode=Mode.WITH_MODEL,
        model_scores=(ModelScore("fraud", (CANARY if is_canary else CHAMPION)[:12], 0.1),),
        calibration=CALIBRATION[:12],
        source_offset=number,
    )


@dataclass
class World:
    folder: Path
    verdicts: list[Verdict] = field(default_factory=list)
    audit: AuditRecorder = field(default_factory=AuditRecorder)
    topic_id: str = "old"
    topic_end: int = 20_000

    def __post_init__(self) -> None:
        self.trials = canary_file(self.folder / "canary.json")
        self.now_ms = NOON_MS
        replace_pointer(self.folder, POINTER)
        self.restart()

    def restart(self) -> None:
        messages = [FakeMessage(at, encode(one)) for at, one in enumerate(self.verdicts)]
        self.guard = CanaryGuard(
            CanaryPointerFolder(self.folder),
            self.trials,
            {0: MemoryCursor(messages, random.Random(3))},
            self.audit,
            self.now,
            max_messages=500,
            check_topics=lambda trial: check_trial(trial, self.look_up, self.trials.path),
        )

    def look_up(self, topic: str) -> TopicLog:
        return TopicLog(topic, self.topic_id, {0: 0}, {0: self.topic_end})

    def now(self) -> int:
        self.now_ms += 1_000
        return self.now_ms

    def step(self, times: int = 400) -> None:
        for _ in range(times):
            self.guard.step()

    def trial(self) -> CanaryTrial:
        found = self.trials.read()
        assert found is not None
        return found

    @property
    def canary(self) -> CanaryPointer | None:
        return read_pointer(self.folder).canary


def made(tmp_path: Path, count: int, **changes: Any) -> World:
    return World(tmp_path, [a_scored(number, **changes) for number in range(count)])


def test_both_groups_are_counted_once_despite_copies_and_a_death(tmp_path: Path) -> None:
    world = made(tmp_path, 9_000)
    world.verdicts[4_000:4_000] = world.verdicts[3_500:4_000]  # a batch published twice
    world.restart()
    world.step(25)
    world.restart()  # as after kill -9: what was not saved is read again
    world.step()
    trial = world.trial()
    assert (trial.of_canary.purchases, trial.of_champion.purchases) == (1_800, 7_200)
    assert trial.of_champion.total("alerts") == sum(
        one.outcome is not Outcome.APPROVE for one in map(a_scored, range(9_000))
        if one.model_scores[0].version == CHAMPION[:12]
    )  # fmt: skip
    assert world.canary is not None
    assert (trial.rolled_back_because, world.audit.records) == ("", [])


def test_a_canary_that_leaves_the_band_is_rolled_back_and_audited(tmp_path: Path) -> None:
    world = made(tmp_path, 9_000, is_broken=True)
    world.audit.is_down = True
    world.step()
    assert world.canary is None
    trial = world.trial()
    assert "alerts per purchase" in trial.rolled_back_because
    assert trial.of_canary.purchases < 1_500  # as soon as it is certain
    assert (trial.is_audited, world.audit.records) == (False, [])
    world.audit.is_down = False
    world.restart()
    world.step(3)
    [record] = world.audit.records
    assert (record.deed, record.by) == (AuditAction.CANARY_ROLLED_BACK, "canary-guard")
    assert problems(record) == []
    assert world.trial().is_audited
    at = REGISTRY.get_sample_value("fraudwatch_shadow_canary_rolled_back_at_seconds")
    assert at == pytest.approx((trial.ended_at_ms or 0) / 1000)


def test_a_death_between_record_and_roll_back_ends_it_at_the_next_start(tmp_path: Path) -> None:
    world = made(tmp_path, 9_000, is_broken=True)
    world.step()
    replace_pointer(tmp_path, POINTER)  # as if the pointer had not been reached
    world.restart()
    world.step(2)
    assert world.canary is None
    assert len(world.audit.records) == 1


def test_a_canary_ended_by_a_person_is_recorded_as_ended(tmp_path: Path) -> None:
    world = made(tmp_path, 2_000)
    world.step(50)
    replace_pointer(tmp_path, Pointer({ModelKind.XGBOOST: CHAMPION}, CALIBRATION))
    world.step(1)
    trial = world.trial()
    assert trial.ended_at_ms is not None
    assert trial.rolled_back_because == ""
    assert REGISTRY.get_sample_value("fraudwatch_shadow_canary_share_ratio") == 0


def test_verdicts_of_other_models_are_not_counted(tmp_path: Path) -> None:
    world = made(tmp_path, 0)
    world.verdicts = [
        a_verdict(source_offset=0),
        a_scored(1),
        a_verdict(
            source_offset=2, calibration="d" * 12, model_scores=(ModelScore("fraud", "d" * 12, 1),)
        ),
    ]
    world.restart()
    world.step(20)
    trial = world.trial()
    assert (trial.of_canary.purchases, trial.of_champion.purchases) == (0, 1)


def test_a_canary_is_not_counted_on_in_a_topic_made_anew(tmp_path: Path) -> None:
    world = made(tmp_path, 2_000)
    world.step(50)
    counted = world.trial().of_champion.purchases
    assert counted
    world.topic_id = "new"
    for _ in range(2):  # a restart does not help
        world.restart()
        text = r"fraud_topic was made anew: its id is new.*remove .*canary\.json"
        with pytest.raises(TopicChanged, match=text):
            world.step(1)
    assert world.trial().topic_ids == {FRAUD_TOPIC: "old", TRANSACTION_TOPIC: "old"}
    world.trials.path.unlink()
    world.restart()
    world.step(50)
    assert world.trial().of_champion.purchases == counted
    assert world.trial().topic_ids == {FRAUD_TOPIC: "new", TRANSACTION_TOPIC: "new"}


def test_a_canary_counted_beyond_the_end_of_its_topic_is_refused(tmp_path: Path) -> None:
    world = made(tmp_path, 2_000)
    world.step(50)
    world.topic_end = 5
    world.restart()
    with pytest.raises(TopicChanged, match=r"fraud_topic-0 ends at offset 5, and the canary's"):
        world.step(1)


def test_a_trial_of_before_ids_were_kept_adopts_them(tmp_path: Path) -> None:
    world = made(tmp_path, 2_000)
    world.step(50)
    document = json.loads(world.trials.path.read_bytes())
    del document["trial"]["topic_ids"]
    world.trials.path.write_text(json.dumps(document))
    world.restart()
    world.step(1)
    assert world.trial().topic_ids == {FRAUD_TOPIC: "old", TRANSACTION_TOPIC: "old"}


def test_a_damaged_file_is_named_with_its_cure(tmp_path: Path) -> None:
    (tmp_path / "canary.json").write_text("{")
    with pytest.raises(TrialUnavailable, match="remove the file"):
        canary_file(tmp_path / "canary.json").read()
