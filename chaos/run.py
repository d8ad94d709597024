"""The whole proof: load, faults, drain, count. Each part works on a stack that others use, too."""

from __future__ import annotations

import itertools
import json
import subprocess
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import closing, contextmanager
from dataclasses import asdict, dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

from chaos.faults import Fault, Kind
from chaos.findings import Findings
from chaos.ledger import Ledger
from chaos.load import Load
from chaos.traffic import Door, Traffic, id_of, now_ms
from chaos.verdict_rows import StoredVerdicts
from chaos.victims import Victims
from fraudwatch.adapters.edge.ingest_client import IngestApi, IngestEndpoint
from fraudwatch.domain.messages.purchase import Purchase
from fraudwatch.samples import a_purchase
from fraudwatch.stack.environments import Say
from fraudwatch.stack.place import Unusable
from fraudwatch.stack.private_stack import PrivateStack

# So many different customers are in every partition, as sure as anything is.
PROBES = 16
# The backlog of an outage comes first; a small busy machine needs minutes for it.
ROW_SECONDS = 300.0
READ_BACK_SECONDS = 600.0
_LOOK_SECONDS = 0.2


@dataclass(frozen=True, slots=True)
class Recovery:
    """How long it took: until the service answered, and until new purchases had their rows."""

    service: str
    fault: str
    ready_seconds: float
    seconds: float


@dataclass(frozen=True, kw_only=True)
class Proof:
    """One stack, one ledger, one source of purchases."""

    stack: PrivateStack
    folder: Path
    traffic: Traffic
    door: Door
    say: Say
    recoveries: list[Recovery] = field(default_factory=list)
    _probes: Iterator[int] = field(default_factory=itertools.count)

    @cached_property
    def _stored(self) -> StoredVerdicts:
        return StoredVerdicts(self.stack.cassandra("console"))

    def break_things(self, faults: Sequence[Fault]) -> None:
        """Strike blow after blow under traffic, each after the path has recovered from the last.

        Raises:
            Unusable: something did not come back; the text says what, and what its log says.
        """
        victims = Victims(self.stack)
        with self._under_traffic() as sending:
            for place, fault in enumerate(faults, start=1):
                _rest(fault.pause_seconds, sending)
                began = victims.strike(fault)
                victims.wait_until_ready(fault.service)
                ready = round(time.monotonic() - began, 1)
                self._pass_through(sending)
                whole = round(time.monotonic() - began, 1)
                self.recoveries.append(Recovery(fault.service, fault.kind.value, ready, whole))
                self.say(
                    f"{place} of {len(faults)}: {fault.service} {fault.kind.value}, ready after "
                    f"{ready} s, the whole path after {whole} s; {self.traffic.sent} sent"
                )

    def drain(self) -> None:
        """Return when everything sent so far is judged and stored.

        The last purchase of a partition is judged after all others in it, and stored after them.
        """
        self._pass_through()

    def count(self) -> Findings:
        """Read everything back, in the detector's own environment: the fold must be the same."""
        rows = self.folder / "rows.tsv"
        self.say(f"{self._stored.write_to(rows)} rows in Cassandra; reading the topics back ...")
        done = subprocess.run(
            **self.stack.beside_the_detector(
                "chaos.verify",
                str(ledger_of(self.folder)),
                str(rows),
                self.traffic.load.source,
            ),
            check=False,
            capture_output=True,
            timeout=READ_BACK_SECONDS,
        )
        if done.returncode != 0:
            raise Unusable(f"what is there could not be read back:\n{done.stderr[-4_000:]}")
        return Findings(**json.loads(done.stdout))

    def report(self, faults: Sequence[Fault], findings: Findings, seconds: float) -> dict[str, Any]:
        """The one object that is printed."""
        return {
            "seed": self.traffic.load.seed,
            "kills": sum(fault.kind is not Kind.STOP for fault in faults),
            "kills_at_a_verdict": sum(fault.kind is Kind.KILL_AT_VERDICT for fault in faults),
            "rate_per_second": self.traffic.per_second,
            "seconds": round(seconds, 1),
            **asdict(findings),
            "retries": self.traffic.retries,
            "refused_batches": self.traffic.refused_batches,
            "recovery_seconds": [asdict(one) for one in self.recoveries],
            "ok": findings.ok,
        }

    @contextmanager
    def _under_traffic(self) -> Iterator[Future[None]]:
        with ThreadPoolExecutor(1, "traffic") as pool:
            sending = pool.submit(self.traffic.run)
            finished = False
            try:
                yield sending
                finished = True
            finally:
                self.traffic.stopping.set()
                if not finished:
                    self.traffic.door.abandoned.set()
            sending.result()

    def _pass_through(self, sending: Future[None] | None = None) -> None:
        """Post new purchases and wait for their rows: the whole path works, in every partition."""
        _raise_if_over(sending)
        probes = [self._probe() for _ in range(PROBES)]
        self.door.deliver(probes)
        self._stored.wait_for([id_of(one) for one in probes], ROW_SECONDS)
        _raise_if_over(sending)

    def _probe(self) -> Purchase:
        number = next(self._probes)
        return a_purchase(
            source=self.traffic.load.source,
            id=f"probe-{number}",
            customer_id=f"probe-{number}",
            event_at_ms=now_ms(),
        )


@contextmanager
def proving(
    stack: PrivateStack, folder: Path, load: Load, per_second: int, say: Say
) -> Iterator[Proof]:
    """A proof whose ledger lies in this folder."""
    endpoint = IngestEndpoint(
        f"http://127.0.0.1:{stack.port('ingest', 'http')}", stack.settings["INGEST_API_KEY"]
    )
    # A client each: the load and the probes send at the same time.
    with (
        closing(Ledger(ledger_of(folder))) as ledger,
        IngestApi(endpoint) as for_load,
        IngestApi(endpoint) as for_probes,
    ):
        traffic = Traffic(Door(for_load, ledger), load, per_second)
        yield Proof(
            stack=stack, folder=folder, traffic=traffic, door=Door(for_probes, ledger), say=say
        )


def ledger_of(folder: Path) -> Path:
    """Where the ledger lies."""
    return folder / "ledger.jsonl"


def _rest(seconds: float, sending: Future[None]) -> None:
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        _raise_if_over(sending)
        time.sleep(_LOOK_SECONDS)


def _raise_if_over(sending: Future[None] | None) -> None:
    """The traffic ends by itself for one reason only: an error, which is let out here."""
    if sending is not None and sending.done():
        sending.result()
