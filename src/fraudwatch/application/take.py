"""Take purchases in: admit, publish; what is refused becomes an answer or a dead letter.

Two doors lead here. A caller who waits is told what is wrong, and nothing of his batch is taken; a
feed cannot be answered, so its bad messages are put aside.
"""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from fraudwatch.application.admit import Edge
from fraudwatch.application.ports import DeadLetters, Publisher
from fraudwatch.domain.dead_letter import DeadLetter, Refused, Stage
from fraudwatch.domain.purchase import Purchase
from fraudwatch.domain.transaction import Transaction

# Repeats this far back are recognised at the door; the detector knows each customer's own last ids.
_REMEMBERED_IDS = 200_000


@dataclass(frozen=True, slots=True)
class Offered:
    """One message of a feed: where it stood, its bytes, and what they decode to."""

    origin: str
    payload: bytes
    content: Purchase | Refused


@dataclass(frozen=True, slots=True)
class Taken:
    """What became of a batch; everything counted here is acknowledged by the broker."""

    accepted: int
    repeated: int
    put_aside: tuple[DeadLetter, ...] = ()


class RefusedBatch(Exception):
    """Some purchases of a batch are refused, by their place in it; none of it was taken."""

    def __init__(self, refused: dict[int, Refused]) -> None:
        self.refused = refused
        super().__init__(f"{len(refused)} purchases are refused; nothing of the batch was taken")


@dataclass(slots=True)
class Intake:
    """The one way in, for both doors; batches are taken one after the other, in order."""

    edge: Edge
    transactions: Publisher
    dead_letters: DeadLetters
    encode: Callable[[Transaction], bytes]
    now_ms: Callable[[], int]
    _lock: threading.Lock = field(default_factory=threading.Lock)
    _recent: OrderedDict[str, None] = field(default_factory=OrderedDict)

    def take(self, purchases: Sequence[Purchase]) -> Taken:
        """Take all of a batch or nothing of it.

        Raises:
            RefusedBatch: some purchases are refused.
            NotDelivered: the broker did not acknowledge; the same batch may be given again.
        """
        with self._lock:
            results = [self._admit(purchase) for purchase in purchases]
            refused = {i: one for i, one in enumerate(results) if isinstance(one, Refused)}
            if refused:
                raise RefusedBatch(refused)
            return self._publish([one for one in results if isinstance(one, Transaction)])

    def take_feed(self, offered: Sequence[Offered]) -> Taken:
        """Take what can be taken and put the rest aside.

        Raises:
            NotDelivered: the broker did not acknowledge; the cursor must not move.
        """
        with self._lock:
            results = [self._admit(one.content) for one in offered]
            letters = tuple(
                self._letter(one, why)
                for one, why in zip(offered, results, strict=True)
                if isinstance(why, Refused)
            )
            if letters:
                self.dead_letters.put(letters)
            taken = self._publish([one for one in results if isinstance(one, Transaction)])
            return Taken(taken.accepted, taken.repeated, letters)

    def _admit(self, content: Purchase | Refused) -> Transaction | Refused:
        if isinstance(content, Refused):
            return content
        try:
            return self.edge.admit(content, now_ms=self.now_ms())
        except Refused as why:
            return why

    def _publish(self, transactions: Sequence[Transaction]) -> Taken:
        fresh: dict[str, Transaction] = {}
        for one in transactions:
            if one.transaction_id not in self._recent:
                fresh.setdefault(one.transaction_id, one)
        now_ms = self.now_ms()
        self.transactions.publish(
            [(t.customer_token, self.encode(t), now_ms) for t in fresh.values()]
        )
        self._recent.update(dict.fromkeys(fresh))
        while len(self._recent) > _REMEMBERED_IDS:
            self._recent.popitem(last=False)
        return Taken(len(fresh), len(transactions) - len(fresh))

    def _letter(self, offered: Offered, why: Refused) -> DeadLetter:
        return DeadLetter(
            code=why.code,
            stage=Stage.INGEST,
            origin=offered.origin,
            reason=why.reason,
            payload=offered.payload,
            at_ms=self.now_ms(),
        )
