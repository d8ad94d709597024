from __future__ import annotations

from typing import Any

import pytest
from cassandra import OperationTimedOut

from fraudwatch.adapters.store import verdict_lookup
from fraudwatch.adapters.store.verdict_lookup import CassandraVerdictLookup
from fraudwatch.application.ports import StoreUnavailable


class Statement:
    is_idempotent = False


class Session:
    is_closed = False

    def __init__(self, failure: Exception | None = None) -> None:
        self.failure = failure
        self.cluster = self

    def prepare(self, _: str) -> Statement:
        if self.failure:
            raise self.failure
        return Statement()

    def shutdown(self) -> None:
        self.is_closed = True


def test_after_a_failed_read_the_store_is_left_alone_for_a_moment(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    now_seconds, asked = [100.0], list[Any]()

    def fail(*arguments: Any, **_: Any) -> None:
        asked.append(arguments[2])
        raise OperationTimedOut

    monkeypatch.setattr(verdict_lookup, "execute_concurrent_with_args", fail)
    lookup = CassandraVerdictLookup(Session, now_seconds=lambda: now_seconds[0])
    lookup.open()
    for seconds in (0.0, 0.1, 1.9, 2.1):
        now_seconds[0] = 100.0 + seconds
        with pytest.raises(StoreUnavailable):
            lookup.verdicts_of(["shop:1", "shop:1"])
    assert asked == [[("shop:1",)], [("shop:1",)]]


def test_a_session_that_cannot_prepare_is_closed() -> None:
    session = Session(OperationTimedOut())
    lookup = CassandraVerdictLookup(lambda: session)
    with pytest.raises(StoreUnavailable):
        lookup.open()
    assert session.is_closed
