"""Claims after a lightweight transaction of unknown outcome."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from cassandra import OperationTimedOut, WriteTimeout, WriteType

from fraudwatch.adapters.store.claims import CassandraClaims
from fraudwatch.application.ports import StoreUnavailable


class Answer(list[dict[str, Any]]):
    """Rows as the driver returns them."""

    @property
    def was_applied(self) -> bool:
        return bool(self[0]["[applied]"])

    def one(self) -> dict[str, Any] | None:
        return self[0] if self else None


class Statement:
    def __init__(self, text: str) -> None:
        self.verb = text.split(maxsplit=1)[0]


class LosingSession:
    """Table with one case; it loses the answers of the first conditional writes, applied or not."""

    def __init__(self, *, holder: str | None = None, lost: int = 1, is_done: bool = True) -> None:
        self.holder, self.lost, self.is_done = holder, lost, is_done
        self.error: Callable[[], Exception] = OperationTimedOut
        self.statements: list[str] = []

    def prepare(self, text: str) -> Statement:
        return Statement(text)

    def execute(self, statement: Statement, values: tuple[Any, ...]) -> Answer:
        self.statements.append(statement.verb)
        if statement.verb == "SELECT":
            return Answer([{"claimed_by": self.holder}] if self.holder else [])
        if not self.lost:
            return self._write(statement.verb, values)
        self.lost -= 1
        if self.is_done:
            self._write(statement.verb, values)
        raise self.error()

    def _write(self, verb: str, values: tuple[Any, ...]) -> Answer:
        login = values[1] if verb == "UPDATE" else values[2]
        is_applied = self.holder == (None if verb == "INSERT" else login)
        if is_applied:
            self.holder = None if verb == "DELETE" else login
            return Answer([{"[applied]": True}])
        return Answer(
            [{"[applied]": False, **({"claimed_by": self.holder} if self.holder else {})}]
        )


def claims(session: LosingSession) -> CassandraClaims:
    return CassandraClaims(session)  # type: ignore[arg-type]  # as much of a session as is used


def test_a_claim_applied_without_an_answer_is_ones_own() -> None:
    session = LosingSession()
    assert claims(session).claim("test:1", "anna") == "anna"
    assert session.statements == ["INSERT", "SELECT"]


def test_a_claim_that_was_not_applied_is_retried() -> None:
    session = LosingSession(is_done=False)
    assert claims(session).claim("test:1", "anna") == "anna"
    assert (session.holder, session.statements) == ("anna", ["INSERT", "SELECT", "INSERT"])


def test_a_claim_won_by_another_login_is_theirs() -> None:
    session = LosingSession(holder="ben")
    session.error = lambda: WriteTimeout("CAS", write_type=WriteType.CAS)
    assert claims(session).claim("test:1", "anna") == "ben"


def test_a_claim_without_any_answer_fails() -> None:
    session = LosingSession(lost=99, is_done=False)
    with pytest.raises(StoreUnavailable, match="nothing was claimed"):
        claims(session).claim("test:1", "anna")


def test_a_claim_that_expires_during_renewal_is_claimed_again() -> None:
    session = LosingSession(holder="anna", lost=0)
    write = session._write

    def ends(verb: str, values: tuple[Any, ...]) -> Answer:
        if verb == "UPDATE":
            session.holder = None
        return write(verb, values)

    session._write = ends  # type: ignore[method-assign]
    assert claims(session).claim("test:1", "anna") == "anna"
    assert session.statements == ["INSERT", "UPDATE", "INSERT"]


@pytest.mark.parametrize("is_done", [False, True])
def test_a_release_without_an_answer_is_retried_if_it_was_not_applied(*, is_done: bool) -> None:
    session = LosingSession(holder="anna", is_done=is_done)
    claims(session).release("test:1", "anna")
    assert session.holder is None
    assert session.statements == ["DELETE", "SELECT", *([] if is_done else ["DELETE"])]
