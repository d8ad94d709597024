from __future__ import annotations

from prometheus_client import CollectorRegistry, Histogram, generate_latest

from fraudwatch.observability.batch_histogram import BatchHistogram

BOUNDS = (0.125, 0.5)


def test_it_exports_the_same_as_the_librarys_own_histogram() -> None:
    theirs, ours = CollectorRegistry(), CollectorRegistry()
    one_by_one = Histogram("x_seconds", "meaning", buckets=BOUNDS, registry=theirs)
    for seconds in (0.125, 0.25, 0.375, 3.0):
        one_by_one.observe(seconds)
    by_batch = BatchHistogram("x_seconds", "meaning", BOUNDS, ours)
    by_batch.add([1, 1, 0], 0.125 + 0.25)
    by_batch.observe_all([0.375, 3.0])
    exported = generate_latest(theirs).decode().splitlines()
    expected = [line for line in exported if "_created" not in line]
    assert generate_latest(ours).decode().splitlines() == expected
