"""Spark baselines: score with the same isolation forest in two stock Spark queries.

``python -m benchmarks.spark_baselines --forest FOLDER --seconds 30 --per-second 1000 --backlog
50000`` prints one JSON object. It runs in the tests' environment, which has every package. Each
baseline is a stock query from Spark's Kafka source to its Kafka sink, measured like our stream, in
a fresh process for each measurement. ``KAFKA_*`` must be the administrator's login: this module
creates and deletes the two topics.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import numpy as np
from confluent_kafka import Consumer

from benchmarks.baseline_query import (
    BASELINES,
    INPUT_TOPIC,
    OUTPUT_TOPIC,
    BaselineFailed,
    ensure_forest,
    vectors,
)
from benchmarks.baseline_topics import baseline_topics
from benchmarks.figures import latency_percentiles
from benchmarks.live_plan import LivePlan
from benchmarks.stream_probe import consumer_at_end, send_evenly
from fraudwatch.adapters.kafka_log.log import KafkaTopic, raise_for_error
from fraudwatch.samples import a_token
from fraudwatch.settings import KafkaSettings

NOTE = (
    "The baselines only score vectors that were prepared beforehand: they compute no features, "
    "evaluate no rules, give no reasons and keep no exactly ordered state. Their catch-up starts "
    "in a fresh process, and nothing else runs beside it."
)
WARM_UP_SECONDS = 20
_CUSTOMERS = 50_000
_START_SECONDS = 180.0
_GATHER_SECONDS = 20.0
# A baseline that writes nothing for so long has stopped.
_SILENCE_SECONDS = 120.0
_STOP_SECONDS = 20.0
_LAST_CHARACTERS = 4_000

Messages = list[tuple[str, bytes, int]]


class SparkBaseline:
    """Measure one baseline, each time in a fresh process."""

    def __init__(self, kafka: KafkaSettings, baseline: str, forest: Path, jars: str) -> None:
        self._kafka, self._baseline = kafka, baseline
        self._options = [baseline, "--forest", str(forest.resolve()), "--connector-jars", jars]

    def live(self, per_second: int, seconds: int) -> dict[str, Any]:
        """Measure latencies at an even rate, after the warm-up."""
        plan = LivePlan(0, per_second, seconds, WARM_UP_SECONDS)
        messages = _messages(plan.count + 1)
        with (
            baseline_topics(self._kafka),
            _output_consumer(self._kafka) as consumer,
            self._running() as check_alive,
        ):
            self._send(messages[:1])
            _first_arrival(consumer, check_alive)
            plan = LivePlan(
                time.time_ns() // 1_000_000 + 1_000, per_second, seconds, WARM_UP_SECONDS
            )
            due = [(*pair[:2], int(plan.due_ms(n))) for n, pair in enumerate(messages[1:])]
            args = (self._kafka, INPUT_TOPIC, due)
            sender = threading.Thread(target=send_evenly, args=args, name="load")
            sender.start()
            latencies_ms = np.array(_latencies_ms(consumer, plan, check_alive))
            sender.join()
        percentiles = latency_percentiles(latencies_ms.tolist()) if len(latencies_ms) else None
        return {
            "sent": plan.count - plan.first_counted,
            "judged_in_time": len(latencies_ms),
            "event_to_verdict_ms": percentiles,
        }

    def catch_up_per_second(self, backlog: int) -> int:
        """Measure the throughput on a backlog, from the first verdict to the last."""
        with baseline_topics(self._kafka), _output_consumer(self._kafka) as consumer:
            self._send(_messages(backlog))
            with self._running() as check_alive:
                first, began = _first_arrival(consumer, check_alive)
                done, last = first, began
                while done < backlog:
                    check_alive()
                    if due_ms := _due_times(consumer):
                        done, last = done + len(due_ms), time.monotonic()
                    elif time.monotonic() - last > _SILENCE_SECONDS:
                        raise BaselineFailed(
                            f"{self._baseline} scored only {done} of {backlog} messages and wrote "
                            f"nothing for {_SILENCE_SECONDS:.0f} s, so it has no throughput"
                        )
        if done == first:
            raise BaselineFailed(
                "the whole backlog was scored in one poll, so no throughput can be computed; use "
                "a longer --backlog"
            )
        return round((done - first) / (last - began))

    def _send(self, messages: Messages) -> None:
        KafkaTopic(self._kafka, INPUT_TOPIC).send([(key, value, {}) for key, value, _ in messages])

    @contextmanager
    def _running(self) -> Iterator[Callable[[], None]]:
        """Run the query's process; the yielded check raises if the process has exited."""
        with tempfile.TemporaryDirectory(prefix="baseline-", ignore_cleanup_errors=True) as folder:
            log_path = Path(folder) / "query.log"
            with log_path.open("wb") as log:
                process = subprocess.Popen(
                    [sys.executable, "-m", "benchmarks.baseline_query", *self._options],
                    cwd=folder, stdout=log, stderr=log, start_new_session=True,
                    # Spark listens on loopback only, its web page included.
                    env={**os.environ, "SPARK_LOCAL_IP": "127.0.0.1"},
                )  # fmt: skip

            def check_alive() -> None:
                if process.poll() is not None:
                    secret = self._kafka.password.get_secret_value()
                    text = log_path.read_text(errors="replace").replace(secret, "***")
                    raise BaselineFailed(
                        f"{self._baseline} exited, so nothing was measured; the end of its "
                        f"output:\n{text[-_LAST_CHARACTERS:]}"
                    )

            try:
                yield check_alive
            finally:
                _stop(process)


def _stop(process: subprocess.Popen[bytes]) -> None:
    """Stop the query and its JVM, so that the next measurement has all processors."""
    deadline = time.monotonic() + _STOP_SECONDS
    with suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGTERM)
        while time.monotonic() < deadline:
            process.poll()
            os.killpg(process.pid, 0)
            time.sleep(0.1)
        os.killpg(process.pid, signal.SIGKILL)
    process.wait()


def _messages(count: int) -> Messages:
    """Make keys and values; the due time is not known yet and 0."""
    rng = random.Random(count)
    base32_alphabet = "abcdefghijklmnopqrstuvwxyz234567"
    prefix = a_token("a")[:9]
    tokens = [prefix + "".join(rng.choices(base32_alphabet, k=26)) for _ in range(_CUSTOMERS)]
    rows = vectors(count, seed=count).astype("<f8")
    return [(rng.choice(tokens), row.tobytes(), 0) for row in rows]


@contextmanager
def _output_consumer(kafka: KafkaSettings) -> Iterator[Consumer]:
    consumer = consumer_at_end(kafka, OUTPUT_TOPIC)
    try:
        yield consumer
    finally:
        consumer.close()


def _due_times(consumer: Consumer) -> list[int]:
    """Return the due times, in ms, of the verdicts that arrived since the last poll."""
    messages = consumer.consume(1_000, timeout=0.05)
    for message in messages:
        raise_for_error(message)
    return [int((message.value() or b"").split()[1]) for message in messages]


def _first_arrival(consumer: Consumer, check_alive: Callable[[], None]) -> tuple[int, float]:
    """Wait for the first verdicts; return their number and the monotonic time."""
    deadline = time.monotonic() + _START_SECONDS
    while not (due_ms := _due_times(consumer)):
        check_alive()
        if time.monotonic() > deadline:
            raise BaselineFailed(
                f"no verdict arrived within {_START_SECONDS:.0f} s of the start, so nothing was "
                "measured; see Kafka's log"
            )
    return len(due_ms), time.monotonic()


def _latencies_ms(consumer: Consumer, plan: LivePlan, check_alive: Callable[[], None]) -> list[int]:
    expected = plan.count - plan.first_counted
    counted_from_ms = int(plan.due_ms(plan.first_counted))
    deadline = plan.due_ms(plan.count) / 1000 + _GATHER_SECONDS
    latencies_ms: list[int] = []
    while len(latencies_ms) < expected and time.time() < deadline:
        check_alive()
        due_ms = _due_times(consumer)
        now_ms = time.time_ns() // 1_000_000
        latencies_ms += [now_ms - due for due in due_ms if due >= counted_from_ms]
    return latencies_ms


def main() -> None:
    """Measure both baselines and print one JSON object."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--forest", type=Path, required=True)
    for name in ("seconds", "per-second", "backlog"):
        parser.add_argument(f"--{name}", type=int, required=True)
    jars = os.environ.get("DETECTOR_CONNECTOR_JARS")
    parser.add_argument("--connector-jars", default=jars, required=jars is None)
    options = parser.parse_args()
    kafka, report = KafkaSettings(), dict[str, Any]()
    ensure_forest(options.forest)
    for name in BASELINES:
        baseline = SparkBaseline(kafka, name, options.forest, options.connector_jars)
        report[name] = {
            **baseline.live(options.per_second, options.seconds),
            "catch_up_per_second": baseline.catch_up_per_second(options.backlog),
        }
    sys.stdout.write(json.dumps({**report, "note": NOTE}) + "\n")


if __name__ == "__main__":
    main()
