from __future__ import annotations

from collections import Counter
from itertools import pairwise

from chaos.load import EVENTS_BEGIN_MS, Load
from fraudwatch.domain.features.catalogue import TOO_LATE_MS
from fraudwatch.domain.messages.fields import problems
from fraudwatch.samples import NOON_MS


def test_the_same_seed_makes_the_same_purchases() -> None:
    first, same, other = (Load(seed, "chaos").batch(500, NOON_MS) for seed in (7, 7, 8))
    assert first == same
    assert first != other


def test_a_load_has_repeats_bursts_and_late_events_and_nothing_that_ingest_refuses() -> None:
    purchases = Load(7, "chaos").batch(20_000, NOON_MS)
    times = Counter(purchase.id for purchase in purchases)
    assert 100 < sum(count - 1 for count in times.values()) < 300
    late = [purchase for purchase in purchases if purchase.event_at_ms < NOON_MS - EVENTS_BEGIN_MS]
    assert 500 < len(late) < 1_500
    too_late = [
        one for one in purchases if one.event_at_ms < NOON_MS - EVENTS_BEGIN_MS - TOO_LATE_MS
    ]
    assert 5 < len(too_late) < 50
    longest, run = 0, 0
    for before, after in pairwise(purchases):
        run = run + 1 if before.customer_id == after.customer_id else 0
        longest = max(longest, run)
    assert longest > 5
    assert [purchase for purchase in purchases if problems(purchase)] == []


def test_a_repeat_is_within_the_ids_that_the_detector_deduplicates() -> None:
    purchases = Load(7, "chaos").batch(60_000, NOON_MS)
    places: dict[str, list[int]] = {}
    for purchase in purchases:
        ids = places.setdefault(purchase.customer_id, [])
        number = int(purchase.id.split("-")[1])
        if number in ids:
            assert len(ids) - ids.index(number) <= 64
        else:
            ids.append(number)


def test_a_garbage_batch_has_one_purchase_that_ingest_refuses() -> None:
    load = Load(7, "chaos")
    ways = [
        [
            bool(problems(one))
            or one.currency == "XXX"
            or one.event_at_ms > NOON_MS
            or one.merchant_id == " "
            for one in load.garbage(NOON_MS)
        ]
        for _ in range(50)
    ]
    assert {sum(broken) for broken in ways} == {1}


def test_events_pass_faster_than_the_clock_and_never_overtake_it() -> None:
    load = Load(7, "chaos")
    passed_ms = (0, 60_000, 10**9)
    newest = [max(one.event_at_ms for one in load.batch(50, NOON_MS + ms)) for ms in passed_ms]
    assert newest == [
        NOON_MS - EVENTS_BEGIN_MS,
        NOON_MS - EVENTS_BEGIN_MS + 60_000_000,
        NOON_MS + 10**9,
    ]
