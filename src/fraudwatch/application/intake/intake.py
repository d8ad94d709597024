"""Intake: admit and publish messages; refused ones become an error answer or a dead letter.

There are two channels. An API caller gets the errors, and its batch is refused as a whole; a feed
cannot be answered, so its bad messages are dead-lettered.
"""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import Future
from contextlib import contextmanager
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Final, Generic, TypeVar

from fraudwatch.application.ports import DeadLetters, NotDelivered, Publisher
from fraudwatch.domain.messages.dead_letter import Code, DeadLetter, Refused, Stage
from fraudwatch.domain.messages.fields import Problem
from fraudwatch.domain.messages.purchase_cleaning import FieldWarning
from fraudwatch.domain.privacy import is_other_content

Content = TypeVar("Content")
# Prefixes of the origin of a feed's message; a replay finds its target by them.
PURCHASE_FEED, CHARGEBACK_FEED = "feed", "chargebacks"
MAPPED_FEED_PREFIX: Final = "feed."
"""Followed by the name of a feed in another shape, as in ``feed.acme``."""
# Repeats this far back are recognised here; the detector knows each customer's own last ids.
_REMEMBERED_NAMES = 200_000
_NONE_STORED: Final[Mapping[str, str | None]] = MappingProxyType({})


@dataclass(frozen=True, slots=True)
class OutboundMessage:
    """Message to publish; one with a known name is a repeat, unless its content is another."""

    name: str
    key: str
    value: bytes
    content_hash: str | None = None


@dataclass(frozen=True, slots=True)
class FeedItem(Generic[Content]):
    """Message of a feed: its position, its bytes, and its decoded content or the refusal.

    ``warnings`` and ``ignored`` are about its unusable and its unknown fields.
    """

    origin: str
    payload: bytes
    content: Content | Refused
    warnings: tuple[FieldWarning, ...] = ()
    ignored: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class IngestResult:
    """Result of an ingested batch; everything counted here is acknowledged by the broker."""

    accepted: int
    repeated: int
    dead_lettered: tuple[DeadLetter, ...] = ()
    accepted_names: frozenset[str] = frozenset()


class RefusedBatch(Exception):
    """Some messages of a batch are refused, by position; none of the batch was accepted."""

    def __init__(self, refused: dict[int, Refused]) -> None:
        self.refused = refused
        super().__init__(f"{len(refused)} messages are refused; nothing of the batch was accepted")


class OtherContent(Exception):
    """Some messages have names that were accepted with other content; none was accepted."""

    def __init__(self, refused: dict[int, Refused], names: Sequence[str]) -> None:
        self.refused = refused
        self.names = tuple(names)
        super().__init__(f"{', '.join(names)}: accepted before with other content")


_OTHER_CONTENT = Refused(
    Code.OTHER_CONTENT, [Problem("id", "was accepted before with other content")]
)


@dataclass(slots=True)
class Intake(Generic[Content]):
    """Ingests one kind of message; a batch in order, and batches of several callers at once.

    ``admit`` builds the outbound message from a content and a time in epoch ms, or raises
    ``Refused``.
    """

    admit: Callable[[Content, int], OutboundMessage]
    topic: Publisher
    dead_letters: DeadLetters
    now_ms: Callable[[], int]
    _lock: threading.Lock = field(default_factory=threading.Lock)
    _recent: OrderedDict[str, str | None] = field(default_factory=OrderedDict)
    _publishing: dict[str, Future[None]] = field(default_factory=dict)

    def submit(
        self, contents: Sequence[Content], stored: Mapping[str, str | None] = _NONE_STORED
    ) -> IngestResult:
        """Ingest a batch of an API caller as a whole, or refuse it as a whole.

        ``stored`` has the content hashes of names that a store knows: repeats beside the recent.

        Raises:
            RefusedBatch: some messages are refused.
            OtherContent: some names were accepted before with other content.
            NotDelivered: the broker did not acknowledge; the same batch may be sent again.
        """
        results = [self._admitted(content) for content in contents]
        refused = {i: one for i, one in enumerate(results) if isinstance(one, Refused)}
        if refused:
            raise RefusedBatch(refused)
        messages = [one for one in results if isinstance(one, OutboundMessage)]
        with self._reserved(messages, stored, is_whole=True) as (fresh, others):
            if others:
                names = dict.fromkeys(messages[index].name for index in others)
                raise OtherContent(dict.fromkeys(others, _OTHER_CONTENT), list(names))
            return self._publish(fresh, repeated=len(messages) - len(fresh))

    def submit_feed(
        self,
        items: Sequence[FeedItem[Content]],
        stored: Mapping[str, str | None] = _NONE_STORED,
    ) -> IngestResult:
        """Ingest the good messages of a feed and dead-letter the others.

        ``stored`` is that of :meth:`submit`.

        Raises:
            NotDelivered: the broker did not acknowledge; the cursor must not move.
        """
        results = [self._admitted(one.content) for one in items]
        accepted = [i for i, one in enumerate(results) if isinstance(one, OutboundMessage)]
        messages = [one for one in results if isinstance(one, OutboundMessage)]
        with self._reserved(messages, stored) as (fresh, others):
            for index in others:
                results[accepted[index]] = _OTHER_CONTENT
            dead_letters = tuple(
                self._dead_letter(item, why)
                for item, why in zip(items, results, strict=True)
                if isinstance(why, Refused)
            )
            if dead_letters:
                self.dead_letters.put(dead_letters)
            result = self._publish(fresh, repeated=len(messages) - len(others) - len(fresh))
            return IngestResult(
                result.accepted, result.repeated, dead_letters, result.accepted_names
            )

    @contextmanager
    def _reserved(
        self,
        messages: Sequence[OutboundMessage],
        stored: Mapping[str, str | None] = _NONE_STORED,
        *,
        is_whole: bool = False,
    ) -> Iterator[tuple[dict[str, OutboundMessage], list[int]]]:
        """Reserve the new names of a batch until the block ends, and return what is in it.

        Nobody waits for another batch, except for a name of its own that is just being published:
        whether that is a repeat is known only afterwards.
        """
        done: Future[None] = Future()
        while True:
            with self._lock:
                busy = {
                    self._publishing[one.name] for one in messages if one.name in self._publishing
                }
                if not busy:
                    fresh, others = self._fresh(messages, stored)
                    names = [] if others and is_whole else list(fresh)
                    self._publishing.update(dict.fromkeys(names, done))
                    break
            for one in busy:
                one.result()
        try:
            yield fresh, others
        except NotDelivered as error:
            # A repeat of the same names would wait as long, and in vain.
            done.set_exception(type(error)(str(error)))
            raise
        finally:
            with self._lock:
                for name in names:
                    del self._publishing[name]
            if not done.done():
                done.set_result(None)

    def _admitted(self, content: Content | Refused) -> OutboundMessage | Refused:
        if isinstance(content, Refused):
            return content
        try:
            return self.admit(content, self.now_ms())
        except Refused as why:
            return why

    def _fresh(
        self, messages: Sequence[OutboundMessage], stored: Mapping[str, str | None] = _NONE_STORED
    ) -> tuple[dict[str, OutboundMessage], list[int]]:
        """Return new messages by name, and the positions of repeats with other content."""
        fresh: dict[str, OutboundMessage] = {}
        others: list[int] = []
        for index, one in enumerate(messages):
            if (earlier := fresh.get(one.name)) is not None:
                known = earlier.content_hash
            elif one.name in self._recent:
                known = self._recent[one.name]
            elif one.name in stored:
                known = stored[one.name]
            else:
                fresh[one.name] = one
                continue
            if is_other_content(known, one.content_hash):
                others.append(index)
        return fresh, others

    def _publish(self, fresh: Mapping[str, OutboundMessage], *, repeated: int) -> IngestResult:
        now_ms = self.now_ms()
        self.topic.publish([(one.key, one.value, now_ms) for one in fresh.values()])
        with self._lock:
            self._recent.update((name, one.content_hash) for name, one in fresh.items())
            while len(self._recent) > _REMEMBERED_NAMES:
                self._recent.popitem(last=False)
        return IngestResult(len(fresh), repeated, accepted_names=frozenset(fresh))

    def _dead_letter(self, item: FeedItem[Content], why: Refused) -> DeadLetter:
        return DeadLetter(
            code=why.code,
            stage=Stage.INGEST,
            origin=item.origin,
            reason=why.reason,
            payload=item.payload,
            at_ms=self.now_ms(),
        )
