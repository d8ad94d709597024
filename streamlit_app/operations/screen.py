"""Operations page of admins: services, lag, latency, dead letters, DAG runs, API keys."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

import streamlit as st

from fraudwatch.application.console.access import Person, Right
from fraudwatch.application.operations import status
from fraudwatch.application.operations.dag_runs import DagRunsUnavailable
from fraudwatch.application.operations.exporters import Readings
from streamlit_app import navigation
from streamlit_app.operations import keys_panel, queries, rows
from streamlit_app.operations.queries import Snapshot
from streamlit_app.operations.services import OperationsServices
from streamlit_app.people import login

_SERVICE_COLUMNS: Final = {
    "service": st.column_config.TextColumn("Service", width=150),
    "state": st.column_config.TextColumn("State", width=110),
    "since": st.column_config.TextColumn("Runs for", width=80),
    "restarts": st.column_config.NumberColumn("Restarts", width=80),
    "memory": st.column_config.NumberColumn("Memory, MiB", format="%d", width=100),
    "planned": st.column_config.NumberColumn("Planned, MiB", format="%d", width=100),
}
_LAG_COLUMNS: Final = {
    "group": st.column_config.TextColumn("Consumer", width=130),
    "topic": st.column_config.TextColumn("Topic", width=170),
    "messages": st.column_config.NumberColumn("Unread", format="localized", width=80),
    "seconds": st.column_config.NumberColumn("Oldest, s", format="%.1f", width=80),
    "left": st.column_config.TextColumn(
        "Retention left", width=110, help="Until retention removes the oldest unread message"
    ),
}
_DEAD_LETTER_COLUMNS: Final = {
    "stage": st.column_config.TextColumn("Process", width=90),
    "code": st.column_config.TextColumn("Code", width=150),
    "messages": st.column_config.NumberColumn("Messages", format="localized", width=80),
    "command": st.column_config.TextColumn("Which ones", width=430),
}
_CHANNEL_COLUMNS: Final = {
    "channel": st.column_config.TextColumn("Channel", width=100),
    "state": st.column_config.TextColumn("State", width=100),
    "failures": st.column_config.NumberColumn("Failed attempts", width=110),
    "given_up": st.column_config.TextColumn("Given up", width=80),
    "waiting": st.column_config.TextColumn("Oldest waits for", width=120),
}
_RUN_COLUMNS: Final = {
    "dag": st.column_config.TextColumn("DAG", width=180),
    "state": st.column_config.TextColumn("State", width=100),
    "started": st.column_config.TextColumn("Started", width=150),
    "took": st.column_config.TextColumn("Took", width=80),
    "log": st.column_config.LinkColumn("In Airflow", display_text="Open", width=90),
}
_REPLAY: Final = """# open and check each, send nothing; then send what was not replayed yet
./fraudwatch dead-letters replay --dry-run
./fraudwatch dead-letters replay"""


def show(open_services: Callable[[], OperationsServices]) -> None:
    """Draw the page; services, lag and dead letters refresh by themselves."""
    person = login.require(Right.OPERATE)
    services = open_services()
    with st.container(horizontal=True, vertical_alignment="center"):
        st.subheader("Operations", anchor=False, width="stretch")
        if person.may(Right.ACCOUNTS) and st.button("Accounts", key="operations_accounts"):
            navigation.go(navigation.ACCOUNTS)
        if person.may(Right.AUDIT) and st.button("Audit log", key="operations_audit"):
            navigation.go(navigation.AUDIT)
    _watched(services, person)
    _dag_runs(services, person)
    keys_panel.show(services, person)


@st.fragment(run_every=queries.REFRESH)
def _watched(services: OperationsServices, person: Person) -> None:
    found, now_ms = queries.snapshot(services, person), services.now_ms()
    for reading in found.readings.failed():
        st.warning(
            f"No figures of {reading.exporter}: {reading.failure}. Is it running? "
            "`./fraudwatch status` shows it."
        )
    _figures(found)
    left, right = st.columns(2)
    with left:
        _services(found.readings, now_ms)
    with right:
        _consumers(found.readings)
        _channels(found.readings)
    _dead_letters(found.readings)


def _figures(found: Snapshot) -> None:
    lags = status.consumer_lags(found.readings)
    p50, p99 = rows.latency_texts(found.latency)
    window = rows.latency_window(found.latency, found.latency_window_ms)
    dead = sum(one.messages for one in status.dead_letters(found.readings))
    with st.container(horizontal=True):
        working = rows.services_running(status.services(found.readings))
        st.metric("Services running", working, border=True)
        st.metric("Oldest unread message", rows.worst_lag(lags), border=True)
        st.metric("Verdict latency, median", p50, border=True, help=window)
        st.metric("Verdict latency, p99", p99, border=True, help=window)
        st.metric("Dead letters", f"{dead:,}", border=True, help="Since each process was started")


def _services(readings: Readings, now_ms: int) -> None:
    st.markdown("**Services**")
    found = status.services(readings)
    if not found:
        st.info(
            "No states of services: `service_usage` exports them where the platform runs without "
            "containers. In containers, `docker compose ps` lists them."
        )
        return
    st.dataframe(
        rows.service_rows(found, now_ms),
        key="operations_services",
        height="content",
        hide_index=True,
        column_config=_SERVICE_COLUMNS,
    )


def _consumers(readings: Readings) -> None:
    st.markdown("**Consumers**")
    if readings.value("fraudwatch_kafka_reachable") == 0:
        st.error("Kafka does not answer, so no lag is known.")
    found = status.consumer_lags(readings)
    if found:
        st.dataframe(
            rows.lag_rows(found),
            key="operations_lag",
            hide_index=True,
            column_config=_LAG_COLUMNS,
        )


def _channels(readings: Readings) -> None:
    st.markdown("**Notifications**")
    found, notices = status.channels(readings), status.notices(readings)
    if found:
        st.dataframe(
            rows.channel_rows(found),
            key="operations_channels",
            hide_index=True,
            column_config=_CHANNEL_COLUMNS,
        )
    else:
        st.caption("The notifier exports no figures.")
    if notices:
        texts = (f"{state} {count:,}" for state, count in sorted(notices.items()))
        st.caption(f"Notices to customers: {', '.join(texts)}.")


def _dead_letters(readings: Readings) -> None:
    st.markdown("**Dead letters**")
    found, ever = status.dead_letters(readings), status.dead_letters_ever(readings)
    if found:
        st.dataframe(
            rows.dead_letter_rows(found),
            key="operations_dead_letters",
            hide_index=True,
            column_config=_DEAD_LETTER_COLUMNS,
        )
    else:
        st.caption("No process has dead-lettered a message since it was started.")
    if ever is not None:
        st.caption(f"Ever written to the dead letter topic: {ever:,}, copies included.")
    if ever or found:
        st.markdown(
            "The payloads are sealed to a key that no running process has, so they are replayed on "
            "the command line:"
        )
        st.code(_REPLAY, language="bash")


def _dag_runs(services: OperationsServices, person: Person) -> None:
    st.markdown("**DAG runs**")
    try:
        found = queries.dag_overview(services, person)
    except DagRunsUnavailable as error:
        st.info(f"No DAG runs are shown: {error}. The profile speed has no Airflow.")
        return
    if found.paused:
        st.warning(f"Paused, so they start nothing: {', '.join(found.paused)}.")
    if not found.runs:
        st.caption("No DAG has run yet.")
        return
    st.dataframe(
        rows.run_rows(found.runs),
        key="operations_dag_runs",
        hide_index=True,
        column_config=_RUN_COLUMNS,
    )
    st.button("Reload", key="operations_reload")
