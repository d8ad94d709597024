"""A service that the supervisor gave up: mailed, and up again once its cause is gone."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from email import message_from_bytes
from email.policy import default
from pathlib import Path
from typing import Any

import psutil
import pytest
from aiosmtpd.controller import Controller

from fraudwatch.stack import supervisor
from fraudwatch.stack.private_stack import PrivateStack, running
from tests.waiting import eventually

# Five failed starts take half a minute; the first restart comes a minute after they were found.
WITHIN_SECONDS = 240


class Inbox:
    """Subjects and texts of the mails that were accepted."""

    def __init__(self) -> None:
        self.mails: list[tuple[str, str]] = []

    async def handle_DATA(self, _server: Any, _session: Any, envelope: Any) -> str:  # noqa: N802  aiosmtpd's name
        mail = message_from_bytes(envelope.content, policy=default)
        self.mails.append((mail["Subject"].partition(" on ")[0], mail.get_content()))
        return "250 OK"

    def has(self, subject: str) -> bool:
        return subject in [found for found, _ in self.mails]


@pytest.fixture
def inbox() -> Inbox:
    return Inbox()


@pytest.fixture
def stack(inbox: Inbox, tmp_path: Path) -> Iterator[PrivateStack]:
    with socket.socket() as chosen:
        chosen.bind(("127.0.0.1", 0))
        port = chosen.getsockname()[1]
    server = Controller(inbox, hostname="127.0.0.1", port=port)
    server.start()
    try:
        with running(tmp_path, {"AIRFLOW_EMAIL_SMTP_PORT": str(port)}, "kafka") as started:
            yield started
    finally:
        server.stop()


@pytest.mark.engines
def test_a_service_that_was_given_up_is_mailed_and_comes_back_without_a_person(
    stack: PrivateStack, inbox: Inbox
) -> None:
    def kafka() -> supervisor.Process:
        return supervisor.process(stack.home, "kafka")

    settings = stack.folder / "kafka/server.properties"
    settings.unlink()
    settings.mkdir()  # the broker cannot read it, nor can a restart replace it
    psutil.Process(stack.pid("kafka")).kill()
    eventually(
        lambda: inbox.has("[fraudwatch] kafka: given up"),
        within_seconds=WITHIN_SECONDS,
        what="the mail that kafka is given up",
    )
    assert kafka().state == "FATAL"
    settings.rmdir()
    eventually(
        lambda: stack.states("kafka")["kafka"].ready,
        within_seconds=WITHIN_SECONDS,
        what="kafka, started again by the watchdog",
    )
    eventually(
        lambda: inbox.has("[fraudwatch] kafka: recovered"),
        within_seconds=WITHIN_SECONDS,
        what="the mail that kafka has recovered",
    )
    assert [subject for subject, _ in inbox.mails] == [
        "[fraudwatch] kafka: given up",
        "[fraudwatch] kafka: recovered",
    ]
    assert "ERROR watchdog: kafka is given up" in log_of(stack)

    # What a person stops stays stopped.
    supervisor.call(stack.home, "stopProcess", "kafka")
    checks = log_times(stack)
    eventually(
        lambda: log_times(stack) > checks, within_seconds=60, what="another check of the watchdog"
    )
    assert kafka().state == "STOPPED"
    assert len(inbox.mails) == 2


def log_of(stack: PrivateStack) -> str:
    return supervisor.log_of(stack.home, "watchdog").read_text(encoding="utf-8")


def log_times(stack: PrivateStack) -> float:
    return (stack.home.run_folder / "watchdog.json").stat().st_mtime
