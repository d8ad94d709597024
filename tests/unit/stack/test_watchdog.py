"""The watchdog on a fake supervisor: what it restarts, logs, mails and reports."""

from __future__ import annotations

import logging
import time
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from email.message import EmailMessage
from pathlib import Path
from smtplib import SMTPServerDisconnected
from typing import Any

import pytest

from fraudwatch.orchestration.settings import MailSettings
from fraudwatch.stack.environments import exclusive
from fraudwatch.stack.home import Home, StackError
from fraudwatch.stack.incident_mail import Outbox
from fraudwatch.stack.incidents import Incidents, Observed
from fraudwatch.stack.probes import file_is_fresh
from fraudwatch.stack.watchdog import Watchdog
from fraudwatch.stack.watchdog_report import (
    STALE_SECONDS,
    WatchdogReport,
    read_report,
    report_path,
    write_report,
)

READY = Observed(name="console", state="RUNNING", is_ready=True, uptime_seconds=1_000)
FATAL = Observed(name="console", state="FATAL", is_ready=False)
MAIL = MailSettings(recipient="oncall@x.test", smtp_host="mail.x.test", smtp_from="a@x.test")


@dataclass
class FakeWatched:
    """Services in the states that a test sets."""

    home: Home
    states: Sequence[Observed] = (READY,)
    restarted: list[str] = field(default_factory=list)
    failure: Exception | None = None

    def observe(self) -> Sequence[Observed]:
        return self.states

    def restart(self, name: str) -> None:
        if self.failure:
            raise self.failure
        self.restarted.append(name)

    def reason(self, name: str) -> str:
        return f"{name} found no disk"


class World:
    """A watchdog with a clock, a mail server and a fake stack."""

    def __init__(self, home: Home) -> None:
        self.now = 1_000.0
        self.watched: Any = FakeWatched(home)
        self.mails: list[EmailMessage] = []
        self.mail_error: Exception | None = None
        self.incidents = Incidents(hung_seconds=300)
        outbox = Outbox(MAIL, self._accept)
        self.watchdog = Watchdog(lambda: self.watched, self.incidents, outbox, lambda: self.now)

    def _accept(self, _settings: MailSettings, mail: EmailMessage) -> None:
        if self.mail_error:
            raise self.mail_error
        self.mails.append(mail)

    def check(self, *states: Observed, after_seconds: float = 0) -> WatchdogReport:
        self.now += after_seconds
        self.watched.states = states
        return self.watchdog.check()

    @property
    def subjects(self) -> list[str]:
        return [mail["Subject"].partition(" on ")[0] for mail in self.mails]


@pytest.fixture
def world(tmp_path: Path) -> World:
    home = Home(root=tmp_path, runtime=tmp_path, folder=tmp_path / "home")
    home.make_folders()
    return World(home)


def test_an_incident_is_logged_and_mailed_once_and_its_end_once(
    world: World, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    for _ in range(3):
        world.check(FATAL, after_seconds=15)
    for _ in range(3):
        world.check(READY, after_seconds=60)
    assert world.subjects == [
        "[fraudwatch] console: given up",
        "[fraudwatch] console: recovered",
    ]
    assert [r.levelname for r in caplog.records if "console" in r.message] == ["ERROR", "INFO"]
    first = world.mails[0]
    assert (first["From"], first["To"]) == ("a@x.test", "oncall@x.test")
    assert "console found no disk" in first.get_content()
    assert "docs/runbooks/service_given_up.md" in first.get_content()


def test_incidents_of_one_check_are_one_mail(world: World) -> None:
    world.check(FATAL, replace(FATAL, name="tally"))
    assert world.subjects == ["[fraudwatch] console, tally: given up"]


def test_a_due_service_is_restarted_and_its_recovery_says_how_often(world: World) -> None:
    world.check(FATAL)
    world.check(FATAL, after_seconds=60)
    world.check(FATAL, after_seconds=60)
    assert world.watched.restarted == ["console"]
    world.check(READY, after_seconds=60)
    assert "restarts by the watchdog: 1" in world.mails[-1].get_content()


def test_nothing_is_restarted_while_a_command_starts_or_stops_the_stack(world: World) -> None:
    world.check(FATAL)
    with exclusive(world.watched.home.run_folder / "stack.lock"):
        world.check(FATAL, after_seconds=60)
        assert world.watched.restarted == []
    world.check(FATAL, after_seconds=15)
    assert world.watched.restarted == ["console"]


def test_a_restart_that_fails_is_logged_and_tried_again_later(
    world: World, caplog: pytest.LogCaptureFixture
) -> None:
    world.check(FATAL)
    world.watched.failure = StackError("the storage could not be formatted")
    world.check(FATAL, after_seconds=60)
    assert "console cannot be started: the storage could not be formatted" in caplog.text
    world.watched.failure = None
    world.check(FATAL, after_seconds=119)
    assert world.watched.restarted == []
    world.check(FATAL, after_seconds=1)
    assert world.watched.restarted == ["console"]


@pytest.mark.parametrize("error", [ConnectionRefusedError(), SMTPServerDisconnected("gone")])
def test_mails_wait_for_a_mail_server_that_does_not_answer(
    world: World, error: Exception, caplog: pytest.LogCaptureFixture
) -> None:
    world.mail_error = error
    world.check(FATAL)
    world.check(READY, after_seconds=60)
    assert caplog.text.count("are not accepted by mail.x.test:25") == 1
    world.mail_error = None
    world.check(READY, after_seconds=15)
    assert [subject.rpartition(" ")[2] for subject in world.subjects] == ["up", "recovered"]
    world.check(READY, after_seconds=15)
    assert len(world.mails) == 2


def test_the_report_has_open_incidents_and_waiting_times(world: World) -> None:
    world.check(FATAL)
    written = world.check(FATAL, after_seconds=40)
    assert written.unready_seconds == {"console": 40}
    assert read_report(world.watched.home) == written
    assert written.incidents == world.incidents.open
    assert not written.is_stale(world.now + STALE_SECONDS)
    assert written.is_stale(world.now + STALE_SECONDS + 1)


@pytest.mark.parametrize("content", ["", "[]", "{}", '{"incidents": [{"name": "x"}]}'])
def test_a_report_that_cannot_be_read_counts_as_none(world: World, content: str) -> None:
    home = world.watched.home
    assert read_report(home) is None
    report_path(home).write_text(content)
    assert read_report(home) is None


def test_the_watchdog_is_ready_while_it_writes_its_report(world: World) -> None:
    path = report_path(world.watched.home)
    assert not file_is_fresh(path)
    write_report(world.watched.home, WatchdogReport(checked_at=time.time()))
    assert file_is_fresh(path)
