"""Plan the faults of a chaos run: services, order and pauses, all derived from a seed."""

from __future__ import annotations

import enum
import itertools
import random
from dataclasses import dataclass

# Every process on a purchase's path, the engines included.
SERVICES = ("ingest", "detector", "persister", "kafka", "cassandra")
# It publishes verdicts before Spark commits; some kills aim between the two.
_PUBLISHES_THEN_COMMITS = "detector"
# Longer than the 45 s after which the persister's consumer group removes a silent member.
STOP_SECONDS = 50.0
SHORTEST_PAUSE_SECONDS, LONGEST_PAUSE_SECONDS = 1.0, 6.0


class FaultKind(enum.StrEnum):
    """Kind of fault to inject."""

    KILL = "kill"  # SIGKILL to the whole process group
    # SIGKILL right after the next verdict, to hit a batch that is published and not committed.
    KILL_AT_VERDICT = "kill_at_verdict"
    STOP = "stop"  # SIGSTOP, later SIGCONT: the process continues without noticing the pause


@dataclass(frozen=True, slots=True)
class Fault:
    """One fault: service, kind, and the pause without faults before it."""

    service: str
    kind: FaultKind
    pause_seconds: float


def plan(
    seed: int, kills: int, services: tuple[str, ...] = SERVICES, *, stop: str | None = "persister"
) -> list[Fault]:
    """Plan kills in turn, each round in another order; one service is stopped once, in between.

    Every second kill of the detector, the first included, waits for a verdict.
    """
    rng = random.Random(seed)
    faults: list[tuple[str, FaultKind]] = []
    while len(faults) < kills:
        faults += [(one, FaultKind.KILL) for one in rng.sample(services, len(services))]
    faults = _some_at_a_verdict(faults[:kills])
    if stop is not None:
        faults.insert(rng.randint(0, len(faults)), (stop, FaultKind.STOP))
    return [
        Fault(service, kind, rng.uniform(SHORTEST_PAUSE_SECONDS, LONGEST_PAUSE_SECONDS))
        for service, kind in faults
    ]


def _some_at_a_verdict(faults: list[tuple[str, FaultKind]]) -> list[tuple[str, FaultKind]]:
    kinds = itertools.cycle((FaultKind.KILL_AT_VERDICT, FaultKind.KILL))
    return [
        (service, next(kinds) if service == _PUBLISHES_THEN_COMMITS else kind)
        for service, kind in faults
    ]
