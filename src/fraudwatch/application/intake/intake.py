"""Take messages in: admit, publish; what is refused becomes an answer or a dead letter.

Two doors lead here. A caller who waits is told what is wrong, and nothing of his batch is taken; a
feed cannot be answered, so its bad messages are put aside.
"""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Generic, TypeVar

from fraudwatch.application.ports import DeadLetters, Publisher
from fraudwatch.domain.messages.dead_letter import DeadLetter, Refused, Stage

Content = TypeVar("Content")
# What the origin of a feed's message begins with: a dead letter finds its way back by it.
PURCHASE_FEED, CHARGEBACK_FEED = "feed", "chargebacks"
# Repeats this far back are recognised at the door; the detector knows each customer's own last ids.
_REMEMBERED_NAMES = 200_000


@dataclass(frozen=True, slots=True)
class Outgoing:
    """What is published of an admitted message; one with a known name is a repeat."""

    name: str
    key: str
    value: bytes


@dataclass(frozen=True, slots=True)
class Offered(Generic[Content]):
    """One message of a feed: where it stood, its bytes, and what they decode to."""

    origin: str
    payload: bytes
    content: Content | Refused


@dataclass(frozen=True, slots=True)
class Taken:
    """What became of a batch; everything counted here is acknowledged by the broker."""

    accepted: int
    repeated: int
    put_aside: tuple[DeadLetter, ...] = ()
    accepted_names: frozenset[str] = frozenset()


class RefusedBatch(Exception):
    """Some messages of a batch are refused, by their place in it; none of it was taken."""

    def __init__(self, refused: dict[int, Refused]) -> None:
        self.refused = refused
        super().__init__(f"{len(refused)} messages are refused; nothing of the batch was taken")


@dataclass(slots=True)
class Intake(Generic[Content]):
    """The one way in for one kind of message; batches are taken one after the other, in order.

    ``admit`` makes of a message, at a time in epoch ms, what is published, or raises ``Refused``.
    """

    admit: Callable[[Content, int], Outgoing]
    topic: Publisher
    dead_letters: DeadLetters
    now_ms: Callable[[], int]
    _lock: threading.Lock = field(default_factory=threading.Lock)
    _recent: OrderedDict[str, None] = field(default_factory=OrderedDict)

    def take(self, contents: Sequence[Content]) -> Taken:
        """Take all of a batch or nothing of it.

        Raises:
            RefusedBatch: some messages are refused.
            NotDelivered: the broker did not acknowledge; the same batch may be given again.
        """
        with self._lock:
            results = [self._admitted(content) for content in contents]
            refused = {i: one for i, one in enumerate(results) if isinstance(one, Refused)}
            if refused:
                raise RefusedBatch(refused)
            return self._publish([one for one in results if isinstance(one, Outgoing)])

    def take_feed(self, offered: Sequence[Offered[Content]]) -> Taken:
        """Take what can be taken and put the rest aside.

        Raises:
            NotDelivered: the broker did not acknowledge; the cursor must not move.
        """
        with self._lock:
            results = [self._admitted(one.content) for one in offered]
            letters = tuple(
                self._letter(one, why)
                for one, why in zip(offered, results, strict=True)
                if isinstance(why, Refused)
            )
            if letters:
                self.dead_letters.put(letters)
            taken = self._publish([one for one in results if isinstance(one, Outgoing)])
            return Taken(taken.accepted, taken.repeated, letters, taken.accepted_names)

    def _admitted(self, content: Content | Refused) -> Outgoing | Refused:
        if isinstance(content, Refused):
            return content
        try:
            return self.admit(content, self.now_ms())
        except Refused as why:
            return why

    def _publish(self, messages: Sequence[Outgoing]) -> Taken:
        fresh: dict[str, Outgoing] = {}
        for one in messages:
            if one.name not in self._recent:
                fresh.setdefault(one.name, one)
        now_ms = self.now_ms()
        self.topic.publish([(one.key, one.value, now_ms) for one in fresh.values()])
        self._recent.update(dict.fromkeys(fresh))
        while len(self._recent) > _REMEMBERED_NAMES:
            self._recent.popitem(last=False)
        repeated = len(messages) - len(fresh)
        return Taken(len(fresh), repeated, accepted_names=frozenset(fresh))

    def _letter(self, offered: Offered[Content], why: Refused) -> DeadLetter:
        return DeadLetter(
            code=why.code,
            stage=Stage.INGEST,
            origin=offered.origin,
            reason=why.reason,
            payload=offered.payload,
            at_ms=self.now_ms(),
        )
