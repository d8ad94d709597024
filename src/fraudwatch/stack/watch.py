"""Keep a stack up in the foreground, for systemd: start it, follow its health, stop it in order.

The service `watchdog` of the stack restarts single services. This process watches the watchdog:
it pings systemd as long as checks are made and no vital service has been unready for too long, so
that systemd restarts everything when restarts one by one do not help. After ``./fraudwatch down``
it idles until a command starts the stack again.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Collection
from dataclasses import dataclass, field
from itertools import count
from typing import Final, NamedTuple

from fraudwatch.stack import runner, supervisor
from fraudwatch.stack.catalogue import Catalogue
from fraudwatch.stack.environments import exclusive_if_free
from fraudwatch.stack.home import Home, StackError
from fraudwatch.stack.incidents import RETRY_SECONDS
from fraudwatch.stack.system_programs import runnable_profile
from fraudwatch.stack.systemd_notify import Notifier
from fraudwatch.stack.watchdog_report import WatchdogReport, read_report

CHECK_SECONDS: Final = 15.0
# The watchdog's own restarts come after 1, 2, 5 and 15 minutes.
VITAL_SECONDS: Final = 1_800.0
log = logging.getLogger("watch")


class StopWatching(Exception):
    """SIGTERM or Ctrl-C: stop the stack and end."""


class Health(NamedTuple):
    """Whether systemd may assume that the stack works, and one line about it."""

    is_ok: bool
    sentence: str


def judge(
    report: WatchdogReport | None, vital: Collection[str], now: float, since: float
) -> Health:
    """Judge a running stack by the watchdog's report; ``since`` is when it was last started."""
    if report is None or report.is_stale(now):
        starting = WatchdogReport(checked_at=since)
        return Health(not starting.is_stale(now), "the watchdog does not report")
    lost = {name: report.unready_seconds.get(name, 0.0) for name in sorted(vital)}
    if names := [name for name, seconds in lost.items() if seconds > VITAL_SECONDS]:
        minutes = VITAL_SECONDS / 60
        return Health(False, f"not ready for more than {minutes:.0f} minutes: {', '.join(names)}")
    if report.incidents:
        names = [f"{one.service} {one.kind}" for one in report.incidents]
        return Health(True, f"restarting {', '.join(names)}")
    waiting = sorted(name for name, seconds in report.unready_seconds.items() if seconds)
    return Health(True, f"not ready yet: {', '.join(waiting)}" if waiting else "all are ready")


@dataclass(kw_only=True)
class Watch:
    """One profile of one home, kept up until :class:`StopWatching` is raised."""

    home: Home
    catalogue: Catalogue
    profile: str
    systemd: Notifier
    now: Callable[[], float] = time.time
    sleep: Callable[[float], None] = time.sleep
    _started_at: float = field(init=False, default=0.0)
    _shown: str = field(init=False, default="")

    def run(self) -> None:
        """Start the stack and follow it; on StopWatching stop it in order."""
        try:
            self._start()
            self.systemd.send("READY=1")
            while True:
                self.follow()
                self.sleep(self._pause())
        except StopWatching:
            self.systemd.send("STOPPING=1", "STATUS=stopping")
            runner.down(self.home, self.catalogue, self._progress)

    def follow(self) -> None:
        """Check the stack once: ping systemd, or start the stack again if it is gone."""
        if self._is_busy():
            self._report(Health(True, "another command is starting or stopping the stack"))
        elif supervisor.is_alive(self.home):
            self._restart_watchdog()
            self._report(judge(read_report(self.home), self._vital(), self.now(), self._started_at))
        elif runner.is_stopped_by_command(self.home):
            self._report(Health(True, "stopped by ./fraudwatch down; ./fraudwatch up resumes"))
        else:
            log.error("the supervisor of %s is gone, so everything is started", self.home.folder)
            self._start()

    def _start(self) -> None:
        """Start the profile; after a failure again, with growing delays. What runs goes on."""
        for attempt in count():
            try:
                runner.up(self.home, self.catalogue, self.profile, self._progress)
            except StackError as error:
                delay = RETRY_SECONDS[min(attempt, len(RETRY_SECONDS) - 1)]
                log.error("%s", error)  # noqa: TRY400  the message has cause, effect and fix
                self._report(Health(True, f"not started, again in {delay:.0f} s: {error}"))
                self._wait(delay)
            else:
                self._started_at = self.now()
                return

    def _wait(self, seconds: float) -> None:
        until = self.now() + seconds
        while (left := until - self.now()) > 0:
            self.sleep(min(left, self._pause()))
            self.systemd.send("WATCHDOG=1")

    def _restart_watchdog(self) -> None:
        """Start the one service that nothing else restarts once it is given up."""
        if supervisor.process(self.home, "watchdog").state == "FATAL":
            log.error("the watchdog is given up, so it is started again")
            supervisor.start_process(self.home, "watchdog")

    def _vital(self) -> set[str]:
        names = runnable_profile(self.catalogue, self.profile)
        return {name for name in names if self.catalogue.services[name].vital}

    def _is_busy(self) -> bool:
        with exclusive_if_free(self.home.run_folder / "stack.lock") as is_free:
            return not is_free

    def _pause(self) -> float:
        limit = self.systemd.watchdog_seconds
        return CHECK_SECONDS if limit is None else min(CHECK_SECONDS, limit / 3)

    def _progress(self, sentence: str) -> None:
        log.info("%s", sentence)
        # A first start downloads for minutes: systemd is asked for patience with each step.
        self.systemd.send(f"STATUS={sentence}", "WATCHDOG=1", "EXTEND_TIMEOUT_USEC=1800000000")

    def _report(self, health: Health) -> None:
        if health.sentence != self._shown:
            log.log(logging.INFO if health.is_ok else logging.ERROR, "%s", health.sentence)
        self._shown = health.sentence
        self.systemd.send(f"STATUS={health.sentence}", *(["WATCHDOG=1"] if health.is_ok else []))
