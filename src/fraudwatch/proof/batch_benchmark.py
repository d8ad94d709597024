"""The benchmark of the batch layer: a day of purchases end to end, and what it costs the stream.

The jobs run as Airflow's tasks run them, with the same commands and the same environment, but one
after the other and outside Airflow, whose scheduler sleeps meanwhile.
"""

from __future__ import annotations

import os
import signal
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Any

from fraudwatch.adapters.kafka_ends import ends_of
from fraudwatch.proof.batch_figures import StepRun, figures_of_step, report_of
from fraudwatch.proof.batch_steps import ARCHIVE, TASKS_OF, Step, environment_of_tasks, steps_of
from fraudwatch.proof.benchmark import Benchmark
from fraudwatch.proof.measured_command import run_measured
from fraudwatch.stack import supervisor
from fraudwatch.stack.environments import Say
from fraudwatch.stack.place import Unusable
from fraudwatch.stack.private_stack import PrivateStack
from fraudwatch.topics import FRAUD_TOPIC

_STEP_SECONDS, _JUDGING_SECONDS = 3_600.0, 7_200.0
_LOOK_SECONDS = 2.0
# So long without a verdict, and all there are have come.
_ALL_JUDGED_SECONDS = 30.0
# A few are refused, as of every shop.
_JUDGED_RATIO = 0.98


def shop_of(purchases: int, today: date) -> dict[str, str]:
    """Settings of a world whose one day of history is yesterday, whole and closed."""
    yesterday = today - timedelta(days=1)
    return {
        "SHOP_EPOCH": f"{yesterday.isoformat()}T00:00Z",
        "SHOP_HISTORY_DAYS": "1",
        "SHOP_HISTORY_PURCHASES": str(purchases),
        "SHOP_CUSTOMERS": str(max(50, purchases // 50)),
        "SHOP_LIVE_PURCHASES_PER_SECOND": "0.05",
    }


@dataclass(frozen=True)
class BatchBenchmark:
    """Measures one running stack of profile ``lake`` that nobody else uses."""

    stack: PrivateStack
    say: Say

    def run(self, purchases: int, per_second: int, seconds: int) -> dict[str, Any]:
        """The whole measurement.

        Raises:
            Unusable: the stream did not judge the day.
            StepFailed: a job failed.
        """
        day = datetime.now(UTC).date() - timedelta(days=1)
        with self._asleep(TASKS_OF):
            self._wait_until_judged(purchases)
            runs = [self._measured(step) for step in steps_of(day)]
            stream = Benchmark(self.stack, self.say)
            quiet = stream.live(per_second, seconds)
            with self._again_and_again(ARCHIVE) as archived:
                beside = stream.live(per_second, seconds)
        verdict_ms = "event_to_verdict_ms"
        report = report_of(purchases, runs, quiet[verdict_ms], beside[verdict_ms])
        return {**report, "rate_per_second": per_second, "archive_runs": len(archived)}

    def _measured(self, step: Step) -> StepRun:
        self.say(f"{step.name} ...")
        environment = environment_of_tasks(self.stack)
        run = run_measured(
            step.name,
            step.words(environment),
            environment=environment,
            folder=self.stack.place.root,
            seconds=_STEP_SECONDS,
        )
        told = figures_of_step(run)
        self.say(
            f"{step.name}: {told.seconds} s, {told.rows} rows, {told.rows_per_second}/s, "
            f"{told.peak_rss_mib} MiB"
        )
        return run

    def _wait_until_judged(self, purchases: int) -> None:
        """Until the shop's day came through the stream; then the archive has something to do."""
        self.say(f"the stream judges {purchases} purchases ...")
        kafka, began = self.stack.kafka("admin"), time.monotonic()
        judged, seen = 0, began
        while time.monotonic() - seen < _ALL_JUDGED_SECONDS or judged < _JUDGED_RATIO * purchases:
            if time.monotonic() - began > _JUDGING_SECONDS:
                raise Unusable(f"only {judged} of {purchases} purchases were judged in time")
            time.sleep(_LOOK_SECONDS)
            now = sum(ends_of(kafka, FRAUD_TOPIC).values())
            if now > judged + purchases // 10_000:  # more than what a live shop adds
                judged, seen = now, time.monotonic()

    @contextmanager
    def _asleep(self, service: str) -> Iterator[None]:
        group = supervisor.process(self.stack.place, service).pid
        os.killpg(group, signal.SIGSTOP)
        try:
            yield
        finally:
            os.killpg(group, signal.SIGCONT)

    @contextmanager
    def _again_and_again(self, step: Step) -> Iterator[list[StepRun]]:
        """The step, over and over: worse than an hourly job can be to the stream."""
        runs: list[StepRun] = []
        over = threading.Event()

        def work() -> None:
            while not over.is_set():
                runs.append(self._measured(step))

        working = threading.Thread(target=work, name=step.name)
        working.start()
        try:
            yield runs
        finally:
            over.set()
            working.join()
        if not runs:
            raise Unusable(f"{step.name} did not run beside the stream; see above")
