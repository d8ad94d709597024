"""Post purchases to ingest at an even rate and time each call from when it was due."""

from __future__ import annotations

import time
import uuid
from collections import Counter
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any, Final

import httpx

from benchmarks.figures import latency_percentiles
from fraudwatch.adapters.codecs.json_codec import encode
from fraudwatch.samples import a_purchase

CALLERS: Final = 32
_SOURCE: Final = "intake"
# Of a customer who is new a key is made, so most purchases are of known ones, as in any shop.
_CUSTOMERS: Final = 5_000


def bodies(calls: int, purchases_a_call: int) -> list[bytes]:
    """Encode the bodies of calls, each with purchases that were never sent before."""
    run = uuid.uuid4().hex[:8]
    now_ms = time.time_ns() // 1_000_000

    def body(call: int) -> bytes:
        first = call * purchases_a_call
        return encode(
            [
                a_purchase(
                    source=_SOURCE,
                    id=f"{run}-{number}",
                    customer_id=f"customer-{number % _CUSTOMERS}",
                    event_at_ms=now_ms,
                )
                for number in range(first, first + purchases_a_call)
            ]
        )

    return [body(call) for call in range(calls)]


def post_at(
    client: httpx.Client, sent: Sequence[bytes], calls_per_second: float, purchases_a_call: int
) -> dict[str, Any]:
    """Post each body when it is due; return the rate that was reached, statuses and percentiles.

    A call that starts late, because the ones before it were slow, counts from when it was due.
    """
    began = time.perf_counter() + 0.5

    def call(number: int) -> tuple[int, float]:
        due = began + number / calls_per_second
        time.sleep(max(0.0, due - time.perf_counter()))
        answer = client.post("/v1/transactions", content=sent[number])
        return answer.status_code, 1_000 * (time.perf_counter() - due)

    with ThreadPoolExecutor(CALLERS) as callers:
        answered = list(callers.map(call, range(len(sent))))
    took_seconds = time.perf_counter() - began
    accepted = sum(status == httpx.codes.ACCEPTED for status, _ in answered)
    return {
        "calls": len(answered),
        "failed": len(answered) - accepted,
        "purchases_per_second": round(accepted * purchases_a_call / took_seconds, 1),
        "statuses": dict(sorted(Counter(str(status) for status, _ in answered).items())),
        "acknowledged_ms": latency_percentiles([ms for _, ms in answered]),
    }
