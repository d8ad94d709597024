"""Panels of a Java process, from the JMX agent in it."""

from __future__ import annotations

from fraudwatch.observability.dashboards.panels import Panel, Query, Unit
from fraudwatch.observability.dashboards.promql import rate


def java_panels(services: str) -> tuple[Panel, ...]:
    """Return heap, collection and processor time of the services that match."""
    where = f'job=~"{services}"'
    used = f'jvm_memory_used_bytes{{area="heap", {where}}}'
    highest = f'jvm_memory_max_bytes{{area="heap", {where}}}'
    return (
        Panel(
            title="Java heap",
            normal="A sawtooth whose lower edge is well below the limit.",
            queries=(
                Query("{{job}}: used", f"sum by (job) ({used})"),
                Query("{{job}}: limit", f"sum by (job) ({highest})"),
            ),
            unit=Unit.BYTES,
        ),
        Panel(
            title="Java garbage collection",
            normal="Share of time below 5 %. More: the heap is too small.",
            queries=(Query("{{job}}", rate("jvm_gc_collection_seconds_sum", "job", where)),),
            unit=Unit.RATIO,
        ),
        Panel(
            title="Java threads",
            normal="Steady.",
            queries=(Query("{{job}}", f"sum by (job) (jvm_threads_current{{{where}}})"),),
        ),
    )
