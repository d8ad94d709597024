"""The benchmark of the batch layer: a day of purchases end to end, and what it costs the stream.

The jobs run as Airflow's tasks run them, with the same commands and the same environment, but one
after the other and outside Airflow, whose DAGs are paused meanwhile.
"""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Any

from benchmarks.batch_figures import StepFigures, StepRun, figures_of_step, report_of
from benchmarks.batch_steps import ARCHIVE, FOLD, Step, environment_of_tasks, steps_of
from benchmarks.measured_command import run_measured
from benchmarks.stream_benchmark import Benchmark
from fraudwatch.adapters.kafka_log.ends import committed_of, ends_of
from fraudwatch.stack.environments import Say
from fraudwatch.stack.place import Unusable
from fraudwatch.stack.private_stack import PrivateStack
from fraudwatch.topics import FRAUD_TOPIC, TRANSACTION_TOPIC

_STEP_SECONDS, _TELLING_SECONDS = 3_600.0, 7_200.0
_LOOK_SECONDS = 2.0
# Who reads what, and is a load on the machine until it has.
_READERS = (
    ("persister", TRANSACTION_TOPIC),
    ("persister", FRAUD_TOPIC),
    ("tally", FRAUD_TOPIC),
)
# A few are refused, as of every shop; the last of the rest come while it waits once more.
_TOLD_RATIO, _REST_SECONDS = 0.98, 60.0


def world_of(purchases: int, today: date) -> dict[str, str]:
    """Settings of a stack whose one day is yesterday, whole and closed; no DAG runs by itself."""
    yesterday = today - timedelta(days=1)
    return {
        "SHOP_EPOCH": f"{yesterday.isoformat()}T00:00Z",
        "SHOP_HISTORY_DAYS": "1",
        "SHOP_HISTORY_PURCHASES": str(purchases),
        "SHOP_CUSTOMERS": str(max(50, purchases // 50)),
        "SHOP_LIVE_PURCHASES_PER_SECOND": "0.05",
        "AIRFLOW_DAGS_PAUSED": "True",
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
        self._wait_until_told(purchases)
        steps = [self._measured(step)[0] for step in steps_of(day)]
        _, fold = self._measured(FOLD)
        stream = Benchmark(self.stack, self.say)
        quiet = stream.live(per_second, seconds)
        with self._again_and_again(ARCHIVE) as archived:
            beside = stream.live(per_second, seconds)
        verdict_ms = "event_to_verdict_ms"
        report = report_of(purchases, steps, quiet[verdict_ms], beside[verdict_ms])
        return {
            **report,
            "fold": json.loads(fold.last_line),
            "rate_per_second": per_second,
            "archive_runs": len(archived),
        }

    def _measured(self, step: Step) -> tuple[StepFigures, StepRun]:
        self.say(f"{step.name} ...")
        environment = environment_of_tasks(self.stack)
        run = run_measured(
            step.name,
            step.words(environment),
            environment=environment,
            folder=self.stack.place.root,
            seconds=_STEP_SECONDS,
        )
        told = figures_of_step(run, step.outcome)
        pace = "" if told.rows is None else f"{told.rows} rows, {told.rows_per_second}/s, "
        self.say(f"{step.name}: {told.seconds} s, {pace}{told.peak_rss_mib} MiB")
        return told, run

    def _wait_until_told(self, purchases: int) -> None:
        """Until the shop's day came through the stream, is stored and tallied.

        Then the archive has something to do, and the stream nothing.
        """
        self.say(f"the stream judges, stores and tallies {purchases} purchases ...")
        kafka, began = self.stack.kafka("admin"), time.monotonic()
        while True:
            done = {"judged": sum(ends_of(kafka, FRAUD_TOPIC).values())} | {
                f"{topic} by {group}": sum(committed_of(kafka, group, topic).values())
                for group, topic in _READERS
            }
            if min(done.values()) >= _TOLD_RATIO * purchases:
                break
            if time.monotonic() - began > _TELLING_SECONDS:
                raise Unusable(f"of {purchases} purchases only so many were done in time: {done}")
            time.sleep(_LOOK_SECONDS)
        time.sleep(_REST_SECONDS)

    @contextmanager
    def _again_and_again(self, step: Step) -> Iterator[list[StepFigures]]:
        """The step, over and over: worse than an hourly job can be to the stream."""
        runs: list[StepFigures] = []
        over = threading.Event()

        def work() -> None:
            while not over.is_set():
                runs.append(self._measured(step)[0])

        working = threading.Thread(target=work, name=step.name)
        working.start()
        try:
            yield runs
        finally:
            over.set()
            working.join()
        if not runs:
            raise Unusable(f"{step.name} did not run beside the stream; see above")
