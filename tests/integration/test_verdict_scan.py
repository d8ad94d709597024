"""The evaluation's verdict scan on real Cassandra, with the rights of its role."""

from __future__ import annotations

import uuid
from collections.abc import Callable

import pytest
from cassandra.cluster import Session

from fraudwatch.adapters.store import verdict_ranges as cassandra_verdict_ranges
from fraudwatch.adapters.store.verdict_scan import CassandraVerdictScan
from fraudwatch.adapters.store.verdict_store import CassandraVerdictStore
from fraudwatch.application.evaluation.ports import keys_of
from fraudwatch.samples import a_verdict

pytestmark = pytest.mark.engines


def test_every_verdict_of_a_source_is_found_once(
    session_of: Callable[[str], Session], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(cassandra_verdict_ranges, "PAGE_ROWS", 3)
    monkeypatch.setattr(cassandra_verdict_ranges, "RANGES", 16)
    source = f"scan{uuid.uuid4().hex[:8]}"
    given = [a_verdict(transaction_id=f"{source}:{number}") for number in range(200)]
    CassandraVerdictStore(session_of("persister")).write(given, [])
    found = CassandraVerdictScan(session_of("console"), lambda *_: None).of(source)
    assert sorted(found.transaction) == sorted(keys_of(one.transaction_id for one in given))
    assert sorted(found.verdict) == sorted(keys_of(one.verdict_id for one in given))
    assert set(found.score.tolist()) == {0.5}
    assert found.rule_names == ("high_amount",)
