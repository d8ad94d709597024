from __future__ import annotations

import numpy as np

from benchmarks.state_memory import measure, purchases_of


def test_purchases_are_in_the_order_of_production_and_each_customer_has_a_share() -> None:
    events = list(purchases_of(30_000, 4))
    produced_at_ms = np.concatenate([batch.produced_at_ms for batch in events])
    assert (np.diff(produced_at_ms) >= 0).all()
    assert all((batch.event_at_ms <= batch.produced_at_ms).all() for batch in events)
    _, times = np.unique(
        np.concatenate([batch.customer_key for batch in events]), return_counts=True
    )
    assert len(times) > 29_000
    assert times.mean() < 4.2


def test_the_figures_are_of_all_customers() -> None:
    report = measure(400, 10)
    assert (report["customers"], report["purchases"]) == (400, 4_000)
    assert 200 < report["copied_bytes_per_customer"] < 2_000
    assert report["peak_rss_mib"] >= report["rss_mib"] > 0
