"""Light tasks that run in Airflow's own process: resolve days, announce them, request a model."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import date, datetime
from typing import Any

from airflow.sdk import Context, get_current_context, task
from airflow.sdk.exceptions import AirflowFailException, AirflowSkipException

from fraudwatch.orchestration.assets import CORE_TRANSACTIONS, MODEL_WANTED
from fraudwatch.orchestration.days import InvalidDays, RunRequest, ranges_of, resolve_days


def event_days(extras: Iterable[Mapping[str, Any]]) -> tuple[str, ...]:
    """Collect the days of events: a watcher's payload has one, a DAG's own event several."""
    days: set[str] = set()
    for extra in extras:
        payload = extra.get("payload")
        days |= {payload["day"]} if isinstance(payload, dict) and "day" in payload else set()
        days |= set(extra.get("days", ()))
    return tuple(sorted(days))


def run_request_of(context: Context) -> RunRequest:
    """Build the request of this run from its context."""
    run: Any = context["dag_run"]
    due: datetime = run.run_after
    start: datetime | None = run.data_interval_start if run.logical_date else None
    events = context["triggering_asset_events"].values()
    return RunRequest(
        today=due.date(),
        params=context["params"],
        events=event_days(event.extra for each in events for event in each),
        is_daily=str(run.run_type) == "scheduled",
        interval_day=start.date() if start else None,
    )


def _resolve() -> list[date]:
    try:
        return resolve_days(run_request_of(get_current_context()))
    except InvalidDays as error:
        raise AirflowFailException(str(error)) from error


@task(task_id="days")
def days() -> list[str]:
    """Return the days of this run, as text."""
    return [day.isoformat() for day in _resolve()]


@task(task_id="ranges")
def ranges() -> list[dict[str, str]]:
    """Return the days of this run as ranges from/until."""
    return [
        {"first": first.isoformat(), "last": last.isoformat()}
        for first, last in ranges_of(_resolve())
    ]


@task(task_id="announce", outlets=[CORE_TRANSACTIONS])
def announce(finished: list[str]) -> None:
    """Announce once that all days of the run are in core_transactions."""
    get_current_context()["outlet_events"][CORE_TRANSACTIONS].extra = {"days": list(finished)}


@task(task_id="ask_for_model", outlets=[MODEL_WANTED])
def ask_for_model(document: Mapping[str, Any] | None) -> None:
    """Request a model if the job's document says that one is needed; else skip."""
    if document is None or "model_wanted" not in document:
        raise AirflowFailException(
            "the job succeeded without its JSON document, so no model was requested; see the last "
            "line of its log"
        )
    if not document["model_wanted"]:
        raise AirflowSkipException(str(document["said"]))
    extra = {"date": document["date"], "past_bound": list(document["past_bound"])}
    get_current_context()["outlet_events"][MODEL_WANTED].extra = extra
