"""Format the shop benchmark's report as tables."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any


def as_text(report: Mapping[str, Any]) -> Iterator[str]:
    """Format the outcomes of each kind of labels, then what each rule earned."""
    yield (
        f"{len(report['seeds'])} worlds of {report['days']} days: {report['purchases']:,} "
        f"purchases, {report['late']:,} late, {report['position_0_0']:,} at 0, 0, "
        f"{report['declined_by_bank']:,} declined by the bank"
    )
    for labels in report["labels"]:
        yield ""
        yield f"labels: {labels['name']}"
        yield from _outcomes(labels)
        yield ""
        yield from _rules(labels)
    yield ""
    yield f"{report['seconds']} s, {report['peak_rss_mib']} MiB, {report['machine']}"


def _outcomes(labels: Mapping[str, Any]) -> Iterator[str]:
    yield (
        f"{'':<14}{'honest':>9}{'declined':>10}{'upper 95 %':>14}{'alerts/day':>12}"
        f"{'precision':>11}{'in alerts':>11}{'declined':>10}{'precision':>11}"
    )
    for span in labels["spans"]:
        one_in = f"1 in {1 / span['honest_declined_upper_95']:,.0f}"
        yield (
            f"{span['name']:<14}{span['honest']:>9,}{span['honest_declined']:>10}{one_in:>14}"
            f"{span['alerts_a_day']:>12.1f}{_share(span['alert_precision']):>11}"
            f"{_share(span['frauds_in_alerts']):>11}{span['declined']:>10,}"
            f"{_share(span['decline_precision']):>11}"
        )
    parts = (f"{name} {count}" for name, count in labels["honest_declined_by"].items())
    yield f"honest purchases declined by: {', '.join(parts)}"


def _rules(labels: Mapping[str, Any]) -> Iterator[str]:
    yield (
        f"{'rule':<24}{'floor':>9}{'hits':>8}{'precision':>11}{'honest/10,000':>15}"
        f"{'near fraud':>12}{'score misses':>14}{'frauds':>8}{'precision':>11}"
        f"{'at least':>10}{'earns one':>11}"
    )
    for rule in labels["rules"]:
        yield (
            f"{rule['name']:<24}{rule['floor'] or '':>9}{rule['hits']:>8,}"
            f"{_share(rule['precision']):>11}{rule['honest_hits_per_10_000']:>15.2f}"
            f"{rule['honest_hits_near_fraud']:>12,}{rule['hits_alone']:>14,}"
            f"{rule['frauds_alone']:>8,}{_share(rule['precision_alone']):>11}"
            f"{rule['precision_alone_lower_95']:>10.3f}{'yes' if rule['earns_floor'] else 'no':>11}"
        )
    last = labels["last_alerts"]
    yield (
        f"last tenth of the score's alerts: {last['alerts']:,}, "
        f"precision {_share(last['precision'])}"
    )


def _share(share: float | None) -> str:
    return "" if share is None else f"{share:.3f}"
