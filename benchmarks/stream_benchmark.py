"""Benchmark the stream: latency at a rate, then throughput on a backlog, on a private stack."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import threading
import time
from collections import defaultdict
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from dataclasses import asdict, dataclass
from typing import Any

import httpx

from benchmarks.figures import latency_percentiles
from benchmarks.live_plan import LivePlan
from benchmarks.process_use import UsageReading
from benchmarks.row_times import row_times_ms
from benchmarks.scraped import Scrape
from fraudwatch.adapters.kafka_log.ends import ends_of
from fraudwatch.adapters.store.session import close, connect
from fraudwatch.stack import supervisor
from fraudwatch.stack.environments import Notify
from fraudwatch.stack.home import StackError
from fraudwatch.stack.private_stack import PrivateStack
from fraudwatch.topics import FRAUD_TOPIC, TRANSACTION_TOPIC

# Three JVMs compile their frequent code in this time, which takes processor time from the stream.
WARM_UP_SECONDS = 180
# The persister's backlog may be long; this much of it is enough to measure its throughput.
PERSISTING_SECONDS = 90.0
_PROBE_SECONDS = 600.0
_POLL_SECONDS = 0.25
# A persister that writes nothing for so long has written everything, or does not start.
_ALL_WRITTEN_SECONDS, _START_SECONDS = 10.0, 60.0
# The load is generated before it is sent, at this rate or faster.
_MADE_PER_SECOND = 8_000


@dataclass(frozen=True, slots=True)
class StreamBenchmark:
    """Measure one running private stack with no other load on it."""

    stack: PrivateStack
    progress: Notify
    samples_triggers: bool = True
    """Whether the detector is scraped each second, for the time of its triggers by phase."""
    has_rows: bool = True
    """Whether Cassandra and the persister run, so that rows can be measured."""

    def live(self, per_second: int, seconds: int) -> dict[str, Any]:
        """Measure latencies at an even rate with all services running, and the resource use."""
        count = per_second * (seconds + WARM_UP_SECONDS)
        begin_at_ms = time.time_ns() // 1_000_000 + 1000 * count // _MADE_PER_SECOND
        plan = LivePlan(begin_at_ms, per_second, seconds, WARM_UP_SECONDS)
        self.progress(
            f"{per_second}/s for {WARM_UP_SECONDS} s unmeasured and {seconds} s measured ..."
        )
        source = f"live{begin_at_ms}"
        options = {f"--{name.replace('_', '-')}": value for name, value in asdict(plan).items()}
        with self._probe("live", source, options) as probe:
            time.sleep(max(0.0, plan.due_ms(plan.first_counted) / 1000 - time.time()))
            with self._measured_use() as use:
                rows = self._rows(source, plan)
            result = _result_of(probe)
        if result["scored"] < (expected := plan.count - plan.first_counted):
            raise StackError(
                f"only {result['scored']} of {expected} purchases were scored in time, so the "
                "latencies are incomplete; use a lower --rate"
            )
        return {"event_to_verdict_ms": result["event_to_verdict_ms"], **rows, **use}

    def _rows(self, source: str, plan: LivePlan) -> dict[str, Any]:
        """Measure the rows' latencies for as long as the load lasts."""
        if not self.has_rows:
            time.sleep(max(0.0, plan.due_ms(plan.count) / 1000 - time.time()))
            return {}
        with self._cassandra() as session:
            rows = row_times_ms(session, source, plan)
        return {"event_to_row_ms": {**latency_percentiles(rows), "sampled": len(rows)}}

    def catch_up(self, backlog: int) -> dict[str, Any]:
        """Measure the throughput of detector and persister on a backlog, one after the other."""
        kafka = self.stack.kafka("admin")

        def verdicts() -> int:
            return sum(ends_of(kafka, FRAUD_TOPIC).values())

        with self._stopped("persister") if self.has_rows else nullcontext():
            with self._stopped("detector"):
                self.progress(
                    f"a backlog of {backlog} purchases, detector and persister stopped ..."
                )
                with self._probe("fill", f"fill{time.time_ns()}", {"--count": backlog}) as probe:
                    _result_of(probe)
                before = verdicts()
            began, first = time.monotonic(), 0
            while (done := verdicts() - before) < backlog:
                if not first and done:
                    began, first = time.monotonic(), done
                time.sleep(_POLL_SECONDS)
            seconds = time.monotonic() - began
        per_second = round((backlog - first) / seconds)
        scored = {"catch_up_per_second": per_second}
        if not self.has_rows:
            return scored
        self.progress(f"scored {per_second}/s; now the persister ...")
        return scored | {"persisted_per_second": self._persisted_per_second()}

    def _persisted_per_second(self) -> int:
        """Measure purchases per second, with their verdicts, written to every table."""

        def written() -> float | None:
            try:
                scrape = Scrape.of(self.stack.port("persister", "metrics"))
            except httpx.TransportError:
                return None  # paused beyond its group's timeout, it is being restarted
            rows = scrape.by("fraudwatch_persister_rows_total", "topic")
            return (rows.get(TRANSACTION_TOPIC, 0.0) + rows.get(FRAUD_TOPIC, 0.0)) / 2

        # Timed from the first rows: before them it starts, connects and gets its partitions.
        started, before = time.monotonic(), written()
        while (first := written()) is None or before is None or first <= before:
            before = first
            if time.monotonic() - started > _START_SECONDS:
                raise StackError(
                    "the persister writes nothing of its backlog, so it has no throughput; see "
                    "its log"
                )
            time.sleep(_POLL_SECONDS)
        began = changed = time.monotonic()
        last = first
        while (
            changed - began < PERSISTING_SECONDS
            and time.monotonic() - changed < _ALL_WRITTEN_SECONDS
        ):
            time.sleep(_POLL_SECONDS)
            if (now := written() or last) > last:
                last, changed = now, time.monotonic()
        if last == first:
            raise StackError(
                "the persister wrote its whole backlog between two polls, so no throughput can be "
                "computed; use a longer --backlog"
            )
        return round((last - first) / (changed - began))

    @contextmanager
    def _measured_use(self) -> Iterator[dict[str, Any]]:
        """Fill a dictionary at exit with resource use and trigger times of the enclosed block."""
        use: dict[str, Any] = {}
        port, home = self.stack.port("detector", "metrics"), self.stack.home
        before, began = Scrape.of(port), UsageReading.read(home)
        triggers: defaultdict[str, list[float]] = defaultdict(list)
        over = threading.Event()

        def sample() -> None:
            while not over.wait(1.0):
                for phase, took in (
                    Scrape.of(port).by("fraudwatch_detector_trigger_seconds", "phase").items()
                ):
                    triggers[phase].append(took)

        sampler = threading.Thread(target=sample, name="triggers")
        if self.samples_triggers:
            sampler.start()
        try:
            yield use
        finally:
            over.set()
            if self.samples_triggers:
                sampler.join()
        after, ended = Scrape.of(port), UsageReading.read(home)
        use["processes"] = {name: asdict(mean) for name, mean in began.until(ended).items()}
        use["trigger_ms"] = {
            phase: round(1000 * sum(seconds) / len(seconds), 1)
            for phase, seconds in triggers.items()
        }
        use["batch_ms"] = _batch_ms(before, after)
        use["load_average"] = os.getloadavg()[0]

    @contextmanager
    def _stopped(self, service: str) -> Iterator[None]:
        group = supervisor.process(self.stack.home, service).pid
        os.killpg(group, signal.SIGSTOP)
        try:
            yield
        finally:
            os.killpg(group, signal.SIGCONT)

    @contextmanager
    def _cassandra(self) -> Iterator[Any]:
        session = connect(self.stack.cassandra("console"))
        try:
            yield session
        finally:
            close(session)

    @contextmanager
    def _probe(
        self, command: str, source: str, options: dict[str, int]
    ) -> Iterator[subprocess.Popen[str]]:
        argv = [part for name, value in options.items() for part in (name, str(value))]
        probe = subprocess.Popen(
            **self.stack.detector_command(
                "benchmarks.stream_probe", command, "--source", source, *argv
            ),
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
        )
        try:
            yield probe
        finally:
            probe.kill()
            probe.wait()


def _result_of(probe: subprocess.Popen[str]) -> dict[str, Any]:
    out, errors = probe.communicate(timeout=_PROBE_SECONDS)
    if probe.returncode != 0:
        raise StackError(
            "the load could not be sent or read back, so nothing was measured; the end of the "
            f"probe's output:\n{errors[-4_000:]}"
        )
    result: dict[str, Any] = json.loads(out)
    return result


def _batch_ms(before: Scrape, after: Scrape) -> dict[str, float]:
    """Compute the mean milliseconds per batch and phase from the detector's metrics."""
    batches = "fraudwatch_detector_batch_seconds_count"
    count = after.value(batches) - before.value(batches)
    began = before.by("fraudwatch_detector_seconds_total", "phase")
    phases = after.by("fraudwatch_detector_seconds_total", "phase")
    spent = {name: seconds - began.get(name, 0.0) for name, seconds in phases.items()}
    return {name: round(1000 * seconds / count, 2) for name, seconds in spent.items()}
