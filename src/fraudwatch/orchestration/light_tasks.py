"""Tasks so light that Airflow's own process runs them: which days, and word that they are there."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import date, datetime
from typing import Any

from airflow.sdk import Context, get_current_context, task
from airflow.sdk.exceptions import AirflowFailException, AirflowSkipException

from fraudwatch.orchestration.assets import CORE_TRANSACTIONS, MODEL_WANTED
from fraudwatch.orchestration.days import Asked, DaysRefused, days_to_do, ranges_of


def event_days(extras: Iterable[Mapping[str, Any]]) -> tuple[str, ...]:
    """The days that events name: a watcher's payload holds one, a DAG's own event several."""
    days: set[str] = set()
    for extra in extras:
        payload = extra.get("payload")
        days |= {payload["day"]} if isinstance(payload, dict) and "day" in payload else set()
        days |= set(extra.get("days", ()))
    return tuple(sorted(days))


def asked_of(context: Context) -> Asked:
    """What this run was asked for."""
    run: Any = context["dag_run"]
    due: datetime = run.run_after
    start: datetime | None = run.data_interval_start if run.logical_date else None
    events = context["triggering_asset_events"].values()
    return Asked(
        today=due.date(),
        params=context["params"],
        events=event_days(event.extra for each in events for event in each),
        is_daily=str(run.run_type) == "scheduled",
        interval_day=start.date() if start else None,
    )


def _resolved() -> list[date]:
    try:
        return days_to_do(asked_of(get_current_context()))
    except DaysRefused as error:
        raise AirflowFailException(str(error)) from error


@task(task_id="days")
def days() -> list[str]:
    """The days of this run, as text."""
    return [day.isoformat() for day in _resolved()]


@task(task_id="ranges")
def ranges() -> list[dict[str, str]]:
    """The days of this run as stretches from/until."""
    return [
        {"first": first.isoformat(), "last": last.isoformat()}
        for first, last in ranges_of(_resolved())
    ]


@task(task_id="announce", outlets=[CORE_TRANSACTIONS])
def announce(done: list[str]) -> None:
    """Tell once, of all days of the run, that they are in core_transactions."""
    get_current_context()["outlet_events"][CORE_TRANSACTIONS].extra = {"days": list(done)}


@task(task_id="ask_for_model", outlets=[MODEL_WANTED])
def ask_for_model(told: Mapping[str, Any] | None) -> None:
    """Ask for a model where the job has said that one is wanted; else nobody is asked."""
    if told is None or "model_wanted" not in told:
        raise AirflowFailException(
            "the job ended well and said nothing about models, so nobody was asked for one; look "
            "at the last line of its log"
        )
    if not told["model_wanted"]:
        raise AirflowSkipException(str(told["said"]))
    extra = {"date": told["date"], "past_bound": list(told["past_bound"])}
    get_current_context()["outlet_events"][MODEL_WANTED].extra = extra
