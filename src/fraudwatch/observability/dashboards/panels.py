"""Describe dashboards as plain data: dashboards of rows of panels of PromQL queries."""

from __future__ import annotations

import enum
from dataclasses import dataclass
from typing import Final

WIDTH: Final = 24
"""Columns of Grafana's grid."""


class Kind(enum.StrEnum):
    """Kind of a panel, by Grafana's names."""

    LINES = "timeseries"
    NUMBER = "stat"
    BARS = "bargauge"
    STATES = "state-timeline"


class Unit(enum.StrEnum):
    """Unit of a panel's values, by Grafana's names."""

    NUMBER = "short"
    SECONDS = "s"
    BYTES = "bytes"
    BYTES_PER_SECOND = "Bps"
    PER_SECOND = "cps"
    RATIO = "percentunit"
    YES_NO = "bool_yes_no"


class Event(enum.StrEnum):
    """Event before which a panel has no data, in the words of its description."""

    SNAPSHOT = "the first snapshot, half a minute after the first transactions"
    CONSOLE_PAGE = "the first page of the console that is opened"
    SUBSCRIPTION = "the first webhook that is added"
    DAG_RUN = "the first run of a DAG"
    SCHEDULED_RUN = "the first scheduled run of a DAG"
    JOB_RUN = "the first run of a job"
    FAILURE = "the first failure"
    REFINEMENT = "the first run of the job refine_topics"
    RECONCILIATION = "the first run of the job reconcile_views"
    DRIFT = "the first run of the job monitor_drift"
    CALIBRATION = "the first run of the job monitor_drift with labels past the label delay"


@dataclass(frozen=True, slots=True)
class Query:
    """One PromQL expression and the legend of its series, with labels as ``{{label}}``."""

    legend: str
    expression: str


@dataclass(frozen=True, slots=True)
class Limits:
    """Values from which a panel warns (yellow) and is critical (red)."""

    warning: float
    critical: float
    low_is_bad: bool = False
    """Values below the limits, instead of those from them on, are bad."""


MUST_BE_0: Final = Limits(1, 1)
MUST_BE_1: Final = Limits(1, 1, low_is_bad=True)


@dataclass(frozen=True, slots=True, kw_only=True)
class Panel:
    """One panel: title, what is normal, queries, unit."""

    title: str
    normal: str
    """Description of the panel: what the title does not say, and what is normal."""
    queries: tuple[Query, ...]
    unit: Unit = Unit.NUMBER
    kind: Kind = Kind.LINES
    width: int = 8
    limits: Limits | None = None
    alerts: tuple[str, ...] = ()
    """Alerts that watch the same figure; their runbooks are named."""
    appears_after: Event | None = None
    """Event that creates the series; None if they exist as soon as the services run."""
    stacked: bool = False


@dataclass(frozen=True, slots=True)
class Row:
    """Panels under one heading."""

    title: str
    panels: tuple[Panel, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Dashboard:
    """One dashboard. Links and bookmarks have its uid, so the uid never changes."""

    uid: str
    title: str
    about: str
    rows: tuple[Row, ...]

    @property
    def panels(self) -> tuple[Panel, ...]:
        """All panels, in their order."""
        return tuple(panel for row in self.rows for panel in row.panels)
