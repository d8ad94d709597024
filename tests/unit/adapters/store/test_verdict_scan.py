from __future__ import annotations

from collections import Counter
from itertools import pairwise
from types import SimpleNamespace
from typing import Any

import pytest
from cassandra import OperationTimedOut
from cassandra.metadata import Murmur3Token
from cassandra.query import tuple_factory

from fraudwatch.adapters.store import verdict_ranges as cassandra_verdict_ranges
from fraudwatch.adapters.store.rows import VERDICTS
from fraudwatch.adapters.store.verdict_ranges import token_ranges
from fraudwatch.adapters.store.verdict_scan import CassandraVerdictScan
from fraudwatch.application.evaluation.ports import keys_of
from fraudwatch.application.ports import StoreUnavailable
from fraudwatch.samples import a_verdict


class Ring:
    """Answers the one statement as Cassandra does: rows by the token of their key."""

    def __init__(self, rows: dict[str, tuple[Any, ...]]) -> None:
        self._rows = [(Murmur3Token.hash_fn(key.encode()), row) for key, row in rows.items()]
        self.reads: Counter[tuple[int, int]] = Counter()
        self.fails = 0

    def prepare(self, statement: str) -> Any:
        chosen = statement.removeprefix("SELECT ").split(" FROM ")[0].split(", ")
        assert set(chosen) <= set(VERDICTS.sources)
        self._columns = chosen
        return SimpleNamespace()

    def execution_profile_clone_update(self, _profile: object, **changes: Any) -> object:
        assert changes["row_factory"] is tuple_factory
        return "as tuples"

    def execute(self, _statement: Any, bounds: tuple[int, int], execution_profile: object) -> Any:
        assert execution_profile == "as tuples"
        self.reads[bounds] += 1
        if self.fails:
            self.fails -= 1
            raise OperationTimedOut
        after, upto = bounds
        return iter([row for token, row in self._rows if after < token <= upto])


def stored(*changes: dict[str, Any]) -> dict[str, tuple[Any, ...]]:
    verdicts = (a_verdict(**change) for change in changes)
    return {
        one.transaction_id: (one.transaction_id, VERDICTS.sources["verdict"](one))
        for one in verdicts
    }


@pytest.fixture(autouse=True)
def _no_pause(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cassandra_verdict_ranges, "PAUSE_SECONDS", 0)


def scan(ring: Ring, progress: list[tuple[int, int, int]] | None = None) -> CassandraVerdictScan:
    return CassandraVerdictScan(
        ring, lambda *now: None if progress is None else progress.append(now)
    )  # type: ignore[arg-type]


def test_ranges_cover_the_ring_once() -> None:
    ranges = list(token_ranges(1000))
    assert len(ranges) == 1000
    assert (ranges[0][0], ranges[-1][1]) == (-(2**63), 2**63 - 1)
    assert all(one[1] == other[0] for one, other in pairwise(ranges))
    assert all(after < upto for after, upto in ranges)


def test_every_row_of_the_source_is_read_once_and_no_other() -> None:
    ours = [{"transaction_id": f"test:{i}", "reasons": ()} for i in range(300)]
    others = [{"transaction_id": f"testing:{i}"} for i in range(50)]
    progress: list[tuple[int, int, int]] = []
    ring = Ring(stored(*ours, *others))
    found = scan(ring, progress).of("test")
    assert sorted(found.transaction) == sorted(keys_of(one["transaction_id"] for one in ours))
    assert set(ring.reads.values()) == {1}
    assert progress[-1] == (cassandra_verdict_ranges.RANGES, cassandra_verdict_ranges.RANGES, 300)


def test_a_row_keeps_what_a_report_needs() -> None:
    found = scan(Ring(stored({"transaction_id": "test:1"}))).of("test")
    verdict = a_verdict(transaction_id="test:1")
    assert found.verdict.tolist() == keys_of([verdict.verdict_id]).tolist()
    assert (found.score.tolist(), found.outcome.tolist()) == ([0.5], [1])
    assert (found.rule_names, found.rules.tolist()) == (("high_amount",), [1])
    assert (found.scorers, found.scorer.tolist()) == (("rules_only, policy test",), [0])


def test_a_failed_range_is_read_again_and_not_doubled() -> None:
    ring = Ring(stored({"transaction_id": "test:1"}, {"transaction_id": "test:2"}))
    ring.fails = 2
    assert len(scan(ring).of("test").transaction) == 2


def test_a_store_that_stays_unavailable_is_reported() -> None:
    ring = Ring({})
    ring.fails = 10**6
    with pytest.raises(StoreUnavailable, match="does not answer"):
        scan(ring).of("test")
    # It gives up instead of asking for every other range in vain.
    assert len(ring.reads) < cassandra_verdict_ranges.RANGES / 2
