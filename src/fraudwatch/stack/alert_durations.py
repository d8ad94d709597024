"""Multiply the durations of alert rules and of their mails by ALERT_DURATION_RATIO, for tests."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from typing import Any, Final

import yaml

from fraudwatch.stack import env_file
from fraudwatch.stack.env_file import BadSetting

_UNITS_MS: Final = {
    "ms": 1,
    "s": 1_000,
    "m": 60_000,
    "h": 3_600_000,
    "d": 86_400_000,
    "w": 604_800_000,
    "y": 31_536_000_000,
}
_PART: Final = re.compile(r"(\d+)(ms|[smhdwy])")


def ratio_of(settings: Mapping[str, str]) -> float:
    """Return the ratio from .env.

    Raises:
        BadSetting: it is no number above 0.
    """
    text = settings.get(env_file.ALERT_DURATION_RATIO, "1")
    try:
        ratio = float(text)
    except ValueError:
        ratio = math.nan
    if not 0 < ratio < math.inf:
        raise BadSetting(
            f"{env_file.ALERT_DURATION_RATIO}={text} is no number above 0, so Prometheus was not "
            "started; use 1 for the durations in monitoring/prometheus/rules"
        )
    return ratio


def duration_ms(text: str) -> int:
    """Parse a duration of Prometheus, such as 1m30s."""
    if not re.fullmatch(f"({_PART.pattern})+", text):
        raise ValueError(f"{text!r} is no duration of Prometheus, such as 1m30s")
    return sum(int(number) * _UNITS_MS[unit] for number, unit in _PART.findall(text))


def scaled(duration: str, ratio: float, *, least_ms: int = 0) -> str:
    """Multiply a duration; Prometheus reads the result."""
    if ratio == 1:
        return duration
    return f"{max(least_ms, round(duration_ms(duration) * ratio))}ms"


def scaled_rules(text: str, ratio: float) -> str:
    """Return a rule file with every `for` multiplied."""
    document: dict[str, Any] = yaml.safe_load(text)
    for group in document["groups"]:
        for rule in group["rules"]:
            if "for" in rule:
                rule["for"] = scaled(str(rule["for"]), ratio)
    return yaml.safe_dump(document, sort_keys=False, width=100)
