"""Mail each failed run once: the reason first, then what to do, then the link to the log.

Two callbacks share the work. A task that fails stores its reason as an XCom (`store_reason`); the
DAG's own callback (`mail_failure`), which the dag-processor runs once for a failed run, mails it. A
task killed by SIGKILL stores nothing, and the mail says so. A task whose upstream failed sends
nothing. An XCom is deleted when its task starts again, so that an old reason never explains a new
failure.
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
MAX_CHARACTERS = 4_000
KILLED = (
    "The task was killed or lost before it could give a reason: out of memory, kill -9, or its "
    "machine stopped. Its log ends where it was killed."
)
TIMED_OUT = "The task exceeded its time limit and was ended; its unfinished work changed nothing."
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
    """Task id, with the map index of a mapped task; empty where no single task failed."""
    reason: str
    what_to_do: str = _NO_SECTION
    log_url: str


def store_reason(context: Context) -> None:
    """Store the failure reason of a task for the run's callback; a callback of each task."""
    exception = context.get("exception")
    if exception is None:  # killed: Airflow noticed it from outside, without a reason
        return
    context["ti"].xcom_push(key=REASON_KEY, value=_reason_of(exception)[:MAX_CHARACTERS])


def _reason_of(exception: BaseException | str) -> str:
    if isinstance(exception, JobFailed | AirflowFailException):
        return str(exception)  # a whole sentence
    if isinstance(exception, AirflowTaskTimeout):
        return TIMED_OUT
    return f"{type(exception).__name__}: {exception}" if str(exception) else repr(exception)


def mail_failure(context: Context) -> None:
    """Mail a failed run once; a callback of each DAG. Airflow counts and logs its own errors."""
    failure = failure_of(context)
    settings = MailSettings()
    send(settings, message(failure, sender=settings.smtp_from, recipient=settings.recipient))
    log.info("mailed the failure of %s %s", failure.dag_id, failure.run_id)


def failure_of(context: Context) -> Failure:
    """Collect the facts of a failed run; a run can fail without a failed task."""
    # The callback's context is smaller than a task's: only these keys always exist.
    known: dict[str, Any] = dict(context)
    dag, run_id, ti = known["dag"], known["run_id"], known.get("ti")
    reason = _REASONS_OF_RUN.get(known["reason"])
    if ti is None:
        return Failure(
            dag_id=dag.dag_id,
            run_id=run_id,
            task="",
            reason=reason or f"The run failed: {known['reason']}.",
            what_to_do=section_of(dag.doc_md),
            log_url=_run_url(dag.dag_id, run_id),
        )
    index = ti.map_index if ti.map_index is not None else -1
    return Failure(
        dag_id=dag.dag_id,
        run_id=run_id,
        task=ti.task_id if index < 0 else f"{ti.task_id}[{index}]",
        reason=_stored_reason(ti, index) or reason or KILLED,
        what_to_do=section_of(dag.doc_md),
        log_url=ti.log_url,
    )


def section_of(page: str | None) -> str:
    """Return the section of a DAG's page that says what to do about a failure."""
    _, found, rest = (page or "").partition(f"{SECTION}\n")
    return rest.partition("\n### ")[0].strip() if found else _NO_SECTION


def _stored_reason(ti: Any, index: int) -> str | None:
    try:
        stored: str | None = ti.xcom_pull(task_ids=ti.task_id, key=REASON_KEY, map_indexes=index)
    except (AirflowRuntimeError, ImportError, OSError):  # ImportError: outside of Airflow
        log.warning("the reason that %s stored cannot be read", ti.task_id, exc_info=True)
        return UNREADABLE  # a mail with less information is better than none
    return stored


def _run_url(dag_id: str, run_id: str) -> str:
    base = conf.get("api", "base_url", fallback="http://localhost:8080")
    return f"{base.rstrip('/')}/dags/{dag_id}/runs/{quote(run_id)}"


def message(failure: Failure, *, sender: str, recipient: str) -> EmailMessage:
    """Build the mail, as text and as HTML."""
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
    """Escape the text as HTML and keep its line breaks."""
    return f'<p style="white-space: pre-wrap">{html.escape(text)}</p>'
