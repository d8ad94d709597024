"""One suite for what casework asks of engines: the memory twins and the real Cassandra alike."""

from __future__ import annotations

import random
import secrets
import time
import uuid
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import pytest

from fraudwatch.adapters.memory.casework import MemoryCases, MemoryClaims
from fraudwatch.adapters.memory.verdict_store import MemoryVerdictStore
from fraudwatch.application.console.casework import CLAIM_SECONDS, CaseReader, Claims, Shared
from fraudwatch.application.ports import StoreUnavailable, VerdictStore
from fraudwatch.domain.instants import epoch_ms_of
from fraudwatch.domain.messages.label import LABEL_SCHEMA, Label, LabelValue, Source
from fraudwatch.domain.messages.transaction import Transaction
from fraudwatch.samples import a_transaction, a_verdict

if TYPE_CHECKING:
    from cassandra.cluster import Session

    SessionOf = Callable[[str], Session]

ENGINES = ["memory", pytest.param("cassandra", marks=pytest.mark.engines)]
TOKEN_LETTERS = "abcdefghijklmnopqrstuvwxyz234567"
# Short enough to wait for, long enough for a busy machine.
LASTING_SECONDS = 6
# Each test gets days of its own, so that a shared engine never mixes their labels.
QUIET_DAYS = iter(random.sample(range(0, 8_000, 8), k=1_000))


@dataclass(frozen=True)
class Cases:
    """A reader under test, who writes for it, and days that no other test writes into."""

    writer: VerdictStore
    reader: CaseReader
    now: datetime

    def ms_ago(self, **length: float) -> int:
        return epoch_ms_of(self.now - timedelta(**length))

    def write(self, *purchases: Transaction) -> None:
        self.writer.write([], random.sample(purchases, k=len(purchases)))

    def say(self, *labels: Label) -> None:
        self.writer.write([], [], random.sample(labels, k=len(labels)))


@pytest.fixture(params=ENGINES)
def cases(request: pytest.FixtureRequest) -> Iterator[Cases]:
    # An instant with milliseconds, of which a float of seconds would lose one here and there.
    now = datetime(2001, 1, 2, 12, 30, 0, 123_000, UTC) + timedelta(days=next(QUIET_DAYS))
    if request.param == "memory":
        store = MemoryVerdictStore()
        yield Cases(store, MemoryCases(store), now)
        return
    from fraudwatch.adapters.store.cases import CassandraCases
    from fraudwatch.adapters.store.verdict_store import CassandraVerdictStore

    session_of: SessionOf = request.getfixturevalue("session_of")
    writing, reading = session_of("persister"), session_of("console")
    yield Cases(CassandraVerdictStore(writing), CassandraCases(reading), now)


def own_token() -> str:
    """A well-formed token that nobody else has."""
    return "0a1b2c3d_" + "".join(secrets.choice(TOKEN_LETTERS) for _ in range(26))


def name() -> str:
    return f"test:{uuid.uuid4().hex}"


def bought(at_ms: int, **changes: Any) -> Transaction:
    """A purchase that shares nothing with another test's."""
    usual = {"transaction_id": name(), "customer_token": own_token(), "card_token": own_token()}
    return a_transaction(**usual | {"event_at_ms": at_ms} | changes)


def test_the_purchase_of_a_verdict_comes_back_as_it_was_written(cases: Cases) -> None:
    wanted = bought(cases.ms_ago(milliseconds=1), category=None, device_token=own_token())
    same_instant = replace(wanted, transaction_id=name())
    cases.write(wanted, same_instant)
    judged = a_verdict(
        transaction_id=wanted.transaction_id,
        customer_token=wanted.customer_token,
        event_at_ms=wanted.event_at_ms,
    )
    assert cases.reader.purchase_of(judged) == wanted
    assert cases.reader.purchase_of(replace(judged, event_at_ms=judged.event_at_ms - 1)) is None


def test_a_customers_purchases_come_newest_first_over_months(cases: Cases) -> None:
    customer = own_token()
    own = [bought(cases.ms_ago(days=9 * n), customer_token=customer) for n in range(9)]
    cases.write(*own, bought(cases.ms_ago(days=1)))

    def told(days: int, limit: int = 100) -> list[Transaction]:
        return cases.reader.purchases_of(customer, until=cases.now, days=days, limit=limit)

    assert told(80) == own
    assert told(80, limit=5) == own[:5]
    assert told(30) == own[:4]
    assert cases.reader.purchases_of(own_token(), until=cases.now, days=80, limit=9) == []


def test_both_ends_of_the_days_belong_to_them_to_the_millisecond(cases: Cases) -> None:
    customer, days = own_token(), 40
    first_ms, last_ms = cases.ms_ago(days=days), cases.ms_ago()
    inside = [bought(at, customer_token=customer) for at in (last_ms, first_ms)]
    outside = [bought(at, customer_token=customer) for at in (last_ms + 1, first_ms - 1)]
    cases.write(*inside, *outside)
    assert cases.reader.purchases_of(customer, until=cases.now, days=days, limit=9) == inside


def test_purchases_of_one_instant_come_by_their_id(cases: Cases) -> None:
    customer, card = own_token(), own_token()
    at_ms = cases.ms_ago(hours=1)
    same = [bought(at_ms, customer_token=customer, card_token=card) for _ in range(6)]
    cases.write(*same)
    by_id = sorted(same, key=lambda one: one.transaction_id)
    assert cases.reader.purchases_of(customer, until=cases.now, days=1, limit=9) == by_id
    assert cases.reader.purchases_with(Shared.CARD, card, limit=9) == by_id


@pytest.mark.parametrize("shared", Shared)
def test_the_same_elsewhere_whoever_and_whenever_newest_first(cases: Cases, shared: Shared) -> None:
    token = own_token()
    tokens = {"card_token": None, "device_token": None, "ip_network_token": None}
    # Ten customers, and four months: a partition each.
    with_it = [bought(cases.ms_ago(days=11 * n), **tokens | {shared: token}) for n in range(10)]
    other = next(one for one in Shared if one is not shared)
    cases.write(*with_it, bought(cases.ms_ago(days=1), **tokens | {other: token}))
    assert cases.reader.purchases_with(shared, token, limit=100) == with_it
    assert cases.reader.purchases_with(shared, token, limit=3) == with_it[:3]
    assert cases.reader.purchases_with(shared, own_token(), limit=3) == []


def test_a_purchase_that_is_written_again_is_found_once(cases: Cases) -> None:
    purchase = bought(cases.ms_ago(minutes=1))
    cases.write(purchase)
    cases.write(purchase)
    assert purchase.card_token is not None
    assert cases.reader.purchases_with(Shared.CARD, purchase.card_token, limit=9) == [purchase]


def test_verdicts_come_by_transaction_and_those_not_judged_are_left_out(cases: Cases) -> None:
    judged = [a_verdict(transaction_id=name(), score=n / 100) for n in range(75)]
    cases.writer.write(judged, [])
    asked = [one.transaction_id for one in judged]
    expected = {one.transaction_id: one for one in judged}
    assert cases.reader.verdicts_of([*asked, "test:never", asked[0]]) == expected
    assert cases.reader.verdicts_of([]) == {}


def said(known_at_ms: int, **changes: Any) -> Label:
    usual: dict[str, Any] = {
        "schema": LABEL_SCHEMA,
        "transaction_id": name(),
        "verdict": LabelValue.FRAUD,
        "source": Source.ANALYST,
        "by": "a.moreno",
        "known_at_ms": known_at_ms,
    }
    return Label(**usual | changes)


def test_labels_known_come_latest_first_over_days_with_what_was_noted(cases: Cases) -> None:
    lengths_hours = (0, 5, 12, 13, 36, 60, 71)
    labels = [said(cases.ms_ago(hours=hours), note=f"{hours} h ago") for hours in lengths_hours]
    labels[2] = replace(labels[2], note=None, source=Source.CHARGEBACK, by="issuer")
    labels[3] = replace(labels[3], verdict=LabelValue.UNSURE)
    cases.say(*labels)
    cases.say(*labels)
    three_days_ago = cases.now - timedelta(days=3)
    assert cases.reader.labels_known(three_days_ago, now=cases.now) == labels
    assert cases.reader.labels_known(cases.now - timedelta(hours=13), now=cases.now) == labels[:4]


def test_labels_known_from_an_instant_on_up_to_now(cases: Cases) -> None:
    since = cases.now - timedelta(days=2)
    inside = [said(cases.ms_ago()), said(epoch_ms_of(since))]
    cases.say(*inside, said(cases.ms_ago() + 1), said(epoch_ms_of(since) - 1))
    assert cases.reader.labels_known(since, now=cases.now) == inside
    assert cases.reader.labels_known(cases.now, now=since) == []


def test_labels_of_one_instant_all_stand_and_have_an_order(cases: Cases) -> None:
    at_ms, one, other = cases.ms_ago(minutes=2), *sorted((name(), name()))
    labels = [
        said(at_ms, transaction_id=one, by="a"),
        said(at_ms, transaction_id=one, by="b"),
        said(at_ms, transaction_id=one, by="a", source=Source.CHARGEBACK),
        said(at_ms, transaction_id=other),
    ]
    cases.say(*labels)
    assert cases.reader.labels_known(cases.now - timedelta(days=1), now=cases.now) == labels


@pytest.mark.parametrize("genuine_comes_first", [False, True])
def test_of_two_words_of_one_instant_and_person_one_stands_whole(
    cases: Cases, *, genuine_comes_first: bool
) -> None:
    fraud = said(cases.ms_ago(minutes=2), note="No longer what is meant.")
    genuine = replace(fraud, verdict=LabelValue.GENUINE, note=None)
    for label in (genuine, fraud) if genuine_comes_first else (fraud, genuine):
        cases.say(label)
    assert cases.reader.labels_known(cases.now - timedelta(days=1), now=cases.now) == [genuine]


@dataclass(frozen=True)
class Desk:
    """Claims under test, how long one lasts here, and a way to let time pass."""

    claims: Claims
    lasting_seconds: float
    wait: Callable[[float], None]

    def held(self, *names: str) -> dict[str, str]:
        """Who holds these: a shared engine knows of others' too."""
        held = self.claims.held()
        return {one: held[one] for one in names if one in held}


@pytest.fixture(params=ENGINES)
def desk(request: pytest.FixtureRequest) -> Iterator[Desk]:
    if request.param == "memory":
        clock = [datetime(2026, 1, 15, tzinfo=UTC)]

        def wait(seconds: float) -> None:
            clock[0] += timedelta(seconds=seconds)

        yield Desk(MemoryClaims(lambda: clock[0]), CLAIM_SECONDS, wait)
        return
    from fraudwatch.adapters.store.claims import CassandraClaims

    session_of: SessionOf = request.getfixturevalue("session_of")
    claims = CassandraClaims(session_of("console"), lasting_seconds=LASTING_SECONDS)
    yield Desk(claims, LASTING_SECONDS, time.sleep)


def test_whoever_comes_first_holds_the_case_and_both_are_told(desk: Desk) -> None:
    case = name()
    assert desk.held(case) == {}
    assert desk.claims.claim(case, "anna") == "anna"
    assert desk.claims.claim(case, "ben") == "anna"
    assert desk.claims.claim(case, "anna") == "anna"
    assert desk.held(case) == {case: "anna"}


def test_one_may_hold_several_cases(desk: Desk) -> None:
    mine, too, bens = name(), name(), name()
    for case, login in ((mine, "anna"), (too, "anna"), (bens, "ben")):
        assert desk.claims.claim(case, login) == login
    assert desk.held(mine, too, bens) == {mine: "anna", too: "anna", bens: "ben"}


def test_only_ones_own_claim_is_given_back(desk: Desk) -> None:
    case = name()
    desk.claims.release(case, "anna")
    desk.claims.claim(case, "anna")
    desk.claims.release(case, "ben")
    assert desk.claims.claim(case, "ben") == "anna"
    desk.claims.release(case, "anna")
    assert desk.held(case) == {}
    assert desk.claims.claim(case, "ben") == "ben"


def test_a_claim_ends_by_itself(desk: Desk) -> None:
    case = name()
    desk.claims.claim(case, "anna")
    desk.wait(desk.lasting_seconds + 1)
    assert desk.held(case) == {}
    assert desk.claims.claim(case, "ben") == "ben"


def test_a_claim_that_is_renewed_lasts_on_and_then_ends(desk: Desk) -> None:
    case = name()
    desk.claims.claim(case, "anna")
    desk.wait(desk.lasting_seconds * 2 / 3)
    assert desk.claims.claim(case, "anna") == "anna"
    desk.wait(desk.lasting_seconds * 2 / 3)
    assert desk.claims.claim(case, "ben") == "anna"
    desk.wait(desk.lasting_seconds)
    assert desk.held(case) == {}
    assert desk.claims.claim(case, "ben") == "ben"


def test_of_many_who_press_at_once_one_gets_the_case_and_all_are_told_who(desk: Desk) -> None:
    case, logins = name(), [f"analyst-{n}" for n in range(6)]
    with ThreadPoolExecutor(len(logins)) as pool:
        told = list(pool.map(lambda login: desk.claims.claim(case, login), logins))
    assert len(set(told)) == 1
    assert desk.held(case) == {case: told[0]}


def test_twins_that_do_not_answer_say_so() -> None:
    store = MemoryVerdictStore()
    store.is_reachable = False
    now = datetime(2026, 1, 15, tzinfo=UTC)
    with pytest.raises(StoreUnavailable):
        MemoryCases(store).labels_known(now, now=now)
    claims = MemoryClaims(lambda: now)
    claims.is_reachable = False
    with pytest.raises(StoreUnavailable):
        claims.claim("test:1", "anna")


@pytest.mark.engines
def test_a_role_without_the_tables_is_told_that_the_store_is_not_there(
    session_of: SessionOf,
) -> None:
    from fraudwatch.adapters.store.claims import CassandraClaims

    claims = CassandraClaims(session_of("persister"))
    with pytest.raises(StoreUnavailable, match="does not answer"):
        claims.claim("test:1", "anna")
    with pytest.raises(StoreUnavailable, match="does not answer"):
        claims.held()
