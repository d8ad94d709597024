from __future__ import annotations

import asyncio
import threading
import time

from fraudwatch.application.intake.pending_verdicts import Expectations
from fraudwatch.domain.messages.verdict import Verdict
from fraudwatch.samples import a_verdict

ONE, TWO = a_verdict(transaction_id="shop:1"), a_verdict(transaction_id="shop:2")


def tell(expectations: Expectations, *verdicts: Verdict) -> None:
    for verdict in verdicts:
        expectations.tell(verdict.transaction_id, lambda told=verdict: told)  # type: ignore[misc]


def test_a_verdict_that_came_before_the_waiting_began_is_there() -> None:
    async def run() -> dict[str, Verdict]:
        expectations = Expectations()
        with expectations.expecting(["shop:1"]) as expected:
            teller = threading.Thread(target=tell, args=(expectations, ONE))
            teller.start()
            teller.join()
            return await expected.of(["shop:1"], within_seconds=5)

    assert asyncio.run(run()) == {"shop:1": ONE}


def test_waiting_ends_with_the_last_verdict_and_holds_up_nobody() -> None:
    async def run() -> tuple[dict[str, Verdict], float, int]:
        expectations, turns = Expectations(), 0

        async def others() -> None:
            nonlocal turns
            while True:
                turns += 1
                await asyncio.sleep(0.01)

        beside = asyncio.create_task(others())
        threading.Timer(0.1, tell, args=(expectations, ONE)).start()
        threading.Timer(0.2, tell, args=(expectations, TWO)).start()
        began = time.monotonic()
        with expectations.expecting(["shop:1", "shop:2"]) as expected:
            found = await expected.of(["shop:1", "shop:2"], within_seconds=30)
        beside.cancel()
        return found, time.monotonic() - began, turns

    found, took_seconds, turns = asyncio.run(run())
    assert found == {"shop:1": ONE, "shop:2": TWO}
    assert took_seconds < 20
    assert turns > 1


def test_when_time_is_over_there_is_what_came_and_nothing_is_kept() -> None:
    async def run() -> dict[str, Verdict]:
        expectations = Expectations()
        with expectations.expecting(["shop:1", "shop:2"]) as expected:
            assert expectations
            tell(expectations, ONE)
            found = await expected.of(["shop:1", "shop:2"], within_seconds=0.1)
        assert not expectations
        assert not expectations._waiting
        return found

    assert asyncio.run(run()) == {"shop:1": ONE}


def test_two_callers_of_one_transaction_are_both_told() -> None:
    async def run() -> list[dict[str, Verdict]]:
        expectations = Expectations()
        with (
            expectations.expecting(["shop:1"]) as first,
            expectations.expecting(["shop:1", "shop:1"]) as second,
        ):
            tell(expectations, ONE)
            return [await one.of(["shop:1"], within_seconds=5) for one in (first, second)]

    assert asyncio.run(run()) == [{"shop:1": ONE}, {"shop:1": ONE}]


def test_a_verdict_that_nobody_waits_for_is_not_even_read() -> None:
    def read() -> Verdict:
        raise AssertionError

    expectations = Expectations()
    expectations.tell("shop:1", read)
    assert not expectations
