"""Access log and outbox: on disk at once, published in order, and nothing lost between."""

from __future__ import annotations

from functools import partial
from pathlib import Path

import pytest

from fraudwatch.adapters.codecs.json_codec import decode, encode
from fraudwatch.adapters.jsonl_journal import JsonlJournal
from fraudwatch.application.console.access import Person, Role
from fraudwatch.application.console.access_log import AccessLog
from fraudwatch.application.console.audit_outbox import AuditOutbox
from fraudwatch.application.ports import NotDelivered
from fraudwatch.domain.messages.audit import AuditAction, AuditRecord
from fraudwatch.domain.messages.dead_letter import Refused

LINA = Person("lina", Role.LEAD)
NOW_MS = 1_772_000_000_000


class Broker:
    """Acknowledges as long as ``accepts`` allows, and may append to the outbox meanwhile."""

    def __init__(self) -> None:
        self.records: list[AuditRecord] = []
        self.accepts = 1_000
        self.during = lambda: None

    def write(self, record: AuditRecord) -> None:
        if len(self.records) >= self.accepts:
            raise NotDelivered("the broker is down")
        self.records.append(record)
        self.during()


@pytest.fixture
def outbox(tmp_path: Path) -> AuditOutbox:
    journal = JsonlJournal(tmp_path / "audit_outbox.jsonl")
    return AuditOutbox(journal, encode, partial(decode, AuditRecord))


@pytest.fixture
def log(outbox: AuditOutbox) -> AccessLog:
    return AccessLog(outbox, lambda: NOW_MS)


def test_records_wait_on_disk_and_are_published_in_order(
    outbox: AuditOutbox, log: AccessLog
) -> None:
    log.logged_in(LINA, "by password")
    log.login_refused("lina")
    log.exported(LINA, "12 alerts of the last hour")
    broker = Broker()
    assert not outbox.is_empty
    assert outbox.deliver(broker) == 3
    assert outbox.is_empty
    assert [record.deed for record in broker.records] == [
        AuditAction.LOGGED_IN,
        AuditAction.LOGIN_REFUSED,
        AuditAction.EXPORTED,
    ]
    assert broker.records[2].subject == "12 alerts of the last hour"
    assert outbox.deliver(broker) == 0


def test_a_broker_that_goes_away_in_between_gets_the_rest_later(
    outbox: AuditOutbox, log: AccessLog
) -> None:
    for way in ("one", "two", "three"):
        log.logged_in(LINA, way)
    broker = Broker()
    broker.accepts = 1
    with pytest.raises(NotDelivered):
        outbox.deliver(broker)
    broker.accepts = 9
    assert outbox.deliver(broker) == 2
    assert [record.subject for record in broker.records] == ["one", "two", "three"]


def test_a_record_that_comes_while_others_are_published_is_kept(
    outbox: AuditOutbox, log: AccessLog
) -> None:
    log.logged_in(LINA, "first")
    broker = Broker()
    broker.during = lambda: log.logged_in(LINA, "meanwhile")
    assert outbox.deliver(broker) == 1
    broker.during = lambda: None
    assert outbox.deliver(broker) == 1
    assert [record.subject for record in broker.records] == ["first", "meanwhile"]


def test_a_process_that_dies_after_publishing_publishes_again_with_the_same_id(
    outbox: AuditOutbox, log: AccessLog, monkeypatch: pytest.MonkeyPatch
) -> None:
    log.logged_in(LINA, "by password")
    broker = Broker()
    with monkeypatch.context() as patched:
        patched.setattr(JsonlJournal, "compact", lambda *_: None)
        outbox.deliver(broker)
    outbox.deliver(broker)
    first, second = broker.records
    assert first == second


def test_a_record_out_of_bounds_is_refused_and_not_kept(
    outbox: AuditOutbox, log: AccessLog
) -> None:
    with pytest.raises(Refused):
        log.exported(LINA, "x" * 201)
    assert outbox.deliver(Broker()) == 0
