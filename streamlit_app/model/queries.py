"""Queries of the Model page, cached for all sessions; each requires the right."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from typing import Final

import streamlit as st

from fraudwatch.application.console.access import Person, Right
from fraudwatch.application.operations.model_health import ModelHealth, model_health
from fraudwatch.application.promotion.model_changes import ModelChangeRun
from streamlit_app.model.services import ModelServices

FRESH_FOR: Final = timedelta(seconds=10)
RUNS_FRESH_FOR: Final = timedelta(seconds=3)
MAX_RUNS: Final = 5


def health(services: ModelServices, person: Person) -> ModelHealth:
    """Read drift, calibration and quality as the batch jobs last measured them.

    Raises:
        Forbidden: the person's role does not decide about models.
    """
    person.require(Right.MODEL)
    return _health(services)


def runs(services: ModelServices, person: Person) -> Sequence[ModelChangeRun]:
    """Read the newest changes of the champion.

    Raises:
        Forbidden: the person's role does not decide about models.
        ModelChangeRefused: they cannot be read.
    """
    person.require(Right.MODEL)
    return _runs(services, person)


def forget_runs() -> None:
    """Read the changes again with the next query: one was started."""
    _runs.clear()


@st.cache_data(ttl=FRESH_FOR, show_spinner=False)
def _health(_services: ModelServices) -> ModelHealth:
    return model_health(_services.exporters.read())


@st.cache_data(ttl=RUNS_FRESH_FOR, show_spinner=False)
def _runs(_services: ModelServices, _person: Person) -> Sequence[ModelChangeRun]:
    return _services.changes.runs(_person, MAX_RUNS)
