"""Watchdog of a stack: restart services that are given up or hung, and mail each incident.

Supervisord restarts a process that exits and gives up after five failed starts in a row; it knows
nothing of readiness. ``python -m fraudwatch.stack.watchdog`` is a service of every profile: it
probes all others, restarts with growing delays, and never starts what a person stopped.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from xmlrpc.client import Fault

from pydantic_settings import BaseSettings

from fraudwatch.observability.failure_reason import last_sentence
from fraudwatch.observability.logs import configure_logging
from fraudwatch.orchestration.settings import MailSettings
from fraudwatch.settings import from_environment
from fraudwatch.stack import catalogue as catalogues
from fraudwatch.stack import env_file, supervisor
from fraudwatch.stack.catalogue import Launch
from fraudwatch.stack.environments import exclusive_if_free
from fraudwatch.stack.home import Home, StackError
from fraudwatch.stack.incident_mail import Outbox, described, opened_mail, recovered_mail
from fraudwatch.stack.incidents import Findings, Incident, Incidents, Observed
from fraudwatch.stack.launches import all_launches
from fraudwatch.stack.prepare import prepare
from fraudwatch.stack.probes import probe_for
from fraudwatch.stack.state import profile_of
from fraudwatch.stack.supervisor import Process
from fraudwatch.stack.system_programs import runnable_profile
from fraudwatch.stack.waiting import SHOWN_LINES, last_lines
from fraudwatch.stack.watchdog_report import WatchdogReport, read_report, write_report

NAME = "watchdog"
log = logging.getLogger(NAME)


class WatchdogSettings(BaseSettings):
    """How often the watchdog checks, and how long a service that runs may be not ready."""

    model_config = from_environment("WATCHDOG_")
    check_seconds: float = 15.0
    hung_seconds: float = 300.0
    java_home: Path


@dataclass(frozen=True, kw_only=True)
class Watched:
    """The services that the watchdog checks, and their needs: one profile of one home."""

    home: Home
    settings: Mapping[str, str]
    launches: Mapping[str, Launch]

    def observe(self) -> tuple[Observed, ...]:
        """Probe every server in parallel, each after those it needs."""
        found = supervisor.processes(self.home)
        with ThreadPoolExecutor() as pool:
            answers = pool.map(lambda name: self._is_ready(name, found.get(name)), self.launches)
            ready = dict(zip(self.launches, answers, strict=True))
        return tuple(self._observed(found, ready))

    def restart(self, name: str) -> None:
        """Stop a service if it runs, prepare it and start it, without waiting until it is ready."""
        if supervisor.process(self.home, name).state in supervisor.ACTIVE:
            supervisor.call(self.home, "stopProcess", name)
        prepare(self.home, self.launches[name], self.settings)
        supervisor.start_process(self.home, name)

    def reason(self, name: str) -> str:
        """Return the last sentence of a service's log."""
        return last_sentence(last_lines(self.home, name, SHOWN_LINES)) or "empty"

    def _is_ready(self, name: str, process: Process | None) -> bool:
        if process is None:
            return False
        launch = self.launches[name]
        if launch.service.oneshot:
            return process.state == "EXITED" and process.exit_status == 0
        return process.state == "RUNNING" and probe_for(launch, self.settings)()

    def _observed(
        self, found: Mapping[str, Process], ready: Mapping[str, bool]
    ) -> Iterator[Observed]:
        for name, launch in self.launches.items():
            process = found.get(name)
            if launch.service.oneshot or process is None or name == NAME:
                continue
            yield Observed(
                name=name,
                state=process.state,
                is_ready=ready[name],
                uptime_seconds=process.uptime_seconds,
                ready_seconds=launch.service.ready_seconds,
                needs_ready=all(ready[need] for need in launch.service.needs),
            )


class Watchdog:
    """Checks a stack, restarts what is due, and reports."""

    def __init__(
        self,
        watched: Callable[[], Watched],
        incidents: Incidents,
        outbox: Outbox,
        now: Callable[[], float],
    ) -> None:
        self._current = watched
        self._incidents = incidents
        self._outbox = outbox
        self._now = now

    def check(self) -> WatchdogReport:
        """Check every service once; return the report, which is on disk as well."""
        watched = self._current()
        observed = watched.observe()
        findings = self._incidents.check(observed, self._now())
        self._announce(findings, watched)
        self._restart(findings.due, watched)
        self._outbox.flush()
        now = self._now()
        waits = {one.name: self._incidents.unready_seconds(one.name, now) for one in observed}
        report = WatchdogReport(
            checked_at=now, unready_seconds=waits, incidents=self._incidents.open
        )
        write_report(watched.home, report)
        return report

    def _announce(self, findings: Findings, watched: Watched) -> None:
        for incident in findings.opened:
            log.error("%s; see docs/runbooks/service_given_up.md", described(incident))
        for incident in findings.recovered:
            log.info("%s recovered after %d restarts", incident.service, incident.restarts)
        if findings.opened:
            self._outbox.add(opened_mail(findings.opened, watched.reason))
        if findings.recovered:
            self._outbox.add(recovered_mail(findings.recovered, self._now()))

    def _restart(self, due: tuple[Incident, ...], watched: Watched) -> None:
        # A person's command comes first: it may be stopping the very service.
        with exclusive_if_free(watched.home.run_folder / "stack.lock") as is_free:
            for incident in due if is_free else ():
                log.warning("restarting %s, which is %s", incident.service, incident.kind)
                try:
                    watched.restart(incident.service)
                except (StackError, Fault, OSError) as error:
                    log.error("%s cannot be started: %s", incident.service, error)  # noqa: TRY400
                self._incidents.note_restart(incident.service, self._now())


def watched_of(home: Home, profile: str, java_home: Path) -> Watched:
    """Read the settings of a running home, and select the services of a profile.

    Raises:
        StackError: the home has no settings.
    """
    catalogue, settings = catalogues.load(), env_file.read(home)
    if settings is None:
        raise StackError(f"{home.env_file} is missing; run ./fraudwatch up, which creates it")
    launches = all_launches(home, catalogue, settings, java_home)
    names = runnable_profile(catalogue, profile)
    return Watched(home=home, settings=settings, launches={name: launches[name] for name in names})


def main() -> None:
    """Check the stack every few seconds, until it is killed."""
    configure_logging(NAME)
    settings, home = WatchdogSettings(), Home.from_environment()
    before = read_report(home)
    incidents = Incidents(settings.hung_seconds, before.incidents if before else ())
    # `up` of another profile changes the services while this process runs.
    watched = lru_cache(1)(lambda profile: watched_of(home, profile, settings.java_home))
    watchdog = Watchdog(
        lambda: watched(profile_of(home)), incidents, Outbox(MailSettings()), time.time
    )
    log.info("checking every %g s; a service not ready for %g s is restarted",
             settings.check_seconds, settings.hung_seconds)  # fmt: skip
    while True:
        watchdog.check()
        time.sleep(settings.check_seconds)


if __name__ == "__main__":
    main()
