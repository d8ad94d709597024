"""Data sets, charts and dashboards as plain data, each with a stable id."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Final
from uuid import UUID, uuid5

from fraudwatch.reporting.roles import Role

DATABASE_ID: Final = UUID("8d9f2f0e-1c52-5b0c-9d56-6c1d0a5e4a01")
"""As in superset/databases/lake.yaml."""


class Format(StrEnum):
    """Number formats, as D3 writes them."""

    COUNT = ",d"
    EURO = ",.0f"
    PERCENT = ".1%"
    NUMBER = ",.2f"


@dataclass(frozen=True)
class Metric:
    """An aggregate of a data set."""

    name: str
    label: str
    expression: str
    format: Format = Format.COUNT


@dataclass(frozen=True)
class Column:
    """A column to group and filter by."""

    name: str
    label: str
    type: str = "STRING"

    @property
    def is_day(self) -> bool:
        """Whether it is a day, so that it can be an axis of time."""
        return self.type == "DATE"


@dataclass(frozen=True)
class DataSet:
    """A mart or view of the lake, and who may read it."""

    table: str
    about: str
    role: Role
    columns: tuple[Column, ...]
    metrics: tuple[Metric, ...]

    @property
    def uuid(self) -> UUID:
        """Its id in every home."""
        return uuid5(DATABASE_ID, f"data set {self.table}")

    @property
    def day(self) -> str:
        """Its first day column, which filters of days apply to."""
        return next(column.name for column in self.columns if column.is_day)

    @property
    def has_source(self) -> bool:
        """Whether each of its rows is about one source."""
        return any(column.name == "source" for column in self.columns)


class Kind(StrEnum):
    """Forms of a chart, by Superset's names."""

    NUMBER = "big_number_total"
    LINES = "echarts_timeseries_line"
    BARS = "echarts_timeseries_bar"
    TABLE = "table"
    MAP = "world_map"


@dataclass(frozen=True)
class Chart:
    """One chart: metrics of a data set, along an axis or by columns."""

    title: str
    kind: Kind
    data_set: DataSet
    metrics: tuple[str, ...]
    by: tuple[str, ...] = ()
    axis: str | None = None
    """Column of the horizontal axis, of lines and bars."""
    about: str = ""
    stacked: bool = False
    newest_first: bool = False
    """Whether the rows of a table are in the order of its first column, backwards."""
    width: int = 6
    """Of twelve."""
    height: int = 50
    limit: int = 1_000

    @property
    def uuid(self) -> UUID:
        """Its id in every home; another title of the same chart is another chart."""
        return uuid5(DATABASE_ID, f"chart {self.title}")


@dataclass(frozen=True)
class Dashboard:
    """Rows of charts."""

    slug: str
    title: str
    about: str
    rows: tuple[tuple[Chart, ...], ...]

    @property
    def uuid(self) -> UUID:
        """Its id in every home."""
        return uuid5(DATABASE_ID, f"dashboard {self.slug}")

    @property
    def charts(self) -> tuple[Chart, ...]:
        """Every chart of it."""
        return tuple(chart for row in self.rows for chart in row)

    @property
    def role(self) -> Role:
        """The least role that may see all of its charts."""
        roles = list(Role)
        return max((chart.data_set.role for chart in self.charts), key=roles.index)
