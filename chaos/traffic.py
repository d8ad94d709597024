"""Purchases through the front door at an even rate, each batch until it is acknowledged."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field

from chaos.ledger import Ledger
from chaos.load import Load
from fraudwatch.adapters.edge.ingest_client import IngestApi
from fraudwatch.application.replay.pace import Pace
from fraudwatch.application.replay.ports import Refused, RetryLater
from fraudwatch.domain.messages.purchase import Purchase
from fraudwatch.stack.place import Unusable

BATCH_SECONDS = 0.1
GARBAGE_EVERY_BATCHES = 50
# Shorter than the edge asks for: what is measured is when it answers again.
RETRY_SECONDS = 0.25
# The edge itself waits a minute for the broker before it says: not now.
PATIENCE_SECONDS = 240.0


class Door:
    """The edge's API: whatever it acknowledges is in the ledger before anything else is sent."""

    def __init__(self, api: IngestApi, ledger: Ledger) -> None:
        self._api, self._ledger = api, ledger
        self.abandoned = threading.Event()

    def deliver(self, purchases: Sequence[Purchase]) -> int:
        """Send a batch, the same one again and again, until it is acknowledged; returns retries.

        Raises:
            Unusable: the edge does not come back, or nobody waits for it any more.
            Refused: nothing of it was taken, for good.
        """
        bodies = [_body(purchase) for purchase in purchases]
        deadline, retries = time.monotonic() + PATIENCE_SECONDS, 0
        while True:
            try:
                self._api.send(bodies)
            except RetryLater as not_now:
                if self.abandoned.is_set() or time.monotonic() > deadline:
                    raise Unusable(f"ingest took nothing any more: {not_now}") from not_now
                retries += 1
                time.sleep(RETRY_SECONDS)
            else:
                self._ledger.accept([id_of(one) for one in purchases], now_ms())
                return retries


def id_of(purchase: Purchase) -> str:
    """The transaction id that the edge gives it."""
    return f"{purchase.source}:{purchase.id}"


def now_ms() -> int:
    """The clock of everything that is sent."""
    return time.time_ns() // 1_000_000


def _body(purchase: Purchase) -> bytes:
    known = {name: value for name, value in asdict(purchase).items() if value is not None}
    return json.dumps(known).encode()


@dataclass(slots=True)
class Traffic:
    """A load that goes on until it is stopped; what it counted can be read at any time."""

    door: Door
    load: Load
    per_second: int
    stopping: threading.Event = field(default_factory=threading.Event)
    sent: int = 0
    retries: int = 0
    refused_batches: int = 0

    def run(self) -> None:
        """Send until told to stop; the batch in hand is acknowledged before it returns.

        Raises:
            Unusable: the edge does not come back, or took what it must refuse.
        """
        pace = Pace(self.per_second, clock=time.monotonic, sleep=time.sleep)
        count, batches = max(1, round(self.per_second * BATCH_SECONDS)), 0
        while not self.stopping.is_set():
            pace.wait(count)
            self.retries += self.door.deliver(self.load.batch(count, now_ms()))
            self.sent += count
            batches += 1
            if batches % GARBAGE_EVERY_BATCHES == 0:
                self._offer_garbage()

    def _offer_garbage(self) -> None:
        try:
            self.door.deliver(self.load.garbage(now_ms()))
        except Refused:
            self.refused_batches += 1
        else:
            raise Unusable("ingest acknowledged a batch with a purchase that breaks the contract")
