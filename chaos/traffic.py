"""Send purchases to ingest's API at an even rate, retrying each batch until acknowledged."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, field

from chaos.ledger import AcknowledgementLedger
from chaos.load import Load
from fraudwatch.adapters.edge.ingest_client import IngestApi
from fraudwatch.application.replay.pace import Pace
from fraudwatch.application.replay.ports import BatchRefused, RetryLater
from fraudwatch.domain.messages.purchase import Purchase
from fraudwatch.stack.home import StackError

BATCH_SECONDS = 0.1
GARBAGE_EVERY_BATCHES = 50
# Shorter than ingest's own retry time, to measure when it answers again.
RETRY_SECONDS = 0.25
# Ingest itself waits a minute for the broker before it answers 503, and a whole stack takes minutes
# to start on a small machine.
PATIENCE_SECONDS = 480.0


class RetryingIngestClient:
    """Client of ingest's API: acknowledged ids are in the ledger before the next request."""

    def __init__(
        self,
        api: IngestApi,
        ledger: AcknowledgementLedger,
        sending: Callable[[Sequence[Purchase]], None] | None = None,
    ) -> None:
        self._api, self._ledger, self._sending = api, ledger, sending
        self.abandoned = threading.Event()

    def send_until_acknowledged(self, purchases: Sequence[Purchase]) -> int:
        """Send a batch until it is acknowledged; returns the number of retries.

        Raises:
            StackError: ingest does not recover, or the run was abandoned.
            Refused: ingest refused the batch permanently.
        """
        bodies = [_body(purchase) for purchase in purchases]
        deadline, retries = time.monotonic() + PATIENCE_SECONDS, 0
        if self._sending is not None:
            self._sending(purchases)
        while True:
            try:
                self._api.send(bodies)
            except RetryLater as error:
                if self.abandoned.is_set() or time.monotonic() > deadline:
                    raise StackError(
                        f"ingest accepts no batch any more ({error}), so the run cannot go on; "
                        "see its log"
                    ) from error
                retries += 1
                time.sleep(RETRY_SECONDS)
            else:
                self._ledger.record([id_of(one) for one in purchases], now_ms())
                return retries


def id_of(purchase: Purchase) -> str:
    """Return the transaction id that ingest gives a purchase."""
    return f"{purchase.source}:{purchase.id}"


def now_ms() -> int:
    """Return the time in epoch ms."""
    return time.time_ns() // 1_000_000


def _body(purchase: Purchase) -> bytes:
    known = {name: value for name, value in asdict(purchase).items() if value is not None}
    return json.dumps(known).encode()


@dataclass(slots=True)
class Traffic:
    """Load that is sent until stopped; its counters can be read at any time."""

    client: RetryingIngestClient
    load: Load
    per_second: int
    batch_seconds: float = BATCH_SECONDS
    stopping: threading.Event = field(default_factory=threading.Event)
    sent: int = 0
    retries: int = 0
    refused_batches: int = 0

    def run(self) -> None:
        """Send until stopped; the last batch is acknowledged before it returns.

        Raises:
            StackError: ingest does not recover, or accepted a batch that it must refuse.
        """
        pace = Pace(self.per_second, clock=time.monotonic, sleep=time.sleep)
        count, batches = max(1, round(self.per_second * self.batch_seconds)), 0
        while not self.stopping.is_set():
            pace.wait(count)
            self.retries += self.client.send_until_acknowledged(self.load.batch(count, now_ms()))
            self.sent += count
            batches += 1
            if batches % GARBAGE_EVERY_BATCHES == 0:
                self._send_garbage()

    def _send_garbage(self) -> None:
        try:
            self.client.send_until_acknowledged(self.load.garbage(now_ms()))
        except BatchRefused:
            self.refused_batches += 1
        else:
            raise StackError(
                "ingest acknowledged a batch with a purchase that breaks the contract, so its "
                "validation does not work; see contracts/schemas/purchase.v1.json"
            )
