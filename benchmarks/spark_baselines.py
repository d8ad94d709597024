"""The same isolation forest served the two usual ways on Spark, measured as our stream is.

``python -m benchmarks.spark_baselines --forest FOLDER --seconds 30 --per-second 1000 --backlog
50000`` prints one JSON object. It runs in the tests' environment, which has all it takes. Each peer
is a stock Spark query, from Spark's Kafka source to its Kafka sink, in a fresh process for each
measurement. ``KAFKA_*`` must name the administrator: the two topics are made and removed here.
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

from benchmarks.figures import figures_of
from benchmarks.live_plan import LivePlan
from benchmarks.peer_query import (
    INPUT_TOPIC,
    OUTPUT_TOPIC,
    PEERS,
    PeerFailed,
    ensure_forest,
    vectors,
)
from benchmarks.peer_topics import peer_topics
from benchmarks.stream_probe import reader_at_end, send_evenly
from fraudwatch.adapters.kafka_log.log import KafkaTopic, raise_for_error
from fraudwatch.samples import a_token
from fraudwatch.settings import KafkaSettings

NOTE = (
    "The peers only score vectors that were made beforehand: no features are computed, no rules "
    "are asked, no reasons are given and there is no exactly ordered state. Their catch-up begins "
    "in a fresh process, and nothing else of theirs runs."
)
WARM_UP_SECONDS = 20
_CUSTOMERS = 50_000
_START_SECONDS = 180.0
_GATHER_SECONDS = 20.0
# A backlog of which nothing more has come for so long does not come any more.
_SILENCE_SECONDS = 120.0
_STOP_SECONDS = 20.0
_LAST_CHARACTERS = 4_000

Made = list[tuple[str, bytes, int]]


class Peer:
    """Measures one of the two, each time in a process of its own."""

    def __init__(self, kafka: KafkaSettings, peer: str, forest: Path, jars: str) -> None:
        self._kafka, self._peer = kafka, peer
        self._words = [peer, "--forest", str(forest.resolve()), "--connector-jars", jars]

    def live(self, per_second: int, seconds: int) -> dict[str, Any]:
        """Latencies at an even rate, after the warm-up."""
        plan = LivePlan(0, per_second, seconds, WARM_UP_SECONDS)
        made = _messages(plan.count + 1)
        with peer_topics(self._kafka), _reading(self._kafka) as reader, self._served() as alive:
            self._send(made[:1])
            _first_arrival(reader, alive)
            plan = LivePlan(
                time.time_ns() // 1_000_000 + 1_000, per_second, seconds, WARM_UP_SECONDS
            )
            due = [(*pair[:2], int(plan.due_ms(n))) for n, pair in enumerate(made[1:])]
            args = (self._kafka, INPUT_TOPIC, due)
            sending = threading.Thread(target=send_evenly, args=args, name="load")
            sending.start()
            found = np.array(_latencies_ms(reader, plan, alive))
            sending.join()
        return {
            "sent": plan.count - plan.first_counted,
            "judged_in_time": len(found),
            "event_to_verdict_ms": figures_of(found.tolist()) if len(found) else None,
        }

    def catch_up_per_second(self, backlog: int) -> int:
        """The pace from the first verdict to the last over what lay there before the start."""
        with peer_topics(self._kafka), _reading(self._kafka) as reader:
            self._send(_messages(backlog))
            with self._served() as alive:
                first, began = _first_arrival(reader, alive)
                done, last = first, began
                while done < backlog:
                    alive()
                    if got := _arrived(reader):
                        done, last = done + len(got), time.monotonic()
                    elif time.monotonic() - last > _SILENCE_SECONDS:
                        raise PeerFailed(f"{self._peer}: only {done} of {backlog} were judged")
        if done == first:
            raise PeerFailed("the backlog came out all at once; take a longer one")
        return round((done - first) / (last - began))

    def _send(self, made: Made) -> None:
        KafkaTopic(self._kafka, INPUT_TOPIC).send([(key, value, {}) for key, value, _ in made])

    @contextmanager
    def _served(self) -> Iterator[Callable[[], None]]:
        """The query's process; what is yielded raises when it has ended by itself."""
        with tempfile.TemporaryDirectory(prefix="peer-", ignore_cleanup_errors=True) as folder:
            said = Path(folder) / "said.log"
            with said.open("wb") as log:
                process = subprocess.Popen(
                    [sys.executable, "-m", "benchmarks.peer_query", *self._words],
                    cwd=folder, stdout=log, stderr=log, start_new_session=True,
                    # Nothing of it, its page neither, is to be reached from outside.
                    env={**os.environ, "SPARK_LOCAL_IP": "127.0.0.1"},
                )  # fmt: skip

            def alive() -> None:
                if process.poll() is not None:
                    secret = self._kafka.password.get_secret_value()
                    text = said.read_text(errors="replace").replace(secret, "***")
                    end = text[-_LAST_CHARACTERS:]
                    raise PeerFailed(
                        f"{self._peer} ended by itself; the end of what it said:\n{end}"
                    )

            try:
                yield alive
            finally:
                _end(process)


def _end(process: subprocess.Popen[bytes]) -> None:
    """End the query with its virtual machine: the next one shall have the processors to itself."""
    deadline = time.monotonic() + _STOP_SECONDS
    with suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGTERM)
        while time.monotonic() < deadline:
            process.poll()
            os.killpg(process.pid, 0)
            time.sleep(0.1)
        os.killpg(process.pid, signal.SIGKILL)
    process.wait()


def _messages(count: int) -> Made:
    """Key, value and, not known yet, the due time."""
    chance = random.Random(count)
    letters = "abcdefghijklmnopqrstuvwxyz234567"
    start = a_token("a")[:9]
    tokens = [start + "".join(chance.choices(letters, k=26)) for _ in range(_CUSTOMERS)]
    rows = vectors(count, seed=count).astype("<f8")
    return [(chance.choice(tokens), row.tobytes(), 0) for row in rows]


@contextmanager
def _reading(kafka: KafkaSettings) -> Iterator[Consumer]:
    reader = reader_at_end(kafka, OUTPUT_TOPIC)
    try:
        yield reader
    finally:
        reader.close()


def _arrived(reader: Consumer) -> list[int]:
    """The due times of the verdicts that came just now."""
    messages = reader.consume(1_000, timeout=0.05)
    for message in messages:
        raise_for_error(message)
    return [int((message.value() or b"").split()[1]) for message in messages]


def _first_arrival(reader: Consumer, alive: Callable[[], None]) -> tuple[int, float]:
    """How many verdicts came first, and when."""
    deadline = time.monotonic() + _START_SECONDS
    while not (got := _arrived(reader)):
        alive()
        if time.monotonic() > deadline:
            raise PeerFailed(f"no verdict came in {_START_SECONDS:.0f} s after the start")
    return len(got), time.monotonic()


def _latencies_ms(reader: Consumer, plan: LivePlan, alive: Callable[[], None]) -> list[int]:
    wanted, counted_from_ms = plan.count - plan.first_counted, int(plan.due_ms(plan.first_counted))
    deadline = plan.due_ms(plan.count) / 1000 + _GATHER_SECONDS
    found: list[int] = []
    while len(found) < wanted and time.time() < deadline:
        alive()
        due_ms = _arrived(reader)
        now_ms = time.time_ns() // 1_000_000
        found += [now_ms - due for due in due_ms if due >= counted_from_ms]
    return found


def main() -> None:
    """Measure both and print what was found."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--forest", type=Path, required=True)
    for name in ("seconds", "per-second", "backlog"):
        parser.add_argument(f"--{name}", type=int, required=True)
    jars = os.environ.get("DETECTOR_CONNECTOR_JARS")
    parser.add_argument("--connector-jars", default=jars, required=jars is None)
    given = parser.parse_args()
    kafka, told = KafkaSettings(), dict[str, Any]()
    ensure_forest(given.forest)
    for name in PEERS:
        peer = Peer(kafka, name, given.forest, given.connector_jars)
        told[name] = {
            **peer.live(given.per_second, given.seconds),
            "catch_up_per_second": peer.catch_up_per_second(given.backlog),
        }
    sys.stdout.write(json.dumps({**told, "note": NOTE}) + "\n")


if __name__ == "__main__":
    main()
