"""Mails each failed run once: the reason first, then what to do, then the link to the log.

Two callbacks share the work. A task that gives up stores its reason as an XCom (`leave_reason`);
the DAG's own callback (`mail_failure`), which the dag-processor runs once a failed run, mails.
A task killed by SIGKILL stores nothing, and the mail says so. A task whose upstream failed fails no
run of its own and so sends nothing. An XCom is wiped when its task starts again, so that an old
reason never explains a new failure.
"""

from __future__ import annotations

import html
import logging
from dataclasses import dataclass
from email.message import EmailMessage
from typing import Any
from urllib.parse import quote

from airflow.sdk import Context
from airflow.sdk.configuration import conf
from airflow.sdk.exceptions import (
    AirflowFailException,
    AirflowRuntimeError,
    AirflowTaskTimeout,
)

from fraudwatch.orchestration.job_process import JobFailed
from fraudwatch.orchestration.settings import MailSettings
from fraudwatch.orchestration.smtp import send

log = logging.getLogger(__name__)

REASON_KEY = "failure_reason"
MOST_CHARACTERS = 4_000
KILLED = (
    "The task was killed or lost before it could give a reason: out of memory, kill -9, or its "
    "machine went away. Its log ends where it was killed."
)
TIMED_OUT = (
    "The task exceeded its time limit and was ended; what it had not finished is as it was before."
)
UNREADABLE = "The reason was stored but could not be read; the log has it."
SECTION = "### If it fails"
_NO_SECTION = "See the page of the DAG, section If it fails."
_REASONS_OF_RUN = {
    "timed_out": "The run exceeded its time limit.",
    "all_tasks_deadlocked": "No task of the run could start any more.",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Failure:
    """A failed run, as the mail reports it."""

    dag_id: str
    run_id: str
    task: str
    """Its id, with the map index where there are several; empty where no one task is to blame."""
    reason: str
    what_to_do: str = _NO_SECTION
    log_url: str


def leave_reason(context: Context) -> None:
    """Callback of each task: store why it gave up, for the run's own callback."""
    exception = context.get("exception")
    if exception is None:  # killed: Airflow noticed from outside, where nothing is known
        return
    context["ti"].xcom_push(key=REASON_KEY, value=_reason_of(exception)[:MOST_CHARACTERS])


def _reason_of(exception: BaseException | str) -> str:
    if isinstance(exception, JobFailed | AirflowFailException):
        return str(exception)  # a whole sentence
    if isinstance(exception, AirflowTaskTimeout):
        return TIMED_OUT
    return f"{type(exception).__name__}: {exception}" if str(exception) else repr(exception)


def mail_failure(context: Context) -> None:
    """Callback of each DAG: mail once. What goes wrong here is counted by Airflow and logged."""
    failure = failure_of(context)
    settings = MailSettings()
    send(settings, message(failure, sender=settings.smtp_from, recipient=settings.recipient))
    log.info("mailed the failure of %s %s", failure.dag_id, failure.run_id)


def failure_of(context: Context) -> Failure:
    """What is known of a run that failed; a run can fail without any task to blame."""
    # The callback's context is smaller than a task's: only these keys are always there.
    known: dict[str, Any] = dict(context)
    made, run_id, ti = known["dag"], known["run_id"], known.get("ti")
    reason = _REASONS_OF_RUN.get(known["reason"])
    if ti is None:
        return Failure(
            dag_id=made.dag_id,
            run_id=run_id,
            task="",
            reason=reason or f"The run failed: {known['reason']}.",
            what_to_do=section_of(made.doc_md),
            log_url=_run_url(made.dag_id, run_id),
        )
    index = ti.map_index if ti.map_index is not None else -1
    return Failure(
        dag_id=made.dag_id,
        run_id=run_id,
        task=ti.task_id if index < 0 else f"{ti.task_id}[{index}]",
        reason=_left_reason(ti, index) or reason or KILLED,
        what_to_do=section_of(made.doc_md),
        log_url=ti.log_url,
    )


def section_of(page: str | None) -> str:
    """The section of a DAG's page that says what to do about a failure."""
    _, found, rest = (page or "").partition(f"{SECTION}\n")
    return rest.partition("\n### ")[0].strip() if found else _NO_SECTION


def _left_reason(ti: Any, index: int) -> str | None:
    try:
        left: str | None = ti.xcom_pull(task_ids=ti.task_id, key=REASON_KEY, map_indexes=index)
    except (AirflowRuntimeError, ImportError, OSError):  # ImportError: no Airflow around us to ask
        log.warning("the reason that %s stored cannot be read", ti.task_id, exc_info=True)
        return UNREADABLE  # a mail that knows less is better than none
    return left


def _run_url(dag_id: str, run_id: str) -> str:
    base = conf.get("api", "base_url", fallback="http://localhost:8080")
    return f"{base.rstrip('/')}/dags/{dag_id}/runs/{quote(run_id)}"


def message(failure: Failure, *, sender: str, recipient: str) -> EmailMessage:
    """The mail, as text and as HTML."""
    subject = f"[fraudwatch] {failure.dag_id} {failure.task or 'run'} failed, run {failure.run_id}"
    mail = EmailMessage()
    mail["From"], mail["To"] = sender, recipient
    mail["Subject"] = " ".join(subject.split())
    mail.set_content(
        f"{failure.reason}\n\nWhat to do\n\n{failure.what_to_do}\n\nLog: {failure.log_url}\n"
    )
    url = html.escape(failure.log_url)
    mail.add_alternative(
        f"{_paragraph(failure.reason)}<h4>What to do</h4>{_paragraph(failure.what_to_do)}"
        f'<p><a href="{url}">Log</a></p>',
        subtype="html",
    )
    return mail


def _paragraph(text: str) -> str:
    """Lines stay lines; whatever the text holds stays text."""
    return f'<p style="white-space: pre-wrap">{html.escape(text)}</p>'
