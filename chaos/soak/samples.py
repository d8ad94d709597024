"""Sample a private stack under load: memory of each service, state, backlog, verdict times."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from benchmarks.figures import latency_percentiles
from benchmarks.process_use import Memory, memory_of_tree
from benchmarks.scraped import Scrape
from fraudwatch.adapters.kafka_log.ends import committed_of, ends_of
from fraudwatch.stack import supervisor
from fraudwatch.stack.private_stack import PrivateStack
from fraudwatch.topics import FRAUD_TOPIC, TRANSACTION_TOPIC

_PERSISTED = (TRANSACTION_TOPIC, FRAUD_TOPIC)


@dataclass(frozen=True, slots=True, kw_only=True)
class Sample:
    """State of the stack at one instant; verdict times are those since the sample before."""

    hours: float
    pids: Mapping[str, int]
    memory: Mapping[str, Memory]
    state_bytes: int
    detector_behind: int
    persister_behind: int
    purchase_to_verdict_ms: Mapping[str, float] | None  # None: no sampled verdict came

    def as_json(self) -> dict[str, Any]:
        """Build the sample's entry of the report."""
        return {
            "minutes": round(60 * self.hours, 1),
            "state_bytes": self.state_bytes,
            "detector_behind_messages": self.detector_behind,
            "persister_behind_messages": self.persister_behind,
            "purchase_to_verdict_ms": self.purchase_to_verdict_ms,
            "rss_mib": {name: round(one.resident_mib) for name, one in self.memory.items()},
            "private_mib": {name: round(one.private_mib) for name, one in self.memory.items()},
        }


@dataclass(frozen=True, slots=True)
class Sampler:
    """Sampler of one stack; hours count from its start."""

    stack: PrivateStack
    began: float

    def sample(self, verdict_times_ms: Sequence[float]) -> Sample:
        """Take a sample.

        Raises:
            TransportError: the detector does not answer.
        """
        at = time.monotonic()
        pids = {
            name: found.pid
            for name, found in supervisor.processes(self.stack.home).items()
            if found.pid > 0
        }
        detector = Scrape.of(self.stack.port("detector", "metrics"))
        return Sample(
            hours=(at - self.began) / 3600,
            pids=pids,
            memory={name: memory_of_tree(pid) for name, pid in pids.items()},
            state_bytes=int(detector.value("fraudwatch_detector_state_bytes")),
            detector_behind=int(detector.value("fraudwatch_detector_behind_messages")),
            persister_behind=self._persister_behind(),
            purchase_to_verdict_ms=(
                {**latency_percentiles(verdict_times_ms), "sampled": len(verdict_times_ms)}
                if verdict_times_ms
                else None
            ),
        )

    def _persister_behind(self) -> int:
        kafka, behind = self.stack.kafka("admin"), 0
        for topic in _PERSISTED:
            committed = committed_of(kafka, "persister", topic)
            behind += sum(end - committed[n] for n, end in ends_of(kafka, topic).items())
        return behind
