"""Compare figures with the targets that they are to reach."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Final

BUDGET_WITHIN: Final = 0.25
DECLINE_PRECISION: Final = 0.9
HONEST_DECLINED: Final = 1e-4
ENOUGH_HONEST: Final = 300_000
"""Fewer honest purchases cannot show that one in 10,000 is declined at most."""
SLOPE: Final = (0.8, 1.2)

Target = dict[str, Any]


def at_least(name: str, measured: float, target: float) -> Target:
    """Return whether a figure is as high as its target."""
    return _target(name, measured, f">= {target:.3f}", is_reached=measured >= target)


def verdict_targets(figures: Mapping[str, Any]) -> list[Target]:
    """Return the targets of alerts, declines and calibration, in this order.

    A figure that the data cannot give, such as the precision of no declines, has no target.
    """
    return [*_of_alerts(figures["alerts"]), *_of_declines(figures["declines"]),
            *_of_calibration(figures["calibration"])]  # fmt: skip


def _of_alerts(alerts: Mapping[str, Any]) -> Iterator[Target]:
    if (budget := alerts["budget_a_day"]) is not None:
        lowest, highest = budget * (1 - BUDGET_WITHIN), budget * (1 + BUDGET_WITHIN)
        yield _between("alerts a day", alerts["a_day"], lowest, highest)


def _of_declines(declines: Mapping[str, Any]) -> Iterator[Target]:
    if declines["count"]:
        yield at_least("precision of declines", declines["precision"], DECLINE_PRECISION)
    if declines["honest_purchases"] >= ENOUGH_HONEST:
        below = declines["honest_declined_below"]
        yield _target(
            "honest declined, upper 95 % bound", below, f"< {HONEST_DECLINED:g}",
            is_reached=below < HONEST_DECLINED,
        )  # fmt: skip


def _of_calibration(calibration: Mapping[str, Any]) -> Iterator[Target]:
    if not calibration["purchases"]:
        return
    yield _between("slope of observed on predicted", calibration["slope"], *SLOPE)
    bins = calibration["bins"]
    inside = sum(one["is_inside"] for one in bins)
    yield _target(
        "bins inside their 95 % interval",
        inside,
        f"all {len(bins)}",
        is_reached=inside == len(bins),
    )
    brier, of_base_rate = calibration["brier"], calibration["brier_of_base_rate"]
    yield _target("Brier score", brier, f"< {of_base_rate:.5f}", is_reached=brier < of_base_rate)


def _between(name: str, measured: float, lowest: float, highest: float) -> Target:
    wanted = f"{lowest:g} to {highest:g}"
    return _target(name, measured, wanted, is_reached=lowest <= measured <= highest)


def _target(name: str, measured: float, target: str, *, is_reached: bool) -> Target:
    return {"name": name, "measured": measured, "target": target, "is_reached": is_reached}
