"""The benchmark of the stream: latency at a rate, then a backlog, on a stack of its own."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import threading
import time
from collections import defaultdict
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from typing import Any

import httpx

from benchmarks.figures import figures_of
from benchmarks.live_plan import LivePlan
from benchmarks.process_use import Reading
from benchmarks.row_times import row_times_ms
from benchmarks.scraped import Scrape
from fraudwatch.adapters.kafka_log.ends import ends_of
from fraudwatch.adapters.store.session import close, connect
from fraudwatch.stack import supervisor
from fraudwatch.stack.environments import Say
from fraudwatch.stack.place import Unusable
from fraudwatch.stack.private_stack import PrivateStack
from fraudwatch.topics import FRAUD_TOPIC, TRANSACTION_TOPIC

# As long as three virtual machines compile what they do often: before that they take what the
# stream would use.
WARM_UP_SECONDS = 180
# The persister's backlog may be long; so much of it tells the pace.
PERSISTING_SECONDS = 90.0
_PROBE_SECONDS = 600.0
_LOOK_SECONDS = 0.25
# A persister that writes nothing for so long has written all there was, or never begins.
_ALL_WRITTEN_SECONDS, _BEGINNING_SECONDS = 10.0, 60.0
# The load is made before it begins, at no less than this pace.
_MADE_PER_SECOND = 8_000


@dataclass(frozen=True, slots=True)
class Benchmark:
    """Measures one running stack that nobody else uses."""

    stack: PrivateStack
    say: Say

    def live(self, per_second: int, seconds: int) -> dict[str, Any]:
        """Latencies at an even rate, with everything running; and what that costs."""
        count = per_second * (seconds + WARM_UP_SECONDS)
        begin_at_ms = time.time_ns() // 1_000_000 + 1000 * count // _MADE_PER_SECOND
        plan = LivePlan(begin_at_ms, per_second, seconds, WARM_UP_SECONDS)
        self.say(f"{per_second}/s for {WARM_UP_SECONDS} s unmeasured and {seconds} s measured ...")
        source = f"live{begin_at_ms}"
        options = {f"--{name.replace('_', '-')}": value for name, value in asdict(plan).items()}
        with self._probe("live", source, options) as probe:
            time.sleep(max(0.0, plan.due_ms(plan.first_counted) / 1000 - time.time()))
            with self._watched() as watched, self._cassandra() as session:
                rows = row_times_ms(session, source, plan)
            found = _told(probe)
        if found["judged"] < plan.count - plan.first_counted:
            raise Unusable(f"only {found['judged']} of {plan.count} purchases were judged in time")
        return {
            "event_to_verdict_ms": found["event_to_verdict_ms"],
            "event_to_row_ms": {**figures_of(rows), "sampled": len(rows)},
            **watched,
        }

    def catch_up(self, backlog: int) -> dict[str, Any]:
        """How fast the detector, then the persister, work a backlog off, each by itself."""
        kafka = self.stack.kafka("admin")

        def verdicts() -> int:
            return sum(ends_of(kafka, FRAUD_TOPIC).values())

        with self._stopped("persister"):
            with self._stopped("detector"):
                self.say(f"a backlog of {backlog} purchases, detector and persister stopped ...")
                with self._probe("fill", f"fill{time.time_ns()}", {"--count": backlog}) as probe:
                    _told(probe)
                before = verdicts()
            began, first = time.monotonic(), 0
            while (done := verdicts() - before) < backlog:
                if not first and done:
                    began, first = time.monotonic(), done
                time.sleep(_LOOK_SECONDS)
            seconds = time.monotonic() - began
        per_second = round((backlog - first) / seconds)
        self.say(f"judged {per_second}/s; now the persister ...")
        return {"catch_up_per_second": per_second, "persisted_per_second": self._persisted()}

    def _persisted(self) -> int:
        """Purchases a second with their verdicts, into every table."""

        def written() -> float | None:
            try:
                scrape = Scrape.of(self.stack.port("persister", "metrics"))
            except httpx.TransportError:
                return None  # it was away for longer than its group waits, and is being restarted
            rows = scrape.by("fraudwatch_persister_rows_total", "topic")
            return (rows.get(TRANSACTION_TOPIC, 0.0) + rows.get(FRAUD_TOPIC, 0.0)) / 2

        # From the first rows on: before them it starts, connects and takes its partitions.
        asked, before = time.monotonic(), written()
        while (first := written()) is None or before is None or first <= before:
            before = first
            if time.monotonic() - asked > _BEGINNING_SECONDS:
                raise Unusable("the persister writes nothing of its backlog; see its log")
            time.sleep(_LOOK_SECONDS)
        began = seen = time.monotonic()
        last = first
        while seen - began < PERSISTING_SECONDS and time.monotonic() - seen < _ALL_WRITTEN_SECONDS:
            time.sleep(_LOOK_SECONDS)
            if (now := written() or last) > last:
                last, seen = now, time.monotonic()
        if last == first:
            raise Unusable(
                "all the persister had left came at once, which tells no pace; take a longer "
                "--backlog"
            )
        return round((last - first) / (seen - began))

    @contextmanager
    def _watched(self) -> Iterator[dict[str, Any]]:
        """Fills in what the processes used and what a trigger's time went into meanwhile."""
        told: dict[str, Any] = {}
        port, place = self.stack.port("detector", "metrics"), self.stack.place
        before, began = Scrape.of(port), Reading.take(place)
        triggers: defaultdict[str, list[float]] = defaultdict(list)
        over = threading.Event()

        def look() -> None:
            while not over.wait(1.0):
                for phase, took in (
                    Scrape.of(port).by("fraudwatch_detector_trigger_seconds", "phase").items()
                ):
                    triggers[phase].append(took)

        looking = threading.Thread(target=look, name="triggers")
        looking.start()
        try:
            yield told
        finally:
            over.set()
            looking.join()
        after, ended = Scrape.of(port), Reading.take(place)
        told["processes"] = {name: asdict(use) for name, use in began.until(ended).items()}
        told["trigger_ms"] = {
            phase: round(1000 * sum(found) / len(found), 1) for phase, found in triggers.items()
        }
        told["batch_ms"] = _batch_ms(before, after)
        told["load_average"] = os.getloadavg()[0]

    @contextmanager
    def _stopped(self, service: str) -> Iterator[None]:
        group = supervisor.process(self.stack.place, service).pid
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
        words = [word for name, value in options.items() for word in (name, str(value))]
        probe = subprocess.Popen(
            **self.stack.beside_the_detector(
                "benchmarks.stream_probe", command, "--source", source, *words
            ),
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
        )
        try:
            yield probe
        finally:
            probe.kill()
            probe.wait()


def _told(probe: subprocess.Popen[str]) -> dict[str, Any]:
    out, errors = probe.communicate(timeout=_PROBE_SECONDS)
    if probe.returncode != 0:
        raise Unusable(f"the load could not be sent or read back:\n{errors[-4_000:]}")
    told: dict[str, Any] = json.loads(out)
    return told


def _batch_ms(before: Scrape, after: Scrape) -> dict[str, float]:
    """What a mean batch's time went into, by the detector's own account."""
    batches = "fraudwatch_detector_batch_seconds_count"
    count = after.value(batches) - before.value(batches)
    began = before.by("fraudwatch_detector_seconds_total", "phase")
    phases = after.by("fraudwatch_detector_seconds_total", "phase")
    spent = {name: seconds - began.get(name, 0.0) for name, seconds in phases.items()}
    return {name: round(1000 * seconds / count, 2) for name, seconds in spent.items()}
