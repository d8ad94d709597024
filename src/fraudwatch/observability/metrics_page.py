"""Generate docs/metrics.md from the catalogue of metrics; a test compares the two.

python -m fraudwatch.observability.metrics_page
"""

from __future__ import annotations

from pathlib import Path

from fraudwatch.observability.catalogue import SECTIONS
from fraudwatch.observability.catalogue.metric import Label, Metric, Section

PAGE = Path(__file__).parents[3] / "docs" / "metrics.md"

_HEAD = """# Metrics

Every metric by the name that it has in a scrape, its meaning, and when to worry. Generated from
`src/fraudwatch/observability/catalogue/` by `python -m fraudwatch.observability.metrics_page`.
Prometheus adds the labels `job`, the service, and `instance`. A histogram has `_bucket`, `_sum` and
`_count`. Series of closed label sets exist with 0 from the start of the process, so that rates
work; open sets are marked with `…`. Each process of ours also has `process_*` and `python_*`.
"""
_TABLE = "| metric | kind, unit | meaning | worry when |\n|---|---|---|---|\n"


def page() -> str:
    """Build the whole page from the catalogue."""
    return _HEAD + "".join(_section(section) for section in SECTIONS)


def _section(section: Section) -> str:
    jobs = ", ".join(f"`{job}`" for job in section.jobs)
    about = f" {section.about}" if section.about else ""
    rows = "".join(_row(metric) for metric in section.metrics)
    return f"\n## {section.title}\n\nJob {jobs}.{about}\n\n{_TABLE}{rows}"


def _row(metric: Metric) -> str:
    labels = "".join(f"<br>{_label(label)}" for label in metric.labels)
    kind = f"{metric.kind}, {metric.unit}"
    return f"| `{metric.name}`{labels} | {kind} | {metric.meaning} | {metric.worry_when} |\n"


def _label(label: Label) -> str:
    values = label.closed_values()
    return f"{label.name}: {'…' if values is None else ', '.join(values)}"


if __name__ == "__main__":
    PAGE.write_text(page(), encoding="utf-8")
