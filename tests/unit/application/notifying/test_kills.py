"""Kills at every step: a staff message is doubled at most once a kill, a notice never.

A kill is an exception that no code catches, before or after the n-th call of the state, the channel
or the edge. A new process then opens the same file and goes on.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from fraudwatch.adapters.notifications.sqlite_store import SqliteNotificationStore
from fraudwatch.application.notifying.customer_delivery import CustomerDelivery
from fraudwatch.application.notifying.ports import StaffMessage
from fraudwatch.application.notifying.record_verdicts import RecordVerdicts
from fraudwatch.application.notifying.staff_delivery import StaffDelivery
from fraudwatch.application.notifying.staff_texts import StaffTexts
from fraudwatch.domain.messages.transaction import Transaction
from fraudwatch.domain.messages.verdict import Outcome, Risk, Verdict
from fraudwatch.domain.notifications.customer_notice import (
    CustomerNotice,
    NoticeState,
    NoticeTemplate,
)
from fraudwatch.domain.notifications.staff_policy import StaffPolicy
from fraudwatch.samples import NOON_MS, a_token, a_transaction, a_verdict

POLICY = StaffPolicy()
# More calls than one run makes, so that the last cases are killed nowhere.
CALLS = 30


class Killed(BaseException):
    """The process ends here."""


@dataclass
class Kill:
    """Kills at one call, before or after it has its effect; later calls are unharmed."""

    at_call: int
    is_after: bool
    calls: int = 0

    def wrap(self, target: Any) -> Any:
        """Return a proxy whose every method counts as a call."""
        return _Killing(target, self)

    def around(self, call: Callable[[], Any]) -> Any:
        self.calls += 1
        is_due = self.calls == self.at_call
        if is_due and not self.is_after:
            raise Killed
        result = call()
        if is_due:
            raise Killed
        return result


@dataclass
class _Killing:
    _target: Any
    _kill: Kill

    def __getattr__(self, name: str) -> Any:
        method = getattr(self._target, name)
        if not callable(method):
            return method
        return lambda *given, **named: self._kill.around(lambda: method(*given, **named))


@dataclass
class Outside:
    """People, the edge and stored purchases: they outlive a kill."""

    name: str = "mail"
    mails: list[StaffMessage] = field(default_factory=list)
    notices: list[CustomerNotice] = field(default_factory=list)

    def send(self, message: StaffMessage) -> None:
        self.mails.append(message)

    def notify(self, notice: CustomerNotice, purchase: Transaction) -> NoticeState:
        assert purchase.sealed
        self.notices.append(notice)
        return NoticeState.MAILED

    def purchase_of(self, notice: CustomerNotice) -> Transaction:
        return a_transaction(transaction_id=notice.transaction_id)


def verdicts() -> list[Verdict]:
    return [
        a_verdict(
            transaction_id=f"shop:{n}",
            customer_token=a_token(name),
            risk=Risk.CRITICAL,
            outcome=Outcome.DECLINE,
        )
        for n, name in enumerate("ab")
    ]


def run_once(path: Path, outside: Outside, kill: Kill) -> None:
    """Run one process: it consumes everything uncommitted, delivers all, and ends."""
    store = kill.wrap(SqliteNotificationStore(path))
    store.close_interrupted_notices(NOON_MS)
    events = frozenset(NoticeTemplate)
    RecordVerdicts(store, POLICY, ["mail"], events, lambda: NOON_MS).record(verdicts())
    channel, texts = kill.wrap(outside), StaffTexts("http://c")
    staff = StaffDelivery(store, channel, POLICY, texts, lambda: NOON_MS)
    while message := staff.next_message():
        staff.send(message)
    customers = CustomerDelivery(store, channel, channel, lambda: NOON_MS, 900, lambda _: None)
    while customers.deliver_waiting():
        pass


@pytest.mark.parametrize("is_after", [False, True], ids=["before", "after"])
@pytest.mark.parametrize("at_call", range(1, CALLS + 1))
def test_one_kill_doubles_one_message_at_most_and_no_notice(
    tmp_path: Path, at_call: int, *, is_after: bool
) -> None:
    path, outside = tmp_path / "state.sqlite3", Outside()
    kill = Kill(at_call, is_after)
    try:
        run_once(path, outside, kill)
    except Killed:
        run_once(path, outside, Kill(0, is_after=False))
    mails = Counter(one.message_id for one in outside.mails)
    assert len(mails) == 2, "a message is missing"
    assert sum(mails.values()) <= 3, "more than the one in flight was doubled"
    texts = {(one.message_id, one.subject, one.text) for one in outside.mails}
    assert len(texts) == 2, "a doubled message differs"
    notices = Counter(one.verdict_id for one in outside.notices)
    assert max(notices.values(), default=0) <= 1, "a customer was notified twice"
    assert len(notices) >= 1


def test_the_calls_above_are_all_that_a_run_makes(tmp_path: Path) -> None:
    kill = Kill(0, is_after=False)
    run_once(tmp_path / "state.sqlite3", Outside(), kill)
    assert kill.calls <= CALLS
