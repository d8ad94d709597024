"""Benchmark the batch layer: a day of purchases end to end, and its effect on stream latency.

The jobs run as Airflow's tasks do, with the same commands and the same environment, but one after
the other and outside Airflow, whose DAGs are paused meanwhile.
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
from benchmarks.stream_benchmark import StreamBenchmark
from fraudwatch.adapters.kafka_log.ends import committed_of, ends_of
from fraudwatch.stack.environments import Notify
from fraudwatch.stack.home import StackError
from fraudwatch.stack.private_stack import PrivateStack
from fraudwatch.topics import FRAUD_TOPIC, TRANSACTION_TOPIC

_STEP_SECONDS, _PROCESSING_SECONDS = 3_600.0, 7_200.0
_POLL_SECONDS = 2.0
# Consumer groups and their topics: they load the machine until their lag is zero.
_CONSUMERS = (
    ("persister", TRANSACTION_TOPIC),
    ("persister", FRAUD_TOPIC),
    ("tally", FRAUD_TOPIC),
)
# A few purchases are refused; the last accepted ones arrive during the settling time.
_ACCEPTED_RATIO, _SETTLE_SECONDS = 0.98, 60.0


def shop_settings(purchases: int, today: date) -> dict[str, str]:
    """Return shop settings with one closed day, yesterday; scheduled DAGs are paused."""
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
    """Measure one running private stack of profile ``lake``, with no other load on it."""

    stack: PrivateStack
    progress: Notify

    def run(self, purchases: int, per_second: int, seconds: int) -> dict[str, Any]:
        """Time every job of the day, then the stream without and with archive runs.

        Raises:
            StackError: the stream did not score the day in time.
            StepFailed: a job failed.
        """
        day = datetime.now(UTC).date() - timedelta(days=1)
        self._wait_until_processed(purchases)
        steps = [self._measured(step)[0] for step in steps_of(day)]
        _, fold = self._measured(FOLD)
        stream = StreamBenchmark(self.stack, self.progress)
        quiet = stream.live(per_second, seconds)
        with self._repeated(ARCHIVE) as archived:
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
        self.progress(f"{step.name} ...")
        environment = environment_of_tasks(self.stack)
        run = run_measured(
            step.name,
            step.argv(environment),
            environment=environment,
            folder=self.stack.home.root,
            seconds=_STEP_SECONDS,
        )
        figures = figures_of_step(run, step.outcome)
        pace = "" if figures.rows is None else f"{figures.rows} rows, {figures.rows_per_second}/s, "
        self.progress(f"{step.name}: {figures.seconds} s, {pace}{figures.peak_rss_mib} MiB")
        return figures, run

    def _wait_until_processed(self, purchases: int) -> None:
        """Wait until the shop's day is scored, stored and tallied.

        After that the archive has a backlog and the stream has none.
        """
        self.progress(f"the stream scores, stores and tallies {purchases} purchases ...")
        kafka, began = self.stack.kafka("admin"), time.monotonic()
        while True:
            done = {"scored": sum(ends_of(kafka, FRAUD_TOPIC).values())} | {
                f"{topic} by {group}": sum(committed_of(kafka, group, topic).values())
                for group, topic in _CONSUMERS
            }
            if min(done.values()) >= _ACCEPTED_RATIO * purchases:
                break
            if time.monotonic() - began > _PROCESSING_SECONDS:
                raise StackError(
                    f"the stream did not process {purchases} purchases within "
                    f"{_PROCESSING_SECONDS:.0f} s: {done}; see the services' logs, or use fewer "
                    "--purchases"
                )
            time.sleep(_POLL_SECONDS)
        time.sleep(_SETTLE_SECONDS)

    @contextmanager
    def _repeated(self, step: Step) -> Iterator[list[StepFigures]]:
        """Run the step repeatedly in a thread: more load than an hourly job puts on the stream."""
        runs: list[StepFigures] = []
        over = threading.Event()

        def work() -> None:
            while not over.is_set():
                runs.append(self._measured(step)[0])

        worker = threading.Thread(target=work, name=step.name)
        worker.start()
        try:
            yield runs
        finally:
            over.set()
            worker.join()
        if not runs:
            raise StackError(
                f"{step.name} did not run beside the stream, so its effect is unknown; its error "
                "is printed above"
            )
