"""Managing subscriptions: rules, secrets and the audit record before each change."""

from __future__ import annotations

from pathlib import Path

import pytest

from fraudwatch.adapters.webhooks.subscription_file import SubscriptionFile
from fraudwatch.application.webhooks.subscriptions import (
    MAX_SUBSCRIPTIONS,
    SubscriptionRefused,
    SubscriptionRequest,
    Subscriptions,
)
from fraudwatch.domain.messages.audit import AuditAction
from fraudwatch.domain.webhooks.subscription import EventKind
from fraudwatch.samples import NOON_MS


class Recorder:
    """Collects audit records, or cannot."""

    def __init__(self) -> None:
        self.records: list[tuple[AuditAction, str]] = []
        self.is_full = False

    def __call__(self, action: AuditAction, subject: str) -> None:
        if self.is_full:
            raise RuntimeError("no space")
        self.records.append((action, subject))


@pytest.fixture
def recorder() -> Recorder:
    return Recorder()


@pytest.fixture
def subscriptions(tmp_path: Path, recorder: Recorder) -> Subscriptions:
    return Subscriptions(SubscriptionFile(tmp_path / "s.json"), recorder, lambda: NOON_MS)


def request(**changes: object) -> SubscriptionRequest:
    usual = {
        "url": "https://shop.example/hooks/secret-path",
        "client": "shop",
        "events": [EventKind.VERDICT],
    }
    return SubscriptionRequest(**{**usual, **changes})  # type: ignore[arg-type]


def test_a_subscription_is_added_rotated_and_removed_with_records(
    subscriptions: Subscriptions, recorder: Recorder
) -> None:
    added = subscriptions.add(request(sources=["shop"]), allow_loopback=False)
    assert subscriptions.find(added.subscription_id) == added
    rotated = subscriptions.rotate(added.subscription_id, 24)
    assert rotated.secrets_at(NOON_MS)[1] == added.secrets[0].text
    assert rotated.secrets[0] != added.secrets[0]
    subscriptions.record_replay(added.subscription_id)
    subscriptions.remove(added.subscription_id)
    assert subscriptions.store.current() == {}
    assert [action for action, _ in recorder.records] == [
        AuditAction.WEBHOOK_ADDED,
        AuditAction.WEBHOOK_SECRET_ROTATED,
        AuditAction.WEBHOOK_REPLAYED,
        AuditAction.WEBHOOK_REMOVED,
    ]
    for _, subject in recorder.records:
        assert "of shop: verdict; 1 sources; to shop.example" in subject
        assert "secret-path" not in subject
        assert added.secrets[0].text not in subject


def test_without_its_record_nothing_is_changed(
    subscriptions: Subscriptions, recorder: Recorder
) -> None:
    added = subscriptions.add(request(), allow_loopback=False)
    recorder.is_full = True
    with pytest.raises(RuntimeError, match="no space"):
        subscriptions.add(request(), allow_loopback=False)
    with pytest.raises(RuntimeError, match="no space"):
        subscriptions.rotate(added.subscription_id, 0)
    with pytest.raises(RuntimeError, match="no space"):
        subscriptions.remove(added.subscription_id)
    assert subscriptions.store.current() == {added.subscription_id: added}


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"client": "two words"}, "client's name"),
        ({"events": []}, "at least one event"),
        ({"sources": ["Shop"]}, "a source has"),
        ({"url": "https://shop.example/" + "a" * 2_000}, "2000 characters"),
        ({"url": "http://127.0.0.1/"}, "https://"),
    ],
)
def test_a_broken_rule_makes_no_subscription(
    subscriptions: Subscriptions, recorder: Recorder, changes: dict[str, object], reason: str
) -> None:
    with pytest.raises(SubscriptionRefused, match=reason):
        subscriptions.add(request(**changes), allow_loopback=False)
    assert subscriptions.store.current() == {}
    assert recorder.records == []


def test_there_is_a_limit_of_subscriptions_and_of_an_overlap(subscriptions: Subscriptions) -> None:
    for _ in range(MAX_SUBSCRIPTIONS):
        last = subscriptions.add(request(), allow_loopback=False)
    with pytest.raises(SubscriptionRefused, match="the limit"):
        subscriptions.add(request(), allow_loopback=False)
    with pytest.raises(SubscriptionRefused, match="overlap"):
        subscriptions.rotate(last.subscription_id, 721)
    with pytest.raises(SubscriptionRefused, match="no subscription nothing"):
        subscriptions.remove("nothing")
