"""The mail itself, then real runs of DAGs against a real SMTP server."""

from __future__ import annotations

import ast
import os
import re
import shutil
import socket
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass, field
from email import message_from_bytes
from email.message import EmailMessage, Message
from email.policy import default
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from aiosmtpd.controller import Controller
from aiosmtpd.smtp import Envelope
from airflow.sdk.exceptions import AirflowFailException, AirflowTaskTimeout

from fraudwatch.orchestration.failure_mail import (
    KILLED,
    MAX_CHARACTERS,
    REASON_KEY,
    TIMED_OUT,
    UNREADABLE,
    Failure,
    failure_of,
    message,
    section_of,
    store_reason,
)
from fraudwatch.orchestration.job_process import JobFailed

pytestmark = pytest.mark.timeout(700)  # an Airflow is made and six runs are done
DAGS = Path(__file__).parents[3] / "dags"
PAGE = """Purpose.

### If it fails

- `extract_day`: ask the <shop>.

### Owner

fraudwatch
"""
FAILING_DAGS = Path(__file__).with_name("failing_dags.py")


@dataclass
class Task:
    """The part of Airflow's task instance that the callbacks use."""

    map_index: int = -1
    task_id: str = "extract_day"
    log_url: str = "http://127.0.0.1:8080/dags/ingest/runs/r/tasks/extract_day?try_number=1&x=1"
    stored: dict[str, str] = field(default_factory=dict)

    def xcom_push(self, key: str, value: str) -> None:
        self.stored[key] = value

    def xcom_pull(self, *, task_ids: str, key: str, map_indexes: int) -> str | None:
        assert (task_ids, map_indexes) == (self.task_id, self.map_index)
        return self.stored.get(key)


def context_of(task: Task | None, reason: str = "task_failure") -> Any:
    made = SimpleNamespace(dag_id="ingest", doc_md=PAGE)
    context = {"dag": made, "run_id": "manual__1", "reason": reason}
    return context | ({"ti": task} if task else {})


def test_the_reason_is_passed_from_the_task_to_the_run() -> None:
    task = Task(map_index=2)
    store_reason({"ti": task, "exception": ValueError("the shop is down")})  # type: ignore[typeddict-item]
    failure = failure_of(context_of(task))
    assert failure.reason == "ValueError: the shop is down"
    assert failure.task == "extract_day[2]"


def test_a_killed_task_stores_nothing_and_the_mail_says_so() -> None:
    task = Task()
    store_reason({"ti": task})  # type: ignore[typeddict-item]
    assert task.stored == {}
    assert failure_of(context_of(task)).reason == KILLED


def test_a_reason_that_cannot_be_read_stops_no_mail() -> None:
    class Unanswered(Task):
        def xcom_pull(self, *, task_ids: str, key: str, map_indexes: int) -> str | None:
            raise ConnectionError(task_ids, key, map_indexes)

    assert failure_of(context_of(Unanswered())).reason == UNREADABLE


def test_a_long_reason_is_truncated_at_the_end() -> None:
    task = Task()
    store_reason({"ti": task, "exception": ValueError("the cause" + "x" * 9_000)})  # type: ignore[typeddict-item]
    assert len(task.stored[REASON_KEY]) == MAX_CHARACTERS
    assert task.stored[REASON_KEY].startswith("ValueError: the cause")


@pytest.mark.parametrize(
    ("exception", "reason"),
    [
        (JobFailed("HDFS is full; free some"), "HDFS is full; free some"),
        (AirflowFailException("no such day"), "no such day"),
        (AirflowTaskTimeout("Timeout, PID: 7"), TIMED_OUT),
        (KeyError(), "KeyError()"),
    ],
)
def test_a_reason_that_is_a_sentence_has_no_prefix(exception: BaseException, reason: str) -> None:
    task = Task()
    store_reason({"ti": task, "exception": exception})  # type: ignore[typeddict-item]
    assert task.stored[REASON_KEY] == reason


def test_a_run_that_exceeded_its_time_is_reported_without_a_task() -> None:
    failure = failure_of(context_of(None, "timed_out"))
    assert failure.task == ""
    assert "exceeded its time limit" in failure.reason
    assert failure.log_url.endswith("/dags/ingest/runs/manual__1")


def test_a_mail_gives_the_reason_then_what_to_do_then_the_link() -> None:
    task = Task(stored={REASON_KEY: "The shop is down; nothing was written."})
    mail = message(
        failure_of(context_of(task)), sender="a@example.test", recipient="b@example.test"
    )
    assert _body(mail, "plain") == (
        "The shop is down; nothing was written.\n\nWhat to do\n\n"
        f"- `extract_day`: ask the <shop>.\n\nLog: {task.log_url}\n"
    )
    page = _body(mail, "html")
    assert page.index("The shop is down") < page.index("ask the &lt;shop&gt;") < page.index("href")


@pytest.mark.parametrize("page", [None, "Purpose."])
def test_without_the_section_the_mail_points_to_the_dags_page(page: str | None) -> None:
    assert "section If it fails" in section_of(page)


@pytest.mark.parametrize("path", sorted(DAGS.glob("*.py")), ids=lambda path: path.stem)
def test_every_dag_has_the_section_that_its_mail_quotes(path: Path) -> None:
    section = section_of(ast.get_docstring(ast.parse(path.read_text(encoding="utf-8"))))
    assert section != section_of(None)
    assert "### " not in section


def test_the_reason_is_escaped() -> None:
    mail = _mail(reason='<script>alert(1)</script> & "quoted"', run_id="manual\r\nBcc: x@y.z")
    assert mail["Subject"] == "[fraudwatch] ingest extract_day failed, run manual Bcc: x@y.z"
    assert mail["Bcc"] is None
    page, text = _body(mail, "html"), _body(mail, "plain")
    assert "<script>" not in page
    assert "&lt;script&gt;alert(1)&lt;/script&gt; &amp;" in page
    assert "<script>alert(1)</script>" in text


def _mail(**more: str) -> EmailMessage:
    fields = {
        "dag_id": "ingest",
        "run_id": "r",
        "task": "extract_day",
        "reason": "",
        "log_url": "u",
    }
    return message(Failure(**(fields | more)), sender="a@example.test", recipient="b@example.test")


def _body(mail: Message, kind: str) -> str:
    assert isinstance(mail, EmailMessage)
    part = mail.get_body((kind,))
    assert part is not None
    return str(part.get_content()).replace("\r\n", "\n")


class Inbox(list[EmailMessage]):
    """An SMTP server's inbox."""

    async def handle_DATA(self, _server: object, _session: object, envelope: Envelope) -> str:  # noqa: N802
        assert isinstance(envelope.content, bytes)
        mail = message_from_bytes(envelope.content, policy=default)
        assert isinstance(mail, EmailMessage)
        self.append(mail)
        return "250 OK"


@dataclass(frozen=True)
class RunResult:
    """Results of running DAGs: the mails that a server received, and the commands called."""

    mails: list[EmailMessage]
    calls: list[str]


@pytest.fixture(scope="module")
def mails(ran: RunResult) -> list[EmailMessage]:
    return ran.mails


@pytest.fixture(scope="module")
def ran(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunResult]:
    """Run the DAGs of failing_dags.py in an Airflow home of their own."""
    inbox = Inbox()
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
    server = Controller(inbox, hostname="127.0.0.1", port=port)
    server.start()
    home = _home(tmp_path_factory.mktemp("airflow"))
    environment = os.environ | {
        "AIRFLOW_HOME": str(home),
        "AIRFLOW__CORE__DAGS_FOLDER": str(home / "dags"),
        "FRAUDWATCH_ROOT": str(home),
        "FRAUDWATCH_LAKE_PYTHON": str(home / "python"),
        "LAKE_FILE_SYSTEM": "file:///lake",
        "AIRFLOW__API__BASE_URL": "http://127.0.0.1:8080",
        "AIRFLOW_EMAIL_RECIPIENT": "ops@example.test",
        "AIRFLOW_EMAIL_SMTP_HOST": "127.0.0.1",
        "AIRFLOW_EMAIL_SMTP_PORT": str(port),
        "AIRFLOW_EMAIL_SMTP_FROM": "airflow@example.test",
    }
    try:
        done = subprocess.run(
            [sys.executable, str(home / "dags" / FAILING_DAGS.name)],
            env=environment,
            check=False,
            capture_output=True,
            text=True,
            timeout=600,
        )
        assert done.returncode == 0, done.stdout[-4_000:] + done.stderr[-4_000:]
        yield RunResult(inbox, (home / "calls").read_text(encoding="utf-8").splitlines())
    finally:
        server.stop()


def _home(folder: Path) -> Path:
    (folder / "dags").mkdir()
    for path in (FAILING_DAGS, DAGS / "ingest_transactions.py"):
        shutil.copy(path, folder / "dags")
    return folder


def _of(mails: list[EmailMessage], dag_id: str) -> list[EmailMessage]:
    return [mail for mail in mails if f"[fraudwatch] {dag_id} " in mail["Subject"]]


def test_a_failed_run_sends_one_mail_with_the_reason_of_its_last_try(
    mails: list[EmailMessage],
) -> None:
    # One task fails twice, the task after it never starts.
    (mail,) = _of(mails, "fails_twice")
    assert mail["Subject"].startswith("[fraudwatch] fails_twice fails failed, run ")
    assert mail["To"] == "ops@example.test"
    assert "ValueError: try 2: <b>the shop</b> does not answer" in _body(mail, "plain")
    assert "&lt;b&gt;the shop&lt;/b&gt;" in _body(mail, "html")
    run = mail["Subject"].rpartition(" ")[2]
    (link,) = re.findall(r'href="([^"]+)"', _body(mail, "html"))
    assert link.startswith("http://127.0.0.1:8080/dags/fails_twice/runs/")
    assert "/tasks/fails?try_number=2" in link
    assert run[:12] in link


def test_each_of_two_failed_runs_mails_its_own_reason(mails: list[EmailMessage]) -> None:
    sent = _of(mails, "fails_mapped")
    assert len({mail["Subject"] for mail in sent}) == len(sent) == 2
    reasons = {re.findall(r"number (\d+)", _body(mail, "plain"))[0] for mail in sent}
    assert reasons == {"7", "8"}
    assert all("fails_mapped one[1] failed" in mail["Subject"] for mail in sent)


def test_a_failed_job_is_mailed_with_its_last_line(mails: list[EmailMessage]) -> None:
    (mail,) = _of(mails, "fails_as_job")
    assert _body(mail, "plain").startswith("HDFS is full\n\nWhat to do\n")


def test_a_spark_job_that_fails_is_mailed_with_its_reason_and_without_its_command(
    mails: list[EmailMessage],
) -> None:
    (mail,) = _of(mails, "fails_as_spark_job")
    text = _body(mail, "plain")
    assert text.startswith("The lake is full; free space, then run it again.\n\nWhat to do\n")
    assert "spark-submit" not in text


def test_a_successful_run_sends_nothing(mails: list[EmailMessage]) -> None:
    assert len(mails) == 5
    assert _of(mails, "goes_well") == []


def test_ingest_processes_each_day_in_order_with_plain_arguments(ran: RunResult) -> None:
    for day in ("2026-11-02", "2026-11-03"):
        calls = [call for call in ran.calls if call.endswith(f"--day {day}")]
        words = [re.search(r"(extract|check|refine)_day", call) for call in calls]
        assert [word[0] for word in words if word] == ["extract_day", "check_day", "refine_day"]
    assert len([call for call in ran.calls if "--day" in call]) == 6
