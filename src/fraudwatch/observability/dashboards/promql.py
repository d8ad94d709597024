"""Write the PromQL expressions that dashboards repeat: rates, quantiles, means, ages."""

from __future__ import annotations

from typing import Final

RATE_INTERVAL: Final = "$__rate_interval"
"""Grafana's variable: at least four scrapes, and at least one step of the chart."""


def rate(counter: str, by: str = "", where: str = "") -> str:
    """Return the increase of a counter a second, summed over all labels except ``by``."""
    return f"sum{_by(by)}(rate({counter}{_where(where)}[{RATE_INTERVAL}]))"


def increase(counter: str, window: str, by: str = "", where: str = "") -> str:
    """Return the increase of a counter in a window, summed over all labels except ``by``."""
    return f"sum{_by(by)}(increase({counter}{_where(where)}[{window}]))"


def quantile(share: float, histogram: str, by: str = "", where: str = "") -> str:
    """Return a quantile of a histogram's observations."""
    labels = f"le, {by}" if by else "le"
    return f"histogram_quantile({share:g}, {rate(f'{histogram}_bucket', labels, where)})"


def mean(histogram: str, by: str = "") -> str:
    """Return the mean of a histogram's observations."""
    return f"{rate(f'{histogram}_sum', by)} / {rate(f'{histogram}_count', by)}"


def age(gauge: str, by: str = "", where: str = "") -> str:
    """Return the seconds since the newest time in a gauge of epoch seconds; 0 and NaN are none."""
    return f"time() - max{_by(by)}({gauge}{_where(where)} > 0)"


def last(gauge: str, by: str = "") -> str:
    """Return the last value of a gauge that a daily job sets, also after StatsD was restarted."""
    return f"max{_by(by)}(last_over_time({gauge}[2d]))"


def last_age(gauge: str, by: str = "") -> str:
    """Return the seconds since the newest time in a gauge that a daily job sets."""
    return f"time() - {last(gauge, by)}"


def events(counter: str, window: str, by: str = "") -> str:
    """Return the increase in a window of a counter that exists from its first event on.

    ``increase`` alone misses that event: it is no increase from 0.
    """
    since_then = f"({counter} unless {counter} offset {window})"
    return f"sum{_by(by)}({since_then} or increase({counter}[{window}]))"


def _by(labels: str) -> str:
    return f" by ({labels}) " if labels else ""


def _where(matchers: str) -> str:
    return f"{{{matchers}}}" if matchers else ""
