"""Run chaos on a stack: load, faults, drain, count. Each part also works on a shared stack."""

from __future__ import annotations

import itertools
import json
import subprocess
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

from chaos.fault_injector import FaultInjector
from chaos.faults import AT_A_VERDICT, Fault, FaultKind
from chaos.findings import Findings
from chaos.ledger import AcknowledgementLedger
from chaos.load import Load
from chaos.traffic import RetryingIngestClient, Traffic, id_of, now_ms
from chaos.verdict_rows import VerdictRows
from fraudwatch.adapters.edge.ingest_client import IngestApi, IngestEndpoint
from fraudwatch.domain.messages.purchase import Purchase
from fraudwatch.samples import a_purchase
from fraudwatch.stack.environments import Notify
from fraudwatch.stack.home import StackError
from fraudwatch.stack.private_stack import PrivateStack

# Enough different customers that every partition has some of them.
PROBES = 16
# The backlog of an outage is processed first; a small busy machine needs minutes for it.
ROW_SECONDS = 300.0
# To read everything back: a fixed time, and a long run's more.
READ_BACK_SECONDS, READ_BACK_PER_SECOND = 600.0, 1_000
_POLL_SECONDS = 0.2


@dataclass(frozen=True, slots=True)
class Recovery:
    """Seconds until the service was ready and until new purchases had their rows."""

    service: str
    fault: str
    ready_seconds: float
    seconds: float


@dataclass(frozen=True, kw_only=True)
class ChaosRun:
    """Chaos run on one stack, with one ledger and one source of purchases."""

    stack: PrivateStack
    folder: Path
    traffic: Traffic
    client: RetryingIngestClient
    progress: Notify
    recoveries: list[Recovery] = field(default_factory=list)
    _probes: Iterator[int] = field(default_factory=itertools.count)

    @cached_property
    def _rows(self) -> VerdictRows:
        return VerdictRows(self.stack.cassandra("console"))

    def run_faults(self, faults: Sequence[Fault]) -> None:
        """Inject fault after fault under load, each after the path has recovered from the last.

        Raises:
            StackError: a service did not recover; the text names it and holds the end of its log.
        """
        injector = FaultInjector(self.stack)
        with self.under_traffic() as sending:
            for number, fault in enumerate(faults, start=1):
                _pause(fault.pause_seconds, sending)
                began = injector.inject(fault)
                injector.wait_until_ready(fault)
                ready = round(time.monotonic() - began, 1)
                self._pass_through(sending)
                whole = round(time.monotonic() - began, 1)
                self.recoveries.append(Recovery(fault.service, fault.kind.value, ready, whole))
                self.progress(
                    f"{number} of {len(faults)}: {fault.service} {fault.kind.value}, ready after "
                    f"{ready} s, the whole path after {whole} s; {self.traffic.sent} sent"
                )

    def drain(self) -> None:
        """Return when everything sent so far is scored and stored.

        The last purchase of a partition is scored and stored after all others in it.
        """
        self._pass_through()

    def count(self) -> Findings:
        """Read everything back and count, in the detector's environment, so the fold is equal."""
        rows = self.folder / "rows.tsv"
        self.progress(f"{self._rows.write_to(rows)} rows in Cassandra; reading the topics back ...")
        done = subprocess.run(
            **self.stack.detector_command(
                "chaos.verify",
                str(ledger_of(self.folder)),
                str(rows),
                self.traffic.load.source,
            ),
            check=False,
            capture_output=True,
            timeout=READ_BACK_SECONDS + self.traffic.sent / READ_BACK_PER_SECOND,
        )
        if done.returncode != 0:
            raise StackError(
                "topics and rows could not be read back, so nothing was counted; the end of the "
                f"error:\n{done.stderr[-4_000:]}"
            )
        return Findings(**json.loads(done.stdout))

    def report(self, faults: Sequence[Fault], findings: Findings, seconds: float) -> dict[str, Any]:
        """Build the report that is printed."""
        return {
            "seed": self.traffic.load.seed,
            "kills": sum(fault.kind is not FaultKind.STOP for fault in faults),
            "kills_at_a_verdict": sum(fault.kind in AT_A_VERDICT for fault in faults),
            "kills_of_everything": sum(fault.kind is FaultKind.KILL_EVERYTHING for fault in faults),
            "rate_per_second": self.traffic.per_second,
            "seconds": round(seconds, 1),
            **asdict(findings),
            "retries": self.traffic.retries,
            "refused_batches": self.traffic.refused_batches,
            "recovery_seconds": [asdict(one) for one in self.recoveries],
            "ok": findings.ok,
        }

    @contextmanager
    def under_traffic(self) -> Iterator[Future[None]]:
        """Send the load beside the body; its last batch is acknowledged at the end."""
        with ThreadPoolExecutor(1, "traffic") as pool:
            sending = pool.submit(self.traffic.run)
            is_finished = False
            try:
                yield sending
                is_finished = True
            finally:
                self.traffic.stopping.set()
                if not is_finished:
                    self.traffic.client.abandoned.set()
            sending.result()

    def _pass_through(self, sending: Future[None] | None = None) -> None:
        """Post new purchases and wait for their rows: then every partition's path works."""
        raise_if_ended(sending)
        probes = [self._probe() for _ in range(PROBES)]
        self.client.send_until_acknowledged(probes)
        self._rows.wait_for([id_of(one) for one in probes], ROW_SECONDS)
        raise_if_ended(sending)

    def _probe(self) -> Purchase:
        number = next(self._probes)
        return a_purchase(
            source=self.traffic.load.source,
            id=f"probe-{number}",
            customer_id=f"probe-{number}",
            event_at_ms=now_ms(),
        )


@contextmanager
def chaos_run(
    stack: PrivateStack,
    folder: Path,
    load: Load,
    per_second: int,
    progress: Notify,
    *,
    sending: Callable[[Sequence[Purchase]], None] | None = None,
) -> Iterator[ChaosRun]:
    """Open a chaos run with its ledger in this folder.

    ``sending`` is called with each batch of the load before it is sent for the first time.
    """
    endpoint = IngestEndpoint(
        f"http://127.0.0.1:{stack.port('ingest', 'http')}", stack.settings["INGEST_API_KEY"]
    )
    # One client each, because load and probes send at the same time.
    with (
        IngestApi(endpoint) as for_load,
        IngestApi(endpoint) as for_probes,
    ):
        ledger = AcknowledgementLedger(ledger_of(folder))
        traffic = Traffic(RetryingIngestClient(for_load, ledger, sending), load, per_second)
        yield ChaosRun(
            stack=stack,
            folder=folder,
            traffic=traffic,
            client=RetryingIngestClient(for_probes, ledger),
            progress=progress,
        )


def ledger_of(folder: Path) -> Path:
    """Return the ledger's path."""
    return folder / "ledger.jsonl"


def _pause(seconds: float, sending: Future[None]) -> None:
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        raise_if_ended(sending)
        time.sleep(_POLL_SECONDS)


def raise_if_ended(sending: Future[None] | None) -> None:
    """Raise the traffic's error if it has ended, which only an error does."""
    if sending is not None and sending.done():
        sending.result()
