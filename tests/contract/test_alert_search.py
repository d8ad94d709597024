"""Contract of the search for alerts: memory twin and real Cassandra."""

from __future__ import annotations

import random
import uuid
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import pytest

from fraudwatch.adapters.memory.alert_search import MemoryAlertSearch
from fraudwatch.adapters.memory.verdict_store import MemoryVerdictStore
from fraudwatch.application.alert_search import (
    AlertPage,
    AlertQuery,
    AlertScanner,
    Position,
    search,
)
from fraudwatch.application.console.alerts import alert_of
from fraudwatch.application.ports import VerdictStore
from fraudwatch.domain.messages.verdict import Outcome, Reason, Risk, Verdict
from fraudwatch.domain.time_units import DAY_MS, HOUR_MS
from fraudwatch.samples import a_token, a_verdict

if TYPE_CHECKING:
    from cassandra.cluster import Session

# Each test gets a month of its own before 2000, in which nothing else is, so that a shared engine
# never mixes their hours.
QUIET_MONTHS = iter(random.sample(range(300), k=300))
MONTH_MS = 32 * DAY_MS
FIRST_MS = 37_411_200_000  # 1971-03-10T00:00:00Z
MINUTE_MS = 60_000


@dataclass(frozen=True)
class World:
    """A store, the search over it, and names that no other test uses."""

    writer: VerdictStore
    scanner: AlertScanner
    now_ms: int
    customer: str
    merchant: str
    rule: str

    def write(self, *verdicts: Verdict) -> None:
        self.writer.write(verdicts, [])

    def verdict(self, age_ms: int, **changes: Any) -> Verdict:
        usual: dict[str, Any] = {
            "transaction_id": f"test:{uuid.uuid4().hex}",
            "decided_at_ms": self.now_ms - age_ms,
            "event_at_ms": self.now_ms - age_ms - 120,
            "customer_token": self.customer,
            "merchant_id": self.merchant,
            "reasons": (Reason(self.rule, 40, "Too “many”."), Reason("other", 5, "Far.")),
        }
        return a_verdict(**usual | changes)

    def page(self, limit: int = 100, after: Position | None = None, **filters: Any) -> AlertPage:
        span = {"since_ms": self.now_ms - 30 * DAY_MS, "until_ms": self.now_ms + 1}
        return search(self.scanner, AlertQuery(**span | filters), after, limit=limit)

    def ids(self, limit: int = 100, **filters: Any) -> list[str]:
        """All transaction ids, page after page."""
        found: list[str] = []
        page = self.page(limit, **filters)
        while True:
            assert len(page.alerts) <= limit
            found += [alert.transaction_id for alert in page.alerts]
            if page.resume is None:
                return found
            page = self.page(limit, page.resume, **filters)


@pytest.fixture(params=["memory", pytest.param("cassandra", marks=pytest.mark.engines)])
def world(request: pytest.FixtureRequest) -> Iterator[World]:
    name = uuid.uuid4().hex[:20]
    names = (a_token("a")[:15] + name, f"merchant-{name}", f"rule-{name}")
    now_ms = FIRST_MS + MONTH_MS * next(QUIET_MONTHS)
    if request.param == "memory":
        store = MemoryVerdictStore()
        yield World(store, MemoryAlertSearch(store), now_ms, *names)
        return
    from fraudwatch.adapters.store.alert_search import CassandraAlertSearch
    from fraudwatch.adapters.store.verdict_store import CassandraVerdictStore

    session_of: Callable[[str], Session] = request.getfixturevalue("session_of")
    writer = CassandraVerdictStore(session_of("persister"))
    yield World(writer, CassandraAlertSearch(session_of("rest_api")), now_ms, *names)


def questions(world: World) -> list[dict[str, Any]]:
    return [
        {"customer_token": world.customer},
        {"merchant_id": world.merchant},
        {"rule": world.rule},
        {},
    ]


def test_an_alert_is_found_whole_by_customer_merchant_rule_and_time(world: World) -> None:
    written = world.verdict(MINUTE_MS, category=None, card_last4=None)
    world.write(written)
    for filters in questions(world):
        assert world.page(**filters).alerts == [alert_of(written)], filters
    assert world.page(rule="other", merchant_id=world.merchant).alerts == [alert_of(written)]


def test_others_alerts_are_not_found(world: World) -> None:
    world.write(world.verdict(MINUTE_MS))
    strangers = [{"customer_token": a_token("z")}, {"merchant_id": "m"}, {"rule": "r"}]
    for filters in strangers:
        assert world.page(**filters) == AlertPage([], None), filters


def test_an_approval_is_found_nowhere(world: World) -> None:
    world.write(world.verdict(MINUTE_MS, outcome=Outcome.APPROVE))
    for filters in questions(world):
        assert world.ids(**filters) == [], filters


@pytest.mark.parametrize("limit", [1, 3, 7, 100])
def test_pages_list_everything_once_latest_first(world: World, limit: int) -> None:
    ages = [random.randrange(20 * HOUR_MS) for _ in range(20)]
    ages += [5 * HOUR_MS] * 9  # one micro-batch, in three risk levels
    rows = [world.verdict(age, risk=list(Risk)[1 + n % 3]) for n, age in enumerate(ages)]
    world.write(*rows)
    world.write(*rows)
    rows.sort(key=lambda row: (-row.decided_at_ms, row.transaction_id))
    for filters in questions(world):
        assert world.ids(limit, **filters) == [row.transaction_id for row in rows], filters


def test_alerts_of_weeks_and_of_two_months_are_found(world: World) -> None:
    rows = [world.verdict(age * DAY_MS) for age in (0, 1, 9, 20, 29)]
    world.write(*rows)
    for filters in questions(world):
        assert world.ids(2, **filters) == [row.transaction_id for row in rows], filters


def test_all_filters_must_match(world: World) -> None:
    wanted = world.verdict(3 * MINUTE_MS, risk=Risk.CRITICAL)
    others = [
        world.verdict(MINUTE_MS, customer_token=a_token("y"), risk=Risk.CRITICAL),
        world.verdict(2 * MINUTE_MS, merchant_id="elsewhere", risk=Risk.CRITICAL),
        world.verdict(4 * MINUTE_MS, reasons=(), risk=Risk.CRITICAL),
        world.verdict(5 * MINUTE_MS, risk=Risk.MEDIUM),
        world.verdict(6 * MINUTE_MS, transaction_id=f"shop:{uuid.uuid4()}", risk=Risk.CRITICAL),
    ]
    world.write(wanted, *others)
    found = world.ids(
        customer_token=world.customer,
        merchant_id=world.merchant,
        rule=world.rule,
        risks=(Risk.CRITICAL,),
        sources=("test",),
    )
    assert found == [wanted.transaction_id]


def test_a_source_is_a_whole_name(world: World) -> None:
    mine, others = (
        world.verdict(MINUTE_MS, transaction_id=f"{source}:{uuid.uuid4().hex}")
        for source in ("shop", "shop2")
    )
    world.write(mine, others)
    for filters in questions(world):
        assert world.ids(sources=("shop",), **filters) == [mine.transaction_id], filters
        assert len(world.ids(sources=("shop", "shop2"), **filters)) == 2, filters


def test_the_span_includes_its_first_instant_and_not_its_last(world: World) -> None:
    rows = [world.verdict(age * MINUTE_MS) for age in (1, 2, 3, 4)]
    world.write(*rows)
    span = {"since_ms": rows[2].decided_at_ms, "until_ms": rows[0].decided_at_ms}
    wanted = [row.transaction_id for row in rows[1:3]]
    for filters in questions(world):
        assert world.ids(**filters, **span) == wanted, filters
        assert world.ids(1, **filters, **span) == wanted, filters


def test_a_page_whose_filters_drop_much_ends_early_and_continues(world: World) -> None:
    rare = world.verdict(10 * HOUR_MS, risk=Risk.CRITICAL)
    world.write(rare, *(world.verdict(n * 1_000, risk=Risk.MEDIUM) for n in range(1, 120)))
    first = world.page(1, merchant_id=world.merchant, risks=(Risk.CRITICAL,))
    assert first.alerts == []
    assert first.resume is not None
    found = world.ids(1, merchant_id=world.merchant, risks=(Risk.CRITICAL,))
    assert found == [rare.transaction_id]


def test_a_transaction_scored_twice_is_listed_once_a_verdict(world: World) -> None:
    first = world.verdict(HOUR_MS)
    again = world.verdict(MINUTE_MS, transaction_id=first.transaction_id)
    world.write(first, again)
    assert world.ids(customer_token=world.customer) == [first.transaction_id] * 2
