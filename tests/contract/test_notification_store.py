"""Contract of the notifier's state: memory twin and SQLite."""

from __future__ import annotations

import sqlite3
import stat
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass, replace
from pathlib import Path

import pytest

from fraudwatch.adapters.memory.notifications import MemoryNotificationStore
from fraudwatch.adapters.notifications import sqlite_store
from fraudwatch.adapters.notifications.sqlite_store import SqliteNotificationStore
from fraudwatch.application.notifying.ports import NotificationStore, StaffMessage
from fraudwatch.application.ports import StoreUnavailable
from fraudwatch.domain.messages.verdict import Risk
from fraudwatch.domain.notifications.customer_notice import (
    CustomerNotice,
    NoticeState,
    NoticeTemplate,
)
from fraudwatch.domain.notifications.staff_policy import MessageKind, SentMessage
from fraudwatch.samples import NOON_MS, a_staff_alert, a_token

BOTH = ("mail", "chat")


@dataclass(frozen=True)
class States:
    """A store under test; ``again`` opens it as a new process would."""

    store: NotificationStore
    path: Path | None

    def again(self) -> NotificationStore:
        return self.store if self.path is None else SqliteNotificationStore(self.path)


@pytest.fixture(params=["memory", "sqlite"])
def states(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[States]:
    if request.param == "memory":
        yield States(MemoryNotificationStore(), None)
        return
    path = tmp_path / "notifier" / "state.sqlite3"
    yield States(SqliteNotificationStore(path), path)


def message(*verdict_ids: str, channel: str = "mail") -> StaffMessage:
    return StaffMessage(
        channel=channel,
        message_id="id-" + "-".join(verdict_ids),
        kind=MessageKind.CRITICAL,
        customer_tokens=frozenset({a_token("a"), a_token("b")}),
        verdict_ids=verdict_ids,
        subject="CRITICAL: 1,200.00 €",
        text="one\ntwo",
        composed_at_ms=NOON_MS,
    )


def notice(verdict_id: str = "v-1") -> CustomerNotice:
    return CustomerNotice(
        verdict_id=verdict_id,
        transaction_id="shop:1",
        customer_token=a_token("a"),
        template=NoticeTemplate.DECLINED,
        event_at_ms=NOON_MS,
    )


def ids(store: NotificationStore, channel: str = "mail", limit: int = 100) -> list[str]:
    return [one.alert.verdict_id for one in store.pending(channel, limit)]


def test_an_alert_is_pending_in_each_channel_once(states: States) -> None:
    first, second = a_staff_alert(verdict_id="1"), a_staff_alert(verdict_id="2")
    states.store.add([first, second], [], channels=BOTH, now_ms=NOON_MS)
    states.store.add([second, first], [], channels=BOTH, now_ms=NOON_MS + 1)
    again = states.again()
    for channel in BOTH:
        found = again.pending(channel)
        assert [one.alert for one in found] == [first, second]
        assert {one.added_at_ms for one in found} == {NOON_MS}
    assert again.pending("sms") == []


def test_a_backlog_does_not_hide_the_newest_critical_alerts(states: States) -> None:
    alerts = [a_staff_alert(verdict_id=f"h{n}", risk=Risk.HIGH) for n in range(3)]
    alerts += [a_staff_alert(verdict_id=f"c{n}") for n in range(3)]
    states.store.add(alerts, [], channels=BOTH, now_ms=NOON_MS)
    assert ids(states.store, limit=2) == ["c1", "c2"]
    assert ids(states.store, limit=4) == ["h0", "c0", "c1", "c2"]


def test_a_long_backlog_is_not_sorted_at_each_question(tmp_path: Path) -> None:
    SqliteNotificationStore(tmp_path / "state.sqlite3")
    with closing(sqlite3.connect(tmp_path / "state.sqlite3")) as connection:
        plan = connection.execute(f"EXPLAIN QUERY PLAN {sqlite_store._PENDING}", ("mail", 1))
        steps = [row[-1] for row in plan]
    assert steps == ["SEARCH alert USING INDEX pending_in_order (channel=?)"]


def test_a_composed_message_is_the_same_after_a_kill_until_it_is_closed(states: States) -> None:
    states.store.add([a_staff_alert(verdict_id=n) for n in "123"], [], channels=BOTH, now_ms=1)
    composed = message("1", "3")
    states.store.compose(composed)
    again = states.again()
    assert again.unsent("mail") == composed
    assert again.unsent("chat") is None
    assert (ids(again), ids(again, "chat")) == (["2"], ["1", "2", "3"])
    again.close(composed, is_sent=True, now_ms=NOON_MS + 5)
    assert states.again().unsent("mail") is None
    assert states.again().sent_since("mail", NOON_MS + 4) == [
        SentMessage(MessageKind.CRITICAL, composed.customer_tokens, NOON_MS + 5)
    ]
    assert states.store.sent_since("mail", NOON_MS + 5) == []
    assert states.store.sent_since("chat", 0) == []


def test_a_message_that_was_given_up_was_not_sent(states: States) -> None:
    states.store.compose(message("1"))
    states.store.close(message("1"), is_sent=False, now_ms=NOON_MS)
    assert states.store.unsent("mail") is None
    assert states.store.sent_since("mail", 0) == []


def test_a_verdict_that_is_consumed_again_is_known_after_its_message(states: States) -> None:
    alert = a_staff_alert(verdict_id="1")
    states.store.add([alert], [], channels=BOTH, now_ms=NOON_MS)
    states.store.compose(message("1"))
    states.store.close(message("1"), is_sent=True, now_ms=NOON_MS)
    states.store.add([alert], [], channels=BOTH, now_ms=NOON_MS + 1)
    assert ids(states.again()) == []


def test_a_notice_is_begun_once(states: States) -> None:
    states.store.add([], [notice("1"), notice("2")], channels=BOTH, now_ms=NOON_MS)
    states.store.add([], [notice("1")], channels=BOTH, now_ms=NOON_MS)
    assert states.again().waiting_notices(9) == [notice("1"), notice("2")]
    assert states.again().waiting_notices(1) == [notice("1")]
    assert states.store.begin_notice("1", NOON_MS)
    assert not states.again().begin_notice("1", NOON_MS)
    assert not states.store.begin_notice("unknown", NOON_MS)
    assert states.again().waiting_notices(9) == [notice("2")]
    states.store.end_notice("1", NoticeState.MAILED, NOON_MS)
    states.store.add([], [notice("1")], channels=BOTH, now_ms=NOON_MS)
    assert not states.again().begin_notice("1", NOON_MS)


def test_a_notice_that_was_certainly_not_sent_waits_again(states: States) -> None:
    states.store.add([], [notice()], channels=BOTH, now_ms=NOON_MS)
    assert states.store.begin_notice("v-1", NOON_MS)
    states.store.end_notice("v-1", NoticeState.WAITING, NOON_MS)
    assert states.again().waiting_notices(9) == [notice()]
    assert states.store.begin_notice("v-1", NOON_MS)


def test_a_notice_that_a_kill_interrupted_is_never_sent_again(states: States) -> None:
    states.store.add([], [notice("1"), notice("2")], channels=BOTH, now_ms=NOON_MS)
    assert states.store.begin_notice("1", NOON_MS)
    again = states.again()
    assert again.close_interrupted_notices(NOON_MS + 1) == 1
    assert again.close_interrupted_notices(NOON_MS + 1) == 0
    assert not again.begin_notice("1", NOON_MS + 2)
    assert again.waiting_notices(9) == [notice("2")]


def test_what_is_old_is_pruned_and_an_unsent_message_is_not(states: States) -> None:
    store = states.store
    store.add([a_staff_alert(verdict_id="1")], [notice("1")], channels=["mail"], now_ms=1_000)
    store.compose(message("1"))
    store.add([a_staff_alert(verdict_id="2")], [notice("2")], channels=["mail"], now_ms=2_000)
    store.prune(2_000)
    assert (ids(store), store.waiting_notices(9)) == (["2"], [notice("2")])
    assert store.unsent("mail") == message("1")
    store.close(message("1"), is_sent=True, now_ms=2_500)
    store.prune(3_000)
    assert (ids(store), store.sent_since("mail", 0)) == ([], [])


def test_the_file_is_private_and_a_broken_one_is_unavailable(tmp_path: Path) -> None:
    path = tmp_path / "state.sqlite3"
    SqliteNotificationStore(path)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    blocked = tmp_path / "file" / "state.sqlite3"
    blocked.parent.write_text("no folder")
    with pytest.raises(StoreUnavailable, match="disk full"):
        SqliteNotificationStore(blocked)


def test_a_message_keeps_its_text_when_it_is_composed_twice(states: States) -> None:
    states.store.compose(message("1"))
    states.store.compose(replace(message("1"), text="another"))
    assert states.store.unsent("mail") == message("1")
