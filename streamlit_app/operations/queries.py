"""Queries of the Operations page, cached for all sessions; each requires the right."""

from __future__ import annotations

from datetime import timedelta
from typing import Final, NamedTuple

import streamlit as st

from fraudwatch.application.api_keys import ApiKeys, audited
from fraudwatch.application.console.access import Person, Right
from fraudwatch.application.operations.dag_runs import DagOverview
from fraudwatch.application.operations.exporters import Readings
from fraudwatch.application.operations.latency import Histogram, histogram_of
from fraudwatch.application.operations.status import VERDICT_LATENCY
from fraudwatch.domain.api_keys import ApiKey
from streamlit_app.operations.services import OperationsServices

REFRESH: Final = timedelta(seconds=5)
FRESH_FOR: Final = timedelta(seconds=4)
DAG_RUNS_FRESH_FOR: Final = timedelta(seconds=10)
MAX_DAG_RUNS: Final = 25


class Snapshot(NamedTuple):
    """Readings of all exporters, and the verdict latency since an earlier reading."""

    readings: Readings
    latency: Histogram | None
    latency_window_ms: int | None  # None: since the detector was started


def snapshot(services: OperationsServices, person: Person) -> Snapshot:
    """Read all exporters.

    Raises:
        Forbidden: the person's role does not operate.
    """
    person.require(Right.OPERATE)
    return _snapshot(services)


def dag_overview(services: OperationsServices, person: Person) -> DagOverview:
    """Read the newest DAG runs.

    Raises:
        Forbidden: the person's role does not operate.
        DagRunsUnavailable: the scheduler does not answer.
    """
    person.require(Right.OPERATE)
    return _dag_overview(services)


def api_keys(services: OperationsServices, person: Person) -> list[ApiKey]:
    """Return all API keys, the oldest first; never their secrets.

    Raises:
        Forbidden: the person's role does not operate.
        KeysUnavailable: the key file cannot be read.
    """
    person.require(Right.OPERATE)
    return services.keys.list_keys()


def revoke(services: OperationsServices, person: Person, key_id: str, reason: str) -> ApiKey:
    """Revoke an API key for good, with an audit record first.

    Raises:
        Forbidden: the person's role does not operate.
        KeyChangeRefused: the reason is too short, or the key is not in effect any more.
        KeysUnavailable: the key file cannot be read or written.
        NotDelivered: the audit log does not acknowledge; nothing was changed.
    """
    person.require(Right.OPERATE)
    record = audited(person.login, reason, services.audit_log(), services.now_ms)
    return ApiKeys(services.keys, record, services.now_ms).revoke(key_id)


@st.cache_data(ttl=FRESH_FOR, show_spinner=False)
def _snapshot(_services: OperationsServices) -> Snapshot:
    readings = _services.exporters.read()
    found = histogram_of(readings.samples(VERDICT_LATENCY))
    if found is None:
        return Snapshot(readings, None, None)
    recent, window_ms = _services.latency.add(found, _services.now_ms())
    return Snapshot(readings, recent, window_ms)


@st.cache_data(ttl=DAG_RUNS_FRESH_FOR, show_spinner=False)
def _dag_overview(_services: OperationsServices) -> DagOverview:
    return _services.dag_runs.overview(MAX_DAG_RUNS)
