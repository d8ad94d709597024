from __future__ import annotations

import asyncio
import threading
import time

import pytest

from fraudwatch.application.ports import NotDelivered
from streaming.ingest.submissions import Submissions


def test_a_submission_beyond_the_most_is_refused_soon_and_a_later_one_runs() -> None:
    submissions = Submissions(2, patience_seconds=0.2)
    broker_is_back = threading.Event()

    async def scenario() -> None:
        waiting = [
            asyncio.create_task(submissions.run(lambda: broker_is_back.wait(20))) for _ in range(2)
        ]
        await asyncio.sleep(0)
        began = time.monotonic()
        with pytest.raises(NotDelivered, match="was not begun"):
            await submissions.run(lambda: True)
        assert time.monotonic() - began < 5
        broker_is_back.set()
        assert await asyncio.gather(*waiting) == [True, True]
        assert await submissions.run(lambda: 7) == 7

    asyncio.run(scenario())


def test_a_failed_submission_leaves_its_place() -> None:
    submissions = Submissions(1)

    def fail() -> None:
        raise NotDelivered("the broker is away")

    async def scenario() -> None:
        for _ in range(3):
            with pytest.raises(NotDelivered):
                await submissions.run(fail)

    asyncio.run(scenario())
