"""Upgrade a home to this code: drain by the old code, stop, migrate, start, verify."""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass, field, replace

import psutil

from fraudwatch.adapters.lake.checkpoint_version import record_owner
from fraudwatch.home_format import HOME_FORMAT
from fraudwatch.stack import env_file, home_version, install, runner, supervisor
from fraudwatch.stack.catalogue import Catalogue
from fraudwatch.stack.environments import Notify
from fraudwatch.stack.home import Home, StackError
from fraudwatch.stack.home_version import HomeVersion
from fraudwatch.stack.new_features import carry_over
from fraudwatch.stack.positions import PositionReader, Positions
from fraudwatch.stack.quiet_stack import drained, refuse_begun_batch
from fraudwatch.stack.state import profile_of
from fraudwatch.stack.system_programs import runnable_profile
from fraudwatch.stack.upgrade_steps import migrate


@dataclass(kw_only=True)
class UpgradeReport:
    """Result of an upgrade."""

    from_format: int
    from_features_version: str | None
    to_format: int = HOME_FORMAT
    to_features_version: str | None = None
    states: str = "kept"
    steps: tuple[str, ...] = ()
    drained: bool = False
    started: bool = False
    closed_seconds: float = 0.0
    """How long ingest accepted nothing."""
    positions: Mapping[str, object] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True)
class Upgrade:
    """One upgrade of one home."""

    home: Home
    catalogue: Catalogue
    notify: Notify
    may_rerun_begun_batch: bool = False

    def run(self) -> UpgradeReport:
        """Upgrade the home; a second run does nothing twice, and goes on after a kill.

        Raises:
            StackError: the home is new or newer, cannot be drained, or does not start.
        """
        version, settings = self._version(), env_file.read(self.home)
        if settings is None:
            raise StackError(
                f"{self.home.env_file} does not exist, so Kafka and Cassandra would refuse "
                "every login; put the home's .env back, then run this again"
            )
        report = UpgradeReport(
            from_format=version.format, from_features_version=version.features_version
        )
        self._carry_over(version, settings, report)
        with runner.lock(self.home, self.notify):
            if supervisor.is_alive(self.home):
                self._upgrade_running(settings, report)
            else:
                self._refuse_begun()
                report.steps = migrate(self.home, self._version(), self.notify)
        report.to_features_version = home_version.code_version().features_version
        return report

    def _version(self) -> HomeVersion:
        found = home_version.read(self.home)
        if found is None:
            raise StackError(
                f"{self.home.folder} was never started, so there is nothing to upgrade; run "
                "./fraudwatch up"
            )
        if found.format > HOME_FORMAT:
            home_version.claim(self.home)  # refuses, with the reason
        return found

    def _carry_over(
        self, version: HomeVersion, settings: Mapping[str, str], report: UpgradeReport
    ) -> None:
        """Make a state of the new features version, recorded so that a killed upgrade goes on."""
        ours = home_version.code_version().features_version
        step = f"states_of_features_{ours}"
        if version.features_version in {None, ours} or step in version.steps:
            return
        report.states = carry_over(self.home, self.catalogue, settings, self.notify)
        home_version.write(self.home, replace(version, steps=(*version.steps, step)))

    def _upgrade_running(self, settings: Mapping[str, str], report: UpgradeReport) -> None:
        profile = profile_of(self.home)
        if not self._runs_from_here():
            names = runnable_profile(self.catalogue, profile)
            install.ensure(self.home, self.catalogue, names, self.notify)
        closed_at = time.monotonic()
        with drained(self.home, self.catalogue, settings, self.notify) as before:
            self.notify("drained; stopping the old version ...")
            runner.down_locked(self.home, self.catalogue, self.notify)
        report.drained, report.positions = True, before.as_document() if before else {}
        report.steps = migrate(self.home, self._version(), self.notify)
        runner.up_locked(self.home, self.catalogue, profile, self.notify)
        report.started = True
        report.closed_seconds = round(time.monotonic() - closed_at, 1)
        if before:
            self._verify(before)

    def _runs_from_here(self) -> bool:
        """Whether the running stack uses this checkout's environments: they must not change yet."""
        pid = supervisor.call(self.home, "getPID")
        return psutil.Process(pid).cwd() == str(self.home.root)

    def _refuse_begun(self) -> None:
        if not self.may_rerun_begun_batch:
            refuse_begun_batch(self.home)
        elif (self.home.folder / "detector").exists():
            self.notify("a begun micro-batch, if there is one, is run again by this code")
            record_owner(self.home.folder / "detector")

    def _verify(self, before: Positions) -> None:
        """Check that everything continues where it was.

        Raises:
            StackError: an end offset or a position is smaller than before.
        """
        settings = env_file.ensure(self.home)
        after = PositionReader.of(self.home, self.catalogue, settings, ()).positions()
        then, now = _flat(before), _flat(after)
        lost = [name for name, offset in then.items() if now.get(name, 0) < offset]
        if lost:
            raise StackError(
                f"after the upgrade these positions are smaller than before: {', '.join(lost)}; "
                "stop the stack and restore the backup that was made before"
            )


def _flat(positions: Positions) -> dict[str, int]:
    ends = {f"{topic}-{n}": at for topic, by in positions.ends.items() for n, at in by.items()}
    scored = {f"detector at {n}": at for n, at in positions.scored.items()}
    groups = {
        f"{group} at {topic}-{number}": at
        for group, topics in positions.groups.items()
        for topic, offsets in topics.items()
        for number, at in offsets.items()
    }
    return {**ends, **scored, **groups}
