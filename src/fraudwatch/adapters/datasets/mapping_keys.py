"""Parts of a mapping file that have keys of their own: joined file, time, labels."""

from __future__ import annotations

from datetime import datetime
from typing import Any, Literal, Self
from zoneinfo import ZoneInfo

from pydantic import Field, field_validator, model_validator

from fraudwatch.adapters.datasets.layout import Layout, Strict
from fraudwatch.domain.instants import epoch_ms_of


class Join(Strict):
    """Second file, beside the data file, with one row for each value of ``by``."""

    file: str
    by: str
    key: str | None = None  # the column's name in the joined file, where it differs
    left: bool = False
    layout: Layout | None = None

    @property
    def key_column(self) -> str:
        """Key column of the joined file."""
        return self.key or self.by


class Time(Strict):
    """Format of ``event_at_ms``; a column of instants needs only its zone."""

    zone: str = "UTC"
    text: str | None = None
    epoch: Literal["d", "h", "min", "s", "ms", "us", "ns"] | None = None
    since: str | None = None

    @field_validator("zone")
    @classmethod
    def _known(cls, zone: str) -> str:
        try:
            ZoneInfo(zone)
        except (KeyError, ValueError, OSError):
            raise ValueError("is no time zone of the IANA data base, such as UTC") from None
        return zone

    @field_validator("since")
    @classmethod
    def _instant(cls, since: str | None) -> str | None:
        try:
            datetime.fromisoformat(since or "2000-01-01")
        except ValueError:
            raise ValueError("is no date or instant such as 2017-01-01T00:00:00") from None
        return since

    @model_validator(mode="after")
    def _one_way(self) -> Self:
        if self.text is not None and self.epoch is not None:
            raise ValueError("give text or epoch, not both")
        if self.since is not None and self.epoch is None:
            raise ValueError("since needs epoch, the unit that is counted, such as s or h")
        return self

    @property
    def since_ms(self) -> int:
        """Instant at which the clock is zero."""
        if self.since is None:
            return 0
        instant = datetime.fromisoformat(self.since)
        return epoch_ms_of(
            instant if instant.tzinfo else instant.replace(tzinfo=ZoneInfo(self.zone))
        )


class Refunds(Strict):
    """Rows that are refunds, and their fields beside those that they share with purchases."""

    rows: Literal["all", "by_sign"] | dict[str, list[str]]
    time: Time | None = None  # of purchased_at_ms, where it is written in another way
    fields: dict[str, str]
    values: dict[str, dict[str, str]] = Field(default_factory=dict)

    @field_validator("rows", mode="before")
    @classmethod
    def _rows(cls, rows: Any) -> Any:
        if rows in ("all", "by_sign"):
            return rows
        if isinstance(rows, dict) and rows and all(_are_texts(one) for one in rows.values()):
            return rows
        raise ValueError(
            "must be all, by_sign, or columns with their values as texts, such as"
            ' {Type: ["REFUND"]}'
        )

    @property
    def row_columns(self) -> list[str]:
        """Columns whose values distinguish refunds from purchases."""
        return list(self.rows) if isinstance(self.rows, dict) else []


def _are_texts(values: Any) -> bool:
    return isinstance(values, list) and all(isinstance(one, str) for one in values)


class LabelColumns(Strict):
    """Label column, read by reports only; any other value is no label."""

    column: str
    fraud: list[str] = Field(min_length=1)
    genuine: list[str] = Field(min_length=1)

    @model_validator(mode="after")
    def _apart(self) -> Self:
        if set(self.fraud) & set(self.genuine):
            raise ValueError("a value may not mean fraud and genuine")
        return self
