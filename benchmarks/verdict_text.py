"""Format the figures of final verdicts and their targets as lines of text."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any


def verdict_lines(figures: Mapping[str, Any]) -> Iterator[str]:
    """Format alerts, declines, calibration, weeks and rules."""
    yield from _alert_lines(figures["alerts"])
    yield from _decline_lines(figures["declines"])
    yield from _calibration_lines(figures["calibration"])
    yield from _week_lines(figures["by_week"])
    yield from _rule_lines(figures["rules"])


def reach_lines(targets: Sequence[Mapping[str, Any]]) -> Iterator[str]:
    """Format one line per target: reached or missed."""
    for one in targets:
        word = "reached" if one["is_reached"] else "MISSED"
        yield f"{word:<8}{one['name']}: {one['measured']:.5g}, to reach {one['target']}"


def _alert_lines(alerts: Mapping[str, Any]) -> Iterator[str]:
    budget = alerts["budget_a_day"]
    yield (
        f"alerts a day: {alerts['a_day']:.1f} on {alerts['days']} days, budget "
        f"{'none' if budget is None else f'{budget:g}'}; {alerts['of_novelty_a_day']:.1f} of "
        f"novelty; precision {alerts['precision']:.3f}, recall {alerts['recall']:.3f}"
    )


def _decline_lines(declines: Mapping[str, Any]) -> Iterator[str]:
    yield (
        f"declines: {declines['count']:,}, precision {declines['precision']:.4f}; honest "
        f"{declines['honest_declined']:,} of {declines['honest_purchases']:,}, upper 95 % bound "
        f"{100_000 * declines['honest_declined_below']:.1f} in 100,000"
    )


def _calibration_lines(calibration: Mapping[str, Any]) -> Iterator[str]:
    yield (
        f"calibration of {calibration['purchases']:,} scores from {calibration['from_score']:g}: "
        f"slope {calibration['slope']:.3f}; Brier {calibration['brier']:.5f}, of the base rate "
        f"{calibration['brier_of_base_rate']:.5f}"
    )
    for one in calibration["bins"]:
        low, high = one["interval"]
        yield (
            f"  {one['purchases']:>6,} purchases: predicted {one['predicted']:.3f}, observed "
            f"{one['observed']:.3f} ({low:.3f} to {high:.3f})"
        )


def _week_lines(weeks: Sequence[Mapping[str, Any]]) -> Iterator[str]:
    heads = f"{'purchases':>10}{'frauds':>8}{'alerts a day':>14}{'declines':>10}{'honest':>8}"
    yield f"{'week of':<12}{heads}"
    for one in weeks:
        yield (
            f"{one['begins']:<12}{one['purchases']:>10,}{one['frauds']:>8,}"
            f"{one['alerts_a_day']:>14.1f}{one['declines']:>10,}{one['honest_declined']:>8,}"
        )


def _rule_lines(rules: Sequence[Mapping[str, Any]]) -> Iterator[str]:
    yield f"{'rule':<24}{'floor':>9}{'hits':>8}{'frauds':>8}"
    for one in rules:
        if one["hits"]:
            yield (f"{one['rule']:<24}{one['floor'] or '':>9}{one['hits']:>8,}{one['frauds']:>8,}")
