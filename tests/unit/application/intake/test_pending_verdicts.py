from __future__ import annotations

import asyncio
import threading
import time

from fraudwatch.application.intake.pending_verdicts import PendingVerdictRegistry
from fraudwatch.domain.messages.verdict import Verdict
from fraudwatch.samples import a_verdict

ONE, TWO = a_verdict(transaction_id="shop:1"), a_verdict(transaction_id="shop:2")


def resolve(registry: PendingVerdictRegistry, *verdicts: Verdict) -> None:
    for verdict in verdicts:
        registry.resolve(verdict.transaction_id, lambda made=verdict: made)  # type: ignore[misc]


def test_a_verdict_before_the_wait_began_is_returned() -> None:
    async def run() -> dict[str, Verdict]:
        registry = PendingVerdictRegistry()
        with registry.waiting_for(["shop:1"]) as pending:
            thread = threading.Thread(target=resolve, args=(registry, ONE))
            thread.start()
            thread.join()
            return await pending.collect(["shop:1"], within_seconds=5)

    assert asyncio.run(run()) == {"shop:1": ONE}


def test_waiting_ends_with_the_last_verdict_and_blocks_no_other_task() -> None:
    async def run() -> tuple[dict[str, Verdict], float, int]:
        registry, turns = PendingVerdictRegistry(), 0

        async def others() -> None:
            nonlocal turns
            while True:
                turns += 1
                await asyncio.sleep(0.01)

        beside = asyncio.create_task(others())
        threading.Timer(0.1, resolve, args=(registry, ONE)).start()
        threading.Timer(0.2, resolve, args=(registry, TWO)).start()
        began = time.monotonic()
        with registry.waiting_for(["shop:1", "shop:2"]) as pending:
            found = await pending.collect(["shop:1", "shop:2"], within_seconds=30)
        beside.cancel()
        return found, time.monotonic() - began, turns

    found, took_seconds, turns = asyncio.run(run())
    assert found == {"shop:1": ONE, "shop:2": TWO}
    assert took_seconds < 20
    assert turns > 1


def test_at_timeout_the_arrived_verdicts_are_returned_and_all_is_cleared() -> None:
    async def run() -> dict[str, Verdict]:
        registry = PendingVerdictRegistry()
        with registry.waiting_for(["shop:1", "shop:2"]) as pending:
            assert registry
            resolve(registry, ONE)
            found = await pending.collect(["shop:1", "shop:2"], within_seconds=0.1)
        assert not registry
        assert not registry._waiting
        return found

    assert asyncio.run(run()) == {"shop:1": ONE}


def test_two_callers_of_one_transaction_both_get_the_verdict() -> None:
    async def run() -> list[dict[str, Verdict]]:
        registry = PendingVerdictRegistry()
        with (
            registry.waiting_for(["shop:1"]) as first,
            registry.waiting_for(["shop:1", "shop:1"]) as second,
        ):
            resolve(registry, ONE)
            return [await one.collect(["shop:1"], within_seconds=5) for one in (first, second)]

    assert asyncio.run(run()) == [{"shop:1": ONE}, {"shop:1": ONE}]


def test_a_verdict_without_a_waiting_caller_is_not_decoded() -> None:
    def read() -> Verdict:
        raise AssertionError

    registry = PendingVerdictRegistry()
    registry.resolve("shop:1", read)
    assert not registry
