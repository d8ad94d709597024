"""Exactly one mail for a run that failed, with the reason and the link to its log.

Two callbacks share the work. A task that gives up leaves its exception as an XCom (`leave_reason`);
the DAG's own callback (`mail_failure`), which the dag-processor runs once a failed run, mails.
A task killed by SIGKILL leaves nothing, and the mail says so. A task whose upstream failed fails no
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
from airflow.sdk.exceptions import AirflowRuntimeError

from fraudwatch.orchestration.settings import MailSettings
from fraudwatch.orchestration.smtp import send

log = logging.getLogger(__name__)

REASON_KEY = "failure_reason"
MOST_CHARACTERS = 4_000
KILLED = (
    "The task was killed or lost without a word: out of memory, kill -9, or its machine went away. "
    "Its log ends where it was killed."
)
UNREADABLE = "Its reason was left but could not be read; the log has it."
_SAID_OF_RUN = {
    "timed_out": "The run took longer than it may.",
    "all_tasks_deadlocked": "No task of the run could start any more.",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Failure:
    """What the mail tells."""

    dag_id: str
    run_id: str
    task: str
    """Its id, with the map index where there are several; empty where no one task is to blame."""
    reason: str
    log_url: str


def leave_reason(context: Context) -> None:
    """Callback of each task: keep why it gave up, for the run's own callback."""
    exception = context.get("exception")
    if exception is None:  # killed: Airflow noticed from outside, where nothing is known
        return
    reason = f"{type(exception).__name__}: {exception}" if str(exception) else repr(exception)
    # The end holds the cause: Spark puts its command first.
    context["ti"].xcom_push(key=REASON_KEY, value=reason[-MOST_CHARACTERS:])


def mail_failure(context: Context) -> None:
    """Callback of each DAG: mail once. What goes wrong here is counted by Airflow and logged."""
    failure = failure_of(context)
    settings = MailSettings()
    send(settings, message(failure, sender=settings.smtp_from, recipient=settings.recipient))
    log.info("mailed the failure of %s %s", failure.dag_id, failure.run_id)


def failure_of(context: Context) -> Failure:
    """What is known of a run that failed; a run can fail without any task to blame."""
    # The callback's context is smaller than a task's: only these keys are always there.
    told: dict[str, Any] = dict(context)
    dag_id, run_id, ti = told["dag"].dag_id, told["run_id"], told.get("ti")
    if ti is None:
        reason = _SAID_OF_RUN.get(told["reason"], f"The run failed: {told['reason']}.")
        return Failure(
            dag_id=dag_id, run_id=run_id, task="", reason=reason, log_url=_run_url(dag_id, run_id)
        )
    index = ti.map_index if ti.map_index is not None else -1
    return Failure(
        dag_id=dag_id,
        run_id=run_id,
        task=ti.task_id if index < 0 else f"{ti.task_id}[{index}]",
        reason=_left_reason(ti, index) or _SAID_OF_RUN.get(told["reason"], KILLED),
        log_url=ti.log_url,
    )


def _left_reason(ti: Any, index: int) -> str | None:
    try:
        left: str | None = ti.xcom_pull(task_ids=ti.task_id, key=REASON_KEY, map_indexes=index)
    except (AirflowRuntimeError, ImportError, OSError):  # ImportError: no Airflow around us to ask
        log.warning("the reason that %s left cannot be read", ti.task_id, exc_info=True)
        return UNREADABLE  # a mail that knows less is better than none
    return left


def _run_url(dag_id: str, run_id: str) -> str:
    base = conf.get("api", "base_url", fallback="http://localhost:8080")
    return f"{base.rstrip('/')}/dags/{dag_id}/runs/{quote(run_id)}"


def message(failure: Failure, *, sender: str, recipient: str) -> EmailMessage:
    """The mail, as text and as HTML; whatever the reason holds stays text."""
    subject = f"[fraudwatch] {failure.dag_id} {failure.task or 'run'} failed, run {failure.run_id}"
    mail = EmailMessage()
    mail["From"], mail["To"] = sender, recipient
    mail["Subject"] = " ".join(subject.split())
    mail.set_content(
        f"{subject}\n\nLog: {failure.log_url}\n"
        f"What to do: the page of the DAG, section If it fails.\n\n{failure.reason}\n"
    )
    url = html.escape(failure.log_url)
    mail.add_alternative(
        f'<p>{html.escape(subject)}</p><p><a href="{url}">Log</a></p>'
        "<p>What to do: the page of the DAG, section If it fails.</p>"
        f"<pre>{html.escape(failure.reason)}</pre>",
        subtype="html",
    )
    return mail
