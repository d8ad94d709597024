from __future__ import annotations

import re

import pytest

from fraudwatch.observability.catalogue import METRICS, SECTIONS
from fraudwatch.observability.catalogue.metric import Kind, Label, Metric, Unit
from fraudwatch.observability.metrics import counter, histogram
from fraudwatch.observability.metrics_page import PAGE, page

ALL = [metric for section in SECTIONS for metric in section.metrics]
OURS = [metric for metric in ALL if metric.name.startswith("fraudwatch_")]
SUFFIXES = {
    Unit.SECONDS: "_seconds",
    Unit.EPOCH_SECONDS: "_seconds",
    Unit.BYTES: "_bytes",
    Unit.RATIO: "_ratio",
}


def test_the_page_is_up_to_date() -> None:
    assert PAGE.read_text(encoding="utf-8") == page(), (
        "run python -m fraudwatch.observability.metrics_page"
    )


def test_names_are_unique() -> None:
    assert len(METRICS) == len(ALL) > 100


@pytest.mark.parametrize("metric", OURS, ids=lambda metric: metric.name)
def test_a_name_carries_the_unit(metric: Metric) -> None:
    suffix = SUFFIXES.get(metric.unit)
    has_unit = [one for one in set(SUFFIXES.values()) if one in metric.name]
    assert has_unit == ([suffix] if suffix else [])
    assert suffix is None or metric.name.removesuffix("_total").endswith(suffix)


@pytest.mark.parametrize("metric", ALL, ids=lambda metric: metric.name)
def test_a_metric_has_meaning_and_worry_when(metric: Metric) -> None:
    assert re.fullmatch(r"[A-Z0-9][^|]*[^.|]", metric.meaning)
    assert re.fullmatch(r"[a-z][^|]*[^.|]", metric.worry_when)
    assert all(name.isidentifier() for name in metric.label_names)


def test_a_histogram_may_have_no_other_kinds_instrument() -> None:
    with pytest.raises(TypeError, match="declared as a gauge, not a histogram"):
        histogram("fraudwatch_persister_paused")
    with pytest.raises(KeyError):
        counter("fraudwatch_undeclared")


def metric_of(*labels: Label) -> Metric:
    return Metric(
        name="x",
        kind=Kind.COUNTER,
        unit=Unit.COUNT,
        meaning="X",
        worry_when="it grows",
        labels=labels,
    )


def test_series_of_closed_sets_are_known_and_of_open_sets_are_not() -> None:
    closed, computed, opened = Label("a", ("1", "2")), Label("b", lambda: ["3"]), Label("c")
    assert metric_of(closed, computed).known_series({}) == [("1", "3"), ("2", "3")]
    assert metric_of(closed, computed).known_series({"a": "2"}) == [("2", "3")]
    assert metric_of(closed, opened).known_series({}) == []
    assert metric_of().known_series({}) == []
