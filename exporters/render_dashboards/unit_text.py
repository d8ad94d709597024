"""Write values with their units, as short as Grafana does."""

from __future__ import annotations

import math
from typing import Final

_SECONDS: Final = (
    (86_400.0, " d"), (3_600.0, " h"), (60.0, " min"), (1.0, " s"), (0.001, " ms"),
    (0.000_001, " µs"),
)  # fmt: skip
_BYTES: Final = (
    (2.0**40, " TiB"), (2.0**30, " GiB"), (2.0**20, " MiB"), (2.0**10, " KiB"), (1.0, " B"),
)  # fmt: skip
_COUNTS: Final = ((1e9, " G"), (1e6, " M"), (1e3, " k"), (1.0, ""))
BYTES: Final = frozenset({"bytes", "Bps"})
_SCALES: Final = {"s": _SECONDS, "bytes": _BYTES, "Bps": _BYTES}
_SUFFIXES: Final = {"Bps": "/s", "cps": "/s", "reqps": "/s"}


def with_unit(value: float, unit: str) -> str:
    """Return a value as text with its unit."""
    if math.isinf(value):
        return "∞" if value > 0 else "-∞"
    if unit == "percentunit":
        return f"{_short(value * 100)} %"
    if unit == "bool_yes_no":
        return "Yes" if value else "No"
    return _scaled(value, _SCALES.get(unit, _COUNTS)) + _SUFFIXES.get(unit, "")


def _scaled(value: float, scale: tuple[tuple[float, str], ...]) -> str:
    if value == 0:
        return "0"
    size, name = next((step for step in scale if abs(value) >= step[0]), scale[-1])
    return f"{_short(value / size)}{name}"


def _short(value: float) -> str:
    """Return a number with three significant digits at most, and no zeros behind the point."""
    whole = 100
    return f"{value:.0f}" if abs(value) >= whole else f"{value:.3g}"
