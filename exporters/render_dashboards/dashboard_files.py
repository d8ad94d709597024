"""Read dashboards from Grafana's JSON: titles, places, queries, units, limits of panels."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

ROW = "row"


@dataclass(frozen=True, slots=True)
class Target:
    """One query of a panel: expression, and the legend of its series."""

    expression: str
    legend: str


@dataclass(frozen=True, slots=True)
class Place:
    """Place of a panel in Grafana's grid of 24 columns, from the upper left corner."""

    x: int
    y: int
    width: int
    height: int


@dataclass(frozen=True, slots=True)
class DashboardPanel:
    """One panel as Grafana would show it; a row is a panel of kind ``row`` without targets."""

    title: str
    kind: str
    place: Place
    targets: tuple[Target, ...]
    unit: str
    steps: tuple[tuple[float, str], ...]
    """Colours by value: each from its value on."""
    draws_limits: bool
    is_stacked: bool

    def colour(self, value: float) -> str:
        """Return the colour of a value by the panel's limits."""
        return [colour for start, colour in self.steps if value >= start][-1]


@dataclass(frozen=True, slots=True)
class DashboardFile:
    """One dashboard: its file's name without ending, title and panels."""

    name: str
    title: str
    panels: tuple[DashboardPanel, ...]


def read_dashboards(folder: Path) -> tuple[DashboardFile, ...]:
    """Read every dashboard of a folder, by its file's name."""
    return tuple(_dashboard(path) for path in sorted(folder.glob("*.json")))


def _dashboard(path: Path) -> DashboardFile:
    raw = json.loads(path.read_text(encoding="utf-8"))
    return DashboardFile(path.stem, raw["title"], tuple(_panel(panel) for panel in raw["panels"]))


def _panel(raw: Mapping[str, Any]) -> DashboardPanel:
    place = raw["gridPos"]
    defaults = raw.get("fieldConfig", {}).get("defaults", {})
    custom = defaults.get("custom", {})
    return DashboardPanel(
        title=raw["title"],
        kind=raw["type"],
        place=Place(place["x"], place["y"], place["w"], place["h"]),
        targets=tuple(Target(one["expr"], one["legendFormat"]) for one in raw.get("targets", ())),
        unit=defaults.get("unit", ""),
        steps=_steps(defaults),
        draws_limits=custom.get("thresholdsStyle", {}).get("mode", "off") != "off",
        is_stacked=custom.get("stacking", {}).get("mode", "none") != "none",
    )


def _steps(defaults: Mapping[str, Any]) -> tuple[tuple[float, str], ...]:
    steps = defaults.get("thresholds", {}).get("steps", ())
    return tuple(
        (float("-inf") if step["value"] is None else step["value"], step["color"]) for step in steps
    )
