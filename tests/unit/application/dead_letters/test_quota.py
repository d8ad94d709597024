from __future__ import annotations

from pathlib import Path

import pytest

from fraudwatch.adapters.quota_folder import FOLDER, BrokenQuotaState, QuotaFolder
from fraudwatch.application.dead_letters.quota import (
    DETECTOR,
    DeadLetterQuota,
    SourcePaused,
    paused_of,
    resume,
)
from fraudwatch.domain.dead_letter_quota import QuotaLimits
from fraudwatch.domain.time_units import MINUTE_MS
from fraudwatch.samples import NOON_MS


class Clock:
    def __init__(self) -> None:
        self.now_ms = NOON_MS

    def __call__(self) -> int:
        return self.now_ms


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def states(tmp_path: Path) -> QuotaFolder:
    return QuotaFolder(tmp_path / FOLDER)


@pytest.fixture
def quota(states: QuotaFolder, clock: Clock) -> DeadLetterQuota:
    return a_quota(states, clock)


def a_quota(states: QuotaFolder, clock: Clock) -> DeadLetterQuota:
    return DeadLetterQuota(QuotaLimits(per_minute=100, share_ratio=0.2), states, clock)


def test_a_source_is_paused_durably_and_alone(
    quota: DeadLetterQuota, states: QuotaFolder, clock: Clock
) -> None:
    assert quota.count("feed", 400, 60) is None
    quota.require_running("feed")
    paused = quota.count("feed", 100, 60)
    assert paused is not None
    assert paused.reason == (
        "the source feed sends what cannot be accepted: 120 of 500 messages of a minute, more than "
        "100 and 20% were dead-lettered; it is not read on, and keeps its messages; see "
        "./fraudwatch dead-letters ls, then ./fraudwatch dead-letters resume feed"
    )
    quota.require_running("chargebacks")
    for one in (quota, a_quota(states, clock)):  # the second is that of the next process
        with pytest.raises(SourcePaused, match="resume feed"):
            one.require_running("feed")


def test_a_resumed_source_has_no_quota_for_a_while_and_then_one_again(
    quota: DeadLetterQuota, states: QuotaFolder, clock: Clock
) -> None:
    quota.count("feed", 200, 200)
    resume(states, "feed", now_ms=clock.now_ms, minutes=10)
    quota.require_running("feed")
    clock.now_ms += 9 * MINUTE_MS
    assert quota.count("feed", 2_000, 2_000) is None
    clock.now_ms += 2 * MINUTE_MS
    assert quota.count("feed", 100, 100) is None
    assert quota.count("feed", 1, 1) is not None
    assert [state.source for state in paused_of(states.listed())] == ["feed"]


def test_only_a_paused_source_can_be_resumed(quota: DeadLetterQuota, states: QuotaFolder) -> None:
    with pytest.raises(KeyError):
        resume(states, "feed", now_ms=NOON_MS, minutes=1)
    quota.count("feed", 200, 200)
    resume(states, "feed", now_ms=NOON_MS, minutes=1)
    with pytest.raises(KeyError):
        resume(states, "feed", now_ms=NOON_MS, minutes=1)


def test_each_reader_has_its_own_sentence(quota: DeadLetterQuota) -> None:
    of_key, of_detector = (quota.count(name, 200, 200) for name in ("key-k1", DETECTOR))
    assert of_key is not None
    assert of_key.reason.startswith("the API key k1 sent what cannot be accepted: 200 of 200")
    assert of_detector is not None
    assert "own code refused what ingest accepted" in of_detector.reason
    assert of_detector.reason.endswith("./fraudwatch dead-letters resume detector")


def test_a_broken_state_is_refused_with_the_cure(states: QuotaFolder, tmp_path: Path) -> None:
    (tmp_path / FOLDER).mkdir()
    (tmp_path / FOLDER / "feed.json").write_text("{")
    with pytest.raises(BrokenQuotaState, match="remove the file"):
        states.read("feed")
    with pytest.raises(ValueError, match="at most 80"):
        states.read("../feed")
