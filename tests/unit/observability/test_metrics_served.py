"""The page of metrics of each of our processes before any event."""

from __future__ import annotations

import math
import os
import subprocess
import sys
from collections.abc import Mapping

import pytest
from prometheus_client.parser import text_string_to_metric_families

from fraudwatch.domain.messages.dead_letter import Stage
from fraudwatch.observability.catalogue import SECTIONS
from fraudwatch.observability.catalogue.metric import Kind, Metric

# The module that each process runs; all of its instruments exist once it is imported.
PROCESSES = {
    "shop": "shop.api",
    "ingest": "streaming.ingest.__main__",
    "detector": "streaming.detector.__main__",
    "persister": "streaming.persister.__main__",
    "tally": "streaming.tally.__main__",
    "notifier": "streaming.notifier.__main__",
    "webhooks": "streaming.webhooks.__main__",
    "log_guard": "streaming.log_guard.__main__",
    "console": "streamlit_app.__main__",
}
DUMP = (
    "import {module}, prometheus_client as p, sys; sys.stdout.write(p.generate_latest().decode())"
)

Series = Mapping[tuple[str, frozenset[tuple[str, str]]], float]


def series_of(module: str) -> Series:
    """Return all series of a process that has done nothing yet."""
    dumped = subprocess.run(
        [sys.executable, "-c", DUMP.format(module=module)],
        check=True,
        capture_output=True,
        text=True,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(path for path in sys.path if path)},
    )
    return {
        (sample.name, frozenset(sample.labels.items())): sample.value
        for family in text_string_to_metric_families(dumped.stdout)
        for sample in family.samples
    }


def is_ours(name: str) -> bool:
    """Tell our own metrics from those of Python, Java and the process."""
    return name.startswith("fraudwatch_")


def expected_series(metric: Metric, job: str) -> list[frozenset[tuple[str, str]]]:
    """Return the labels of the series that must exist before any event."""
    if not metric.labels:
        return [frozenset()]
    own = {"stage": job} if job in set(Stage) else {}
    known = metric.known_series(own)
    return [frozenset(zip(metric.label_names, values, strict=True)) for values in known]


@pytest.mark.parametrize("job", PROCESSES)
def test_every_metric_and_every_closed_label_set_exists_from_the_start(job: str) -> None:
    found = series_of(PROCESSES[job])
    sections = [section for section in SECTIONS if job in section.jobs]
    metrics = [one for section in sections for one in section.metrics if is_ours(one.name)]
    assert metrics
    for metric in metrics:
        name = f"{metric.name}_count" if metric.kind is Kind.HISTOGRAM else metric.name
        listed = {labels for named, labels in found if named == name}
        assert listed == set(expected_series(metric, job)), metric.name
        values = {found[name, labels] for labels in listed}
        if metric.kind is not Kind.GAUGE:
            assert values <= {0.0}, metric.name
        elif math.isnan(metric.initial):
            assert all(map(math.isnan, values)), metric.name
    ours = {name for name, _ in found if is_ours(name)}
    declared = {metric.name for metric in metrics}
    suffixes = ("", "_bucket", "_sum", "_count")
    assert ours <= {name + suffix for name in declared for suffix in suffixes}
