from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import pytest

from fraudwatch.application.ports import DiskFull
from fraudwatch.domain.disk_guard import DiskLimits
from streaming.ingest.full_disk import SLOWED_SECONDS, DiskGuardedTopic

LIMITS = DiskLimits(delete_below_bytes=40, slow_below_bytes=20, refuse_below_bytes=10)
MESSAGE = ("key", b"value", 1)


@dataclass
class World:
    """A topic on a disk whose free space the test sets."""

    free: int = 100
    published: list[tuple[str, bytes, int]] = field(default_factory=list)
    slept: list[float] = field(default_factory=list)
    now: float = 0.0

    def publish(self, messages: Sequence[tuple[str, bytes, int]]) -> None:
        self.published += messages

    def topic(self) -> DiskGuardedTopic:
        return DiskGuardedTopic(
            self, LIMITS, lambda: self.free, self.slept.append, lambda: self.now
        )


def test_ingest_slows_on_a_filling_disk_and_refuses_on_a_full_one() -> None:
    world = World()
    topic = world.topic()
    for free, slept, published in ((100, 0, 1), (30, 0, 2), (19, 1, 3)):
        world.free, world.now = free, world.now + 1.0
        topic.publish([MESSAGE])
        assert (len(world.slept), len(world.published)) == (slept, published)
    assert world.slept == [SLOWED_SECONDS]
    world.free, world.now = 9, world.now + 1.0
    with pytest.raises(DiskFull, match="the disk is full, so nothing was accepted"):
        topic.publish([MESSAGE])
    assert len(world.published) == 3
    world.free, world.now = 100, world.now + 1.0
    topic.publish([MESSAGE])
    assert len(world.published) == 4


def test_the_disk_is_looked_at_once_a_second() -> None:
    world = World()
    topic = world.topic()
    topic.publish([MESSAGE])
    world.free = 0
    topic.publish([MESSAGE])
    world.now = 1.0
    with pytest.raises(DiskFull):
        topic.publish([MESSAGE])
