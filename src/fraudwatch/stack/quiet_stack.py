"""Drain a running stack by the code that runs: stop what lets messages in, wait, stop scoring."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from xmlrpc.client import Fault

from fraudwatch.adapters.lake.spark_checkpoint import begun_batch
from fraudwatch.stack import supervisor
from fraudwatch.stack.catalogue import Catalogue
from fraudwatch.stack.drain import DETECTOR, GROUPS, wait_until_drained
from fraudwatch.stack.environments import Notify
from fraudwatch.stack.home import Home, StackError
from fraudwatch.stack.positions import DetectorFolder, PositionReader, Positions

# They produce to the topics that detector, persister and tally read; nothing else does.
ENTRANCES = ("console", "rest_api", "ingest")
_STOPPED = frozenset({"STOPPED", "FATAL"})
_ATTEMPTS = 50
_POLL_SECONDS = 0.2


@contextmanager
def drained(
    home: Home, catalogue: Catalogue, settings: Mapping[str, str], notify: Notify
) -> Iterator[Positions | None]:
    """Drain a running stack and stop its detector and consumers; yield where everything ends.

    None for a stack without Kafka. If the drain or the body fails, what was stopped starts again.

    Raises:
        StackError: there is a backlog that does not shrink, or a begun micro-batch and no detector.
    """
    running = _running(home, catalogue)
    with _restarted_on_failure(home, catalogue, running):
        for name in ENTRANCES:
            _stop(home, running, name)
        notify("ingest is stopped, so that nothing new comes in")
        if DETECTOR not in running:
            refuse_begun_batch(home)
        if "kafka" not in running:
            yield None
            return
        reader = PositionReader.of(home, catalogue, settings, running)
        wait_until_drained(reader.backlog, notify)
        for name in (DETECTOR, *GROUPS):
            _stop(home, running, name)
        refuse_begun_batch(home)
        yield reader.positions()


def refuse_begun_batch(home: Home) -> None:
    """Refuse where a micro-batch is begun and not committed, and no code runs that could end it.

    Raises:
        StackError: there is one; other code might give its purchases a second, different verdict.
    """
    begun = begun_batch(DetectorFolder(home.folder / "detector"))
    if begun is not None:
        raise StackError(
            f"micro-batch {begun} was begun and not committed: verdicts of it may be published, "
            "and other code could score the same purchases differently. So nothing was changed; "
            "start the version that this home ran with (./fraudwatch up in its checkout) until "
            "./fraudwatch status shows the detector ready, then run this command while it runs"
        )


def _running(home: Home, catalogue: Catalogue) -> frozenset[str]:
    """List the services that run or are about to: one that has just exited is started again."""
    jobs = {name for name, service in catalogue.services.items() if service.oneshot}
    restarting = supervisor.ACTIVE | {"EXITED"}
    return frozenset(
        name
        for name, one in supervisor.processes(home).items()
        if one.state in (supervisor.ACTIVE if name in jobs else restarting)
    )


@contextmanager
def _restarted_on_failure(
    home: Home, catalogue: Catalogue, running: frozenset[str]
) -> Iterator[None]:
    try:
        yield
    except BaseException:
        if supervisor.is_alive(home):
            for name in (*GROUPS, DETECTOR, *ENTRANCES):
                if name in running and name not in _running(home, catalogue):
                    supervisor.start_process(home, name)
        raise


def _stop(home: Home, running: frozenset[str], name: str) -> None:
    """Stop a service for good; one that has just exited is first started again by supervisord."""
    for _ in range(_ATTEMPTS):
        if name not in running or supervisor.process(home, name).state in _STOPPED:
            return
        try:
            supervisor.call(home, "stopProcess", name)
        except Fault:
            time.sleep(_POLL_SECONDS)
    raise StackError(f"{name} does not stop; see ./fraudwatch logs supervisord")
