"""Contract of the ports of casework: memory twins and real Cassandra."""

from __future__ import annotations

import random
import secrets
import threading
import time
import uuid
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import TYPE_CHECKING, Any

import pytest

from fraudwatch.adapters.codecs.json_codec import encode
from fraudwatch.adapters.memory.casework import MemoryCases, MemoryClaims
from fraudwatch.adapters.memory.verdict_store import MemoryVerdictStore
from fraudwatch.adapters.store.rows import month_of
from fraudwatch.application.console.casework import CLAIM_SECONDS, CaseReader, Claims, Shared
from fraudwatch.application.ports import RowsRefused, StoreUnavailable, VerdictStore
from fraudwatch.domain.instants import epoch_ms_of
from fraudwatch.domain.messages.label import LABEL_SCHEMA, Label, LabelValue, Source
from fraudwatch.domain.messages.transaction import Transaction
from fraudwatch.domain.time_units import DAY_MS
from fraudwatch.samples import a_refund, a_transaction, a_verdict
from tests.waiting import eventually

if TYPE_CHECKING:
    from cassandra.cluster import Session

    SessionOf = Callable[[str], Session]

ENGINES = ["memory", pytest.param("cassandra", marks=pytest.mark.engines)]
TOKEN_CHARACTERS = "abcdefghijklmnopqrstuvwxyz234567"
# Short enough to wait for, long enough for a busy machine.
LASTING_SECONDS = 6
# Each test gets days of its own, so that a shared engine never mixes their labels.
QUIET_DAYS = iter(random.sample(range(0, 8_000, 8), k=1_000))


@dataclass(frozen=True)
class Cases:
    """Reader under test, its writer, and days that no other test writes into."""

    writer: VerdictStore
    reader: CaseReader
    now: datetime

    def ms_ago(self, **length: float) -> int:
        return epoch_ms_of(self.now - timedelta(**length))

    def write(self, *purchases: Transaction) -> None:
        self.writer.write([], random.sample(purchases, k=len(purchases)))

    def sharing(
        self, shared: Shared, token: str, *, days: int = 120, limit: int = 100
    ) -> list[Transaction]:
        return self.reader.purchases_with(shared, token, until=self.now, days=days, limit=limit)

    def write_labels(self, *labels: Label) -> None:
        self.writer.write([], [], random.sample(labels, k=len(labels)))


@pytest.fixture(params=ENGINES)
def cases(request: pytest.FixtureRequest) -> Iterator[Cases]:
    # An instant with milliseconds, which a float of seconds would round.
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
    """Return a well-formed, unique token."""
    return "0a1b2c3d_" + "".join(secrets.choice(TOKEN_CHARACTERS) for _ in range(26))


def name() -> str:
    return f"test:{uuid.uuid4().hex}"


def bought(at_ms: int, **changes: Any) -> Transaction:
    """Return a purchase that shares no token with another test's."""
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

    def purchases(days: int, limit: int = 100) -> list[Transaction]:
        return cases.reader.purchases_of(customer, until=cases.now, days=days, limit=limit)

    assert purchases(80) == own
    assert purchases(80, limit=5) == own[:5]
    assert purchases(30) == own[:4]
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
    assert cases.sharing(Shared.CARD, card) == by_id


def test_the_refunds_of_a_purchase_come_latest_first(cases: Cases) -> None:
    purchase = name()
    parts = [
        a_refund(transaction_id=purchase, refund_id=name(), refunded_at_ms=cases.ms_ago(days=days))
        for days in range(4)
    ]
    of_another = a_refund(transaction_id=name(), refund_id=name())
    given_back = [*parts, of_another]
    for _ in range(2):
        cases.writer.write([], [], refunds=random.sample(given_back, k=len(given_back)))
    assert cases.reader.refunds_of(purchase) == parts
    assert cases.reader.refunds_of(of_another.transaction_id) == [of_another]
    assert cases.reader.refunds_of(name()) == []


@pytest.mark.parametrize("later_comes_first", [False, True])
def test_of_two_reports_of_one_refund_the_later_wins_whole(
    cases: Cases, *, later_comes_first: bool
) -> None:
    earlier = a_refund(transaction_id=name(), refund_id=name(), refunded_at_ms=cases.ms_ago(days=2))
    later = replace(earlier, amount_minor=100, refunded_at_ms=cases.ms_ago(days=1))
    for one in (later, earlier) if later_comes_first else (earlier, later):
        cases.writer.write([], [], refunds=[one])
    assert cases.reader.refunds_of(earlier.transaction_id) == [later]


def test_a_refund_of_no_purchase_is_refused_and_the_others_are_written(cases: Cases) -> None:
    nameless, valid = a_refund(transaction_id=""), a_refund(transaction_id=name())
    with pytest.raises(RowsRefused) as refusal:
        cases.writer.write([], [], refunds=[nameless, valid])
    assert set(refusal.value.reasons) == {nameless}
    assert cases.reader.refunds_of(valid.transaction_id) == [valid]


@pytest.mark.parametrize("shared", Shared)
def test_case_links_of_any_customer_and_time_come_newest_first(
    cases: Cases, shared: Shared
) -> None:
    token = own_token()
    tokens = {"card_token": None, "device_token": None, "ip_network_token": None}
    # Ten customers, and four months: a partition each.
    with_it = [bought(cases.ms_ago(days=11 * n), **tokens | {shared: token}) for n in range(10)]
    other = next(one for one in Shared if one is not shared)
    cases.write(*with_it, bought(cases.ms_ago(days=1), **tokens | {other: token}))
    assert cases.sharing(shared, token) == with_it
    assert cases.sharing(shared, token, limit=3) == with_it[:3]
    assert cases.sharing(shared, token, days=33) == with_it[:4]
    assert cases.sharing(shared, own_token()) == []


def test_both_ends_of_the_days_of_case_links_belong_to_them(cases: Cases) -> None:
    card, days = own_token(), 40
    first_ms, last_ms = cases.ms_ago(days=days), cases.ms_ago()
    inside = [bought(at, card_token=card) for at in (last_ms, first_ms)]
    cases.write(*inside, *(bought(at, card_token=card) for at in (last_ms + 1, first_ms - 1)))
    assert cases.sharing(Shared.CARD, card, days=days) == inside


def test_one_token_as_card_and_as_device_is_two_links(cases: Cases) -> None:
    token = own_token()
    card = bought(cases.ms_ago(minutes=1), card_token=token)
    both = bought(cases.ms_ago(minutes=2), card_token=token, device_token=token)
    cases.write(card, both)
    assert cases.sharing(Shared.CARD, token) == [card, both]
    assert cases.sharing(Shared.DEVICE, token) == [both]


def test_case_links_of_a_card_of_ten_and_a_network_of_a_thousand_answer_in_two_seconds(
    cases: Cases,
) -> None:
    card, network = own_token(), own_token()
    # Of a year, so that purchases before and after the days asked for are stored as well.
    busy = [bought(cases.ms_ago(hours=4 * n), ip_network_token=network) for n in range(1_000)]
    few = [bought(cases.ms_ago(days=9 * n), card_token=card) for n in range(10)]
    cases.write(*busy, *few)
    for shared, token, expected in (
        (Shared.CARD, card, few),
        (Shared.IP_NETWORK, network, busy[:300]),
    ):
        started_at = time.monotonic()
        found = cases.sharing(shared, token, days=180, limit=300)
        seconds = time.monotonic() - started_at
        assert found == expected
        print(f"{shared}: {len(found)} purchases in {seconds:.3f} s")  # noqa: T201  a figure of the docs
        assert seconds < 2


def test_a_purchase_written_twice_is_found_once(cases: Cases) -> None:
    purchase = bought(cases.ms_ago(minutes=1))
    cases.write(purchase)
    cases.write(purchase)
    assert purchase.card_token is not None
    assert cases.sharing(Shared.CARD, purchase.card_token) == [purchase]


def test_verdicts_come_by_transaction_and_unscored_ones_are_left_out(cases: Cases) -> None:
    judged = [a_verdict(transaction_id=name(), score=n / 100) for n in range(75)]
    cases.writer.write(judged, [])
    requested = [one.transaction_id for one in judged]
    expected = {one.transaction_id: one for one in judged}
    assert cases.reader.verdicts_of([*requested, "test:never", requested[0]]) == expected
    assert cases.reader.verdicts_of([]) == {}


def a_label(known_at_ms: int, **changes: Any) -> Label:
    usual: dict[str, Any] = {
        "schema": LABEL_SCHEMA,
        "transaction_id": name(),
        "verdict": LabelValue.FRAUD,
        "source": Source.ANALYST,
        "by": "a.moreno",
        "known_at_ms": known_at_ms,
    }
    return Label(**usual | changes)


def test_labels_known_come_latest_first_over_days_with_their_notes(cases: Cases) -> None:
    lengths_hours = (0, 5, 12, 13, 36, 60, 71)
    labels = [a_label(cases.ms_ago(hours=hours), note=f"{hours} h ago") for hours in lengths_hours]
    labels[2] = replace(labels[2], note=None, source=Source.CHARGEBACK, by="issuer")
    labels[3] = replace(labels[3], verdict=LabelValue.UNSURE)
    cases.write_labels(*labels)
    cases.write_labels(*labels)
    three_days_ago = cases.now - timedelta(days=3)
    assert cases.reader.labels_known(three_days_ago, now=cases.now) == labels
    assert cases.reader.labels_known(cases.now - timedelta(hours=13), now=cases.now) == labels[:4]


def test_labels_known_from_an_instant_on_up_to_now(cases: Cases) -> None:
    since = cases.now - timedelta(days=2)
    inside = [a_label(cases.ms_ago()), a_label(epoch_ms_of(since))]
    cases.write_labels(*inside, a_label(cases.ms_ago() + 1), a_label(epoch_ms_of(since) - 1))
    assert cases.reader.labels_known(since, now=cases.now) == inside
    assert cases.reader.labels_known(cases.now, now=since) == []


def test_labels_of_one_instant_are_all_kept_in_a_fixed_order(cases: Cases) -> None:
    at_ms, one, other = cases.ms_ago(minutes=2), *sorted((name(), name()))
    labels = [
        a_label(at_ms, transaction_id=one, by="a"),
        a_label(at_ms, transaction_id=one, by="b"),
        a_label(at_ms, transaction_id=one, by="a", source=Source.CHARGEBACK),
        a_label(at_ms, transaction_id=other),
    ]
    cases.write_labels(*labels)
    assert cases.reader.labels_known(cases.now - timedelta(days=1), now=cases.now) == labels


@pytest.mark.parametrize("genuine_comes_first", [False, True])
def test_of_two_labels_of_one_instant_and_login_one_wins_whole(
    cases: Cases, *, genuine_comes_first: bool
) -> None:
    fraud = a_label(cases.ms_ago(minutes=2), note="No longer what is meant.")
    genuine = replace(fraud, verdict=LabelValue.GENUINE, note=None)
    for label in (genuine, fraud) if genuine_comes_first else (fraud, genuine):
        cases.write_labels(label)
    assert cases.reader.labels_known(cases.now - timedelta(days=1), now=cases.now) == [genuine]


@dataclass(frozen=True)
class ClaimsTest:
    """Claims under test, their lifetime here, and a way to let time pass."""

    claims: Claims
    claim_seconds: float
    wait: Callable[[float], None]

    def active_claims(self, *names: str) -> dict[str, str]:
        """Owners of these cases: a shared engine has claims of other tests too."""
        active = self.claims.active_claims()
        return {one: active[one] for one in names if one in active}


@pytest.fixture(params=ENGINES)
def claims_test(request: pytest.FixtureRequest) -> Iterator[ClaimsTest]:
    if request.param == "memory":
        clock = [datetime(2026, 1, 15, tzinfo=UTC)]

        def wait(seconds: float) -> None:
            clock[0] += timedelta(seconds=seconds)

        yield ClaimsTest(MemoryClaims(lambda: clock[0]), CLAIM_SECONDS, wait)
        return
    from fraudwatch.adapters.store.claims import CassandraClaims

    session_of: SessionOf = request.getfixturevalue("session_of")
    claims = CassandraClaims(session_of("console"), claim_seconds=LASTING_SECONDS)
    yield ClaimsTest(claims, LASTING_SECONDS, time.sleep)


def test_the_first_gets_the_claim_and_both_learn_of_it(claims_test: ClaimsTest) -> None:
    case = name()
    assert claims_test.active_claims(case) == {}
    assert claims_test.claims.claim(case, "anna") == "anna"
    assert claims_test.claims.claim(case, "ben") == "anna"
    assert claims_test.claims.claim(case, "anna") == "anna"
    assert claims_test.active_claims(case) == {case: "anna"}


def test_one_login_may_claim_several_cases(claims_test: ClaimsTest) -> None:
    mine, too, bens = name(), name(), name()
    for case, login in ((mine, "anna"), (too, "anna"), (bens, "ben")):
        assert claims_test.claims.claim(case, login) == login
    assert claims_test.active_claims(mine, too, bens) == {mine: "anna", too: "anna", bens: "ben"}


def test_only_ones_own_claim_is_released(claims_test: ClaimsTest) -> None:
    case = name()
    claims_test.claims.release(case, "anna")
    claims_test.claims.claim(case, "anna")
    claims_test.claims.release(case, "ben")
    assert claims_test.claims.claim(case, "ben") == "anna"
    claims_test.claims.release(case, "anna")
    assert claims_test.active_claims(case) == {}
    assert claims_test.claims.claim(case, "ben") == "ben"


def test_a_claim_expires(claims_test: ClaimsTest) -> None:
    case = name()
    claims_test.claims.claim(case, "anna")
    claims_test.wait(claims_test.claim_seconds + 1)
    assert claims_test.active_claims(case) == {}
    assert claims_test.claims.claim(case, "ben") == "ben"


def test_a_renewed_claim_lasts_longer_and_then_expires(claims_test: ClaimsTest) -> None:
    case = name()
    claims_test.claims.claim(case, "anna")
    claims_test.wait(claims_test.claim_seconds * 2 / 3)
    assert claims_test.claims.claim(case, "anna") == "anna"
    claims_test.wait(claims_test.claim_seconds * 2 / 3)
    assert claims_test.claims.claim(case, "ben") == "anna"
    claims_test.wait(claims_test.claim_seconds)
    assert claims_test.active_claims(case) == {}
    assert claims_test.claims.claim(case, "ben") == "ben"


def test_of_many_concurrent_claims_one_wins_and_all_learn_the_owner(
    claims_test: ClaimsTest,
) -> None:
    case, logins = name(), [f"analyst-{n}" for n in range(6)]
    with ThreadPoolExecutor(len(logins)) as pool:
        owners = list(pool.map(lambda login: claims_test.claims.claim(case, login), logins))
    assert len(set(owners)) == 1
    assert claims_test.active_claims(case) == {case: owners[0]}


def test_unavailable_twins_raise() -> None:
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
def test_a_role_without_the_tables_gets_store_unavailable(
    session_of: SessionOf,
) -> None:
    from fraudwatch.adapters.store.claims import CassandraClaims

    claims = CassandraClaims(session_of("persister"))
    with pytest.raises(StoreUnavailable, match="does not answer"):
        claims.claim("test:1", "anna")
    with pytest.raises(StoreUnavailable, match="does not answer"):
        claims.active_claims()


@pytest.mark.engines
def test_links_of_purchases_of_before_the_table_are_added_once_and_end_with_them(
    session_of: SessionOf,
) -> None:
    from fraudwatch.adapters.store.cases import CassandraCases
    from fraudwatch.adapters.store.link_fill import NO_EARLIER_PURCHASES, RANGES, fill_links
    from fraudwatch.adapters.store.link_table import bucket_of

    session, never = session_of("persister"), threading.Event()
    reader, now = CassandraCases(session_of("console")), datetime.now(UTC)
    # The persister of this stack has filled the table at its start, or had nothing to fill.
    eventually(lambda: fill_links(session, never) == 0, within_seconds=60, what="the first fill")
    card, at_ms = own_token(), epoch_ms_of(now)
    earlier = [bought(at_ms - n * DAY_MS, card_token=card) for n in range(3)]
    for one in earlier:  # as code of before the table wrote them, half of their life ago
        session.execute(
            "INSERT INTO fraudwatch.transaction_by_customer "
            "(customer_token, month, event_at, transaction_id, purchase) "
            "VALUES (%s, %s, %s, %s, %s) USING TIMESTAMP %s AND TTL %s",
            (
                *(one.customer_token, month_of(one.event_at_ms), one.event_at_ms),
                *(one.transaction_id, encode(one).decode(), one.event_at_ms * 1_000, 3_888_000),
            ),
        )
    sharing = partial(reader.purchases_with, Shared.CARD, card, until=now, days=90, limit=9)
    assert sharing() == []
    for number in (NO_EARLIER_PURCHASES, *range(RANGES)):
        session.execute(
            "DELETE FROM fraudwatch.purchase_by_token_fill WHERE range_number = %s", (number,)
        )
    stopped = threading.Event()
    stopped.set()
    assert fill_links(session, stopped) == 0
    assert sharing() == []
    assert fill_links(session, never) >= len(earlier)
    assert sharing() == earlier
    assert fill_links(session, never) == 0
    [row] = session.execute(
        "SELECT TTL(customer_token) AS seconds_left FROM fraudwatch.purchase_by_token WHERE "
        "bucket = %s AND shared = 'card_token' AND shared_token = %s",
        (bucket_of(card, at_ms), card),
    ).all()
    assert 3_800_000 < row["seconds_left"] <= 3_888_000
