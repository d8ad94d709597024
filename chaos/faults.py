"""What is broken, in which order and when: a plan that follows from its seed alone."""

from __future__ import annotations

import enum
import itertools
import random
from dataclasses import dataclass

# Every process that a purchase passes, the engines included.
SERVICES = ("ingest", "detector", "persister", "kafka", "cassandra")
# The one that publishes and has Spark commit afterwards: between the two it is killed on purpose.
_PUBLISHES_THEN_COMMITS = "detector"
# The persister's consumer group gives up a silent member after 45 s; it must outlive that.
STOP_SECONDS = 50.0
SHORTEST_PAUSE_SECONDS, LONGEST_PAUSE_SECONDS = 1.0, 6.0


class Kind(enum.StrEnum):
    """How a process is broken."""

    KILL = "kill"  # SIGKILL to its whole group, so that nothing of it lives on
    # SIGKILL right after its next verdict, to meet a batch that is published and not committed.
    KILL_AT_VERDICT = "kill_at_verdict"
    STOP = "stop"  # SIGSTOP, later SIGCONT: it returns and knows nothing of the time between


@dataclass(frozen=True, slots=True)
class Fault:
    """One blow: on whom, how, and how long the path runs in peace before it."""

    service: str
    kind: Kind
    pause_seconds: float


def plan(
    seed: int, kills: int, services: tuple[str, ...] = SERVICES, *, stop: str | None = "persister"
) -> list[Fault]:
    """Kills in turn, each round in another order; one service is stopped once, in between.

    Every second kill of the detector, the first included, waits for a verdict.
    """
    chance = random.Random(seed)
    blows: list[tuple[str, Kind]] = []
    while len(blows) < kills:
        blows += [(one, Kind.KILL) for one in chance.sample(services, len(services))]
    blows = _some_at_a_verdict(blows[:kills])
    if stop is not None:
        blows.insert(chance.randint(0, len(blows)), (stop, Kind.STOP))
    return [
        Fault(service, kind, chance.uniform(SHORTEST_PAUSE_SECONDS, LONGEST_PAUSE_SECONDS))
        for service, kind in blows
    ]


def _some_at_a_verdict(blows: list[tuple[str, Kind]]) -> list[tuple[str, Kind]]:
    kinds = itertools.cycle((Kind.KILL_AT_VERDICT, Kind.KILL))
    return [
        (service, next(kinds) if service == _PUBLISHES_THEN_COMMITS else kind)
        for service, kind in blows
    ]
