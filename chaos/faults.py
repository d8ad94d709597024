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
# Kills of single services for each kill of everything.
KILLS_PER_CRASH = 10
EVERYTHING = "everything"
SHORTEST_PAUSE_SECONDS, LONGEST_PAUSE_SECONDS = 1.0, 6.0


class FaultKind(enum.StrEnum):
    """Kind of fault to inject."""

    KILL = "kill"  # SIGKILL to the whole process group
    # SIGKILL right after the next verdict, to hit a batch that is published and not committed.
    KILL_AT_VERDICT = "kill_at_verdict"
    # SIGKILL to every process of the stack at once, its supervisor included, right after a verdict;
    # then it is started again by command, as after a crash of the machine.
    KILL_EVERYTHING = "kill_everything"
    STOP = "stop"  # SIGSTOP, later SIGCONT: the process continues without noticing the pause


AT_A_VERDICT = frozenset({FaultKind.KILL_AT_VERDICT, FaultKind.KILL_EVERYTHING})
_CRASH = (EVERYTHING, FaultKind.KILL_EVERYTHING)


@dataclass(frozen=True, slots=True)
class Fault:
    """One fault: service or ``everything``, kind, and the pause without faults before it."""

    service: str
    kind: FaultKind
    pause_seconds: float


def plan(
    seed: int, kills: int, services: tuple[str, ...] = SERVICES, *, stop: str | None = "persister"
) -> list[Fault]:
    """Plan kills in turn, each round in another order; one service is stopped once, in between.

    Every second kill of the detector, the first included, waits for a verdict. Beside each ten
    kills, everything is killed at once.
    """
    rng = random.Random(seed)
    faults: list[tuple[str, FaultKind]] = []
    while len(faults) < kills:
        faults += [(one, FaultKind.KILL) for one in rng.sample(services, len(services))]
    faults = _some_at_a_verdict(faults[:kills])
    if stop is not None:
        faults.insert(rng.randint(0, len(faults)), (stop, FaultKind.STOP))
    for _ in range(kills // KILLS_PER_CRASH):
        faults.insert(rng.randint(0, len(faults)), _CRASH)
    return _with_pauses(rng, faults)


def crashes(seed: int, count: int) -> list[Fault]:
    """Plan kills of everything alone."""
    return _with_pauses(random.Random(seed), [_CRASH] * count)


def _with_pauses(rng: random.Random, faults: list[tuple[str, FaultKind]]) -> list[Fault]:
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
