"""Reveal: the audit record comes first, and the rate limit."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path

import pytest

from fraudwatch.adapters.codecs.json_codec import decode, encode
from fraudwatch.adapters.edge.tink_vault import TinkVault
from fraudwatch.adapters.memory.verdict_store import MemoryTopic
from fraudwatch.application.console.access import Forbidden, Role
from fraudwatch.application.console.allowance import (
    MAX_PER_LOGIN,
    RevealRateLimit,
    TooManyReveals,
)
from fraudwatch.application.console.audit import PublishedAudit
from fraudwatch.application.console.casework import Erased
from fraudwatch.application.console.reveal import AlteredSealedFields, RevealRequest, Reveals
from fraudwatch.application.ports import NotDelivered
from fraudwatch.domain.messages.audit import AuditAction, AuditRecord
from fraudwatch.domain.messages.dead_letter import Refused
from fraudwatch.domain.messages.fields import problems
from fraudwatch.domain.time_units import HOUR_MS
from fraudwatch.samples import NOON_MS, a_token

ANNA, BERTA = a_token("a"), a_token("b")
PERSONAL = {"name": "Erika Mustermann", "card_number": "4111111111111111"}


@dataclass
class WatchedVault:
    """Real vault that notes how many records were written when it was opened."""

    real: TinkVault
    topic: MemoryTopic
    written_at_opening: list[int] = field(default_factory=list)

    def open(self, customer_token: str, transaction_id: str, sealed: str) -> Mapping[str, str]:
        self.written_at_opening.append(len(self.topic.messages))
        return self.real.open(customer_token, transaction_id, sealed)


@dataclass
class World:
    topic: MemoryTopic
    vault: WatchedVault
    reveals: Reveals
    request_: RevealRequest

    def records(self) -> list[AuditRecord]:
        return [decode(AuditRecord, value) for _, value, _ in self.topic.messages]


@pytest.fixture
def world(tmp_path: Path) -> World:
    topic, real = MemoryTopic(), TinkVault(tmp_path)
    vault = WatchedVault(real, topic)
    request_ = RevealRequest(
        transaction_id="shop:1",
        customer_token=ANNA,
        sealed=real.seal(ANNA, "shop:1", PERSONAL),
        login="lead",
        role=Role.LEAD,
        reason="  The customer calls, ticket 4711 \n",
    )
    reveals = Reveals(vault, PublishedAudit(topic, encode), lambda: NOON_MS)  # type: ignore[arg-type]
    return World(topic, vault, reveals, request_)


def test_the_record_is_written_before_the_fields_are_opened(world: World) -> None:
    assert world.reveals.reveal(world.request_)["name"] == "Erika Mustermann"
    assert world.vault.written_at_opening == [1]
    [record] = world.records()
    assert problems(record) == []
    assert (record.by, record.deed, record.at_ms) == ("lead", AuditAction.REVEALED, NOON_MS)
    assert (record.transaction_id, record.customer_token) == ("shop:1", ANNA)
    assert record.reason == "The customer calls, ticket 4711"
    assert "Erika" not in repr(world.topic.messages)


def test_two_reveals_are_two_records(world: World) -> None:
    world.reveals.reveal(world.request_)
    world.reveals.reveal(world.request_)
    assert len({record.record_id for record in world.records()}) == 2


def test_without_an_acknowledged_record_nothing_is_opened(world: World) -> None:
    world.topic.is_reachable = False
    with pytest.raises(NotDelivered):
        world.reveals.reveal(world.request_)
    assert world.vault.written_at_opening == []


@pytest.mark.parametrize(
    ("number", "shown"),
    [
        ("4111111111111111", "411111••••••1111"),
        ("123456789012", "123456••9012"),
        ("1234567890123456789", "123456•••••••••6789"),
    ],
)
def test_a_cards_number_is_never_shown_whole(world: World, number: str, shown: str) -> None:
    sealed = world.vault.real.seal(ANNA, "shop:1", {"card_number": number})
    assert world.reveals.reveal(replace(world.request_, sealed=sealed)) == {"card_number": shown}


@pytest.mark.parametrize("role", [Role.ANALYST, Role.ADMIN])
def test_a_role_without_the_right_gets_nothing(world: World, role: Role) -> None:
    with pytest.raises(Forbidden):
        world.reveals.reveal(replace(world.request_, role=role))
    assert world.records() == []
    assert world.vault.written_at_opening == []


@pytest.mark.parametrize(
    ("changes", "named"),
    [
        ({"reason": "  too small "}, "reason"),
        ({"reason": "because"}, "reason"),
        ({"reason": "x" * 501}, "reason"),
        ({"reason": " " * 40}, "reason"),
        ({"login": "two words"}, "login"),
        ({"customer_token": "customer-1"}, "customer_token"),
        ({"transaction_id": "a b"}, "transaction_id"),
        ({"sealed": "x" * 8_193}, "sealed"),
    ],
)
def test_an_invalid_request_is_neither_recorded_nor_opened(
    world: World, changes: dict[str, str], named: str
) -> None:
    with pytest.raises(Refused) as refusal:
        world.reveals.reveal(replace(world.request_, **changes))  # type: ignore[arg-type]
    assert [problem.field for problem in refusal.value.problems] == [named]
    assert world.records() == []
    assert world.vault.written_at_opening == []


def test_an_erased_customer_stays_erased_and_the_attempt_is_recorded(world: World) -> None:
    world.vault.real.erase(ANNA)
    with pytest.raises(Erased, match="never be opened again"):
        world.reveals.reveal(world.request_)
    assert len(world.records()) == 1


@pytest.mark.parametrize(
    "changes",
    [{"transaction_id": "shop:2"}, {"customer_token": BERTA}, {"sealed": "AAAA"}, {"sealed": "ä"}],
)
def test_sealed_fields_of_another_purchase_do_not_open(
    world: World, changes: dict[str, str]
) -> None:
    world.vault.real.seal(BERTA, "shop:2", {"name": "Berta"})
    with pytest.raises(AlteredSealedFields, match="nothing was shown"):
        world.reveals.reveal(replace(world.request_, **changes))  # type: ignore[arg-type]


def test_the_hourly_limit_is_per_login_and_renews() -> None:
    rate_limit = RevealRateLimit()
    for nth in range(MAX_PER_LOGIN):
        rate_limit.consume("lead", NOON_MS + nth)
    with pytest.raises(TooManyReveals, match=r"lead asked 30 times .* again in 60 min"):
        rate_limit.consume("lead", NOON_MS + MAX_PER_LOGIN)
    rate_limit.consume("other", NOON_MS + MAX_PER_LOGIN)
    with pytest.raises(TooManyReveals) as early:
        rate_limit.consume("lead", NOON_MS + HOUR_MS - 500)
    assert early.value.retry_after_seconds == 1
    rate_limit.consume("lead", NOON_MS + HOUR_MS)
    with pytest.raises(TooManyReveals):
        rate_limit.consume("lead", NOON_MS + HOUR_MS)


def test_invented_logins_share_one_limit() -> None:
    rate_limit = RevealRateLimit(max_per_login=2, max_total=5)
    for nth in range(5):
        rate_limit.consume(f"login-{nth}", NOON_MS)
    with pytest.raises(TooManyReveals, match="all together asked 5 times"):
        rate_limit.consume("another", NOON_MS)


def test_above_the_limit_a_reveal_is_refused_before_the_record(world: World) -> None:
    for _ in range(MAX_PER_LOGIN):
        world.reveals.reveal(world.request_)
    with pytest.raises(TooManyReveals):
        world.reveals.reveal(world.request_)
    assert len(world.records()) == len(world.vault.written_at_opening) == MAX_PER_LOGIN
