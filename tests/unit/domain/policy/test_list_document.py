from __future__ import annotations

from typing import Any

import pytest

from fraudwatch.domain.messages.verdict import Outcome
from fraudwatch.domain.policy.document import policy_from
from fraudwatch.domain.policy.list_document import (
    ListName,
    PolicyLists,
    lists_document,
    lists_from,
    with_lists,
)
from fraudwatch.domain.policy.policy import BrokenPolicy, Policy
from fraudwatch.domain.rules.lists import NEVER_EXPIRES, DenyList
from fraudwatch.samples import NOON_MS, a_token

CARD = a_token("c")
ENTRY = {
    "list": "deny",
    "kind": "card",
    "value": CARD,
    "reason": "chargebacks of three shops",
    "by": "lead",
    "added_at": "2026-01-15T09:00:00Z",
    "expires_at": "2026-01-15T12:00:00Z",
}


def entries(*changes: dict[str, Any]) -> dict[str, Any]:
    return {"entries": [ENTRY | change for change in changes]}


def a_policy() -> Policy:
    return policy_from(
        {
            "version": "one",
            "rules": {"high_amount": {"points": 50, "at_least_eur_cents": 100}},
            "risk": {
                "MEDIUM": {"from_points": 30},
                "HIGH": {"from_points": 50},
                "CRITICAL": {"from_points": 80},
            },
            "review": {"alerts_a_day": 60},
            "deny_points": 70,
        }
    )


def test_a_document_survives_its_reading() -> None:
    document = entries({}, {"list": "allow", "kind": "country", "value": "NO"})
    assert lists_document(lists_from(document)) == document


def test_an_entry_without_an_expiry_is_listed_for_ever() -> None:
    lists = PolicyLists("v", lists_from(entries({"expires_at": None}, {"kind": "merchant"})))
    listed = lists.of(ListName.DENY)
    assert listed.card_token == {CARD: NEVER_EXPIRES}
    assert listed.merchant_id == {CARD: NOON_MS}
    assert not lists.of(ListName.ALLOW)


def test_lists_and_policy_together_have_one_version_and_deny_declines() -> None:
    lists = PolicyLists("11111111", lists_from(entries({}, {"list": "allow"})))
    policy = with_lists(a_policy(), lists)
    assert policy.version == "one+11111111"
    assert policy.rules[-1] == DenyList(70, lists.of(ListName.DENY))
    assert policy.floors[DenyList.name] is Outcome.DECLINE
    assert policy.allow.card_token == {CARD: NOON_MS}
    # Other lists replace these.
    assert with_lists(policy, PolicyLists()).rules[-1] == DenyList(
        70, PolicyLists().of(ListName.DENY)
    )


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"list": "grey"}, "entry 1: list must be one of deny, allow"),
        ({"kind": "car"}, "entry 1: kind must be one of customer, card, device"),
        ({"value": "4111111111111111"}, "entry 1: value can never match a card"),
        ({"value": False}, "entry 1: value must be a text; quote it"),
        ({"kind": "country", "value": "Norway"}, "value can never match a country"),
        ({"reason": " "}, "entry 1: reason must have 1 to 500 characters"),
        ({"by": "some one"}, "entry 1: by must be a login"),
        ({"expires_at": "soon"}, "entry 1: expires_at must be an instant"),
        ({"expires_at": "2026-01-14"}, "entry 1: expires_at must be after added_at"),
        ({"note": ""}, "entry 1 has unknown keys note"),
    ],
)
def test_an_invalid_entry_is_refused_with_its_place(change: dict[str, Any], reason: str) -> None:
    with pytest.raises(BrokenPolicy, match=reason) as refused:
        lists_from(entries(change))
    assert "4111111111111111" not in str(refused.value)


def test_a_value_is_in_a_list_once() -> None:
    with pytest.raises(BrokenPolicy, match="entry 2 is entry 1 again"):
        lists_from(entries({}, {"reason": "another one"}))
    with pytest.raises(BrokenPolicy, match="entries must be a list"):
        lists_from({"entries": None})
