"""Run ``fraudwatch benchmark answers``: time ingest's answers to one purchase a call.

The command line starts it as ``python -m benchmarks.answers_command``.
"""

from __future__ import annotations

import shutil
import tempfile
import time
import uuid
from collections import Counter
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from typing import Annotated, Any, Final

import httpx
import typer

from benchmarks.machine import machine
from fraudwatch.adapters.codecs.json_codec import encode
from fraudwatch.cli import entry_point, output
from fraudwatch.domain.messages.purchase import Purchase
from fraudwatch.samples import a_purchase
from fraudwatch.stack.private_stack import QUIET_SHOP, PrivateStack, running

app = typer.Typer(pretty_exceptions_enable=False, add_completion=False)
EXAMPLE = "Example: ./fraudwatch benchmark answers --rate 50 --seconds 30 --json"
_CALLERS: Final = 32
_WAIT: Final = "?wait_seconds=5"
_WARM_UP_SECONDS: Final = 20
_SOURCE: Final = "answers"


@app.command(epilog=EXAMPLE)
def answers(
    rate: Annotated[int, typer.Option(min=1, max=1_000, help="Calls a second.")] = 50,
    seconds: Annotated[int, typer.Option(min=5, help="How long each part is measured.")] = 30,
    *,
    as_json: Annotated[bool, typer.Option("--json", help="Print exactly one JSON object.")] = False,
) -> None:
    """Time calls without a wait, with one, the same again, and the same ids with other content.

    The last two ask the store: for what it has already, while the stream scores other purchases.
    """
    folder = Path(tempfile.mkdtemp(prefix="fraudwatch-benchmark-"))
    output.notify(f"starting a private stack in {folder} ...")
    try:
        with running(folder, QUIET_SHOP, "speed") as stack:
            report = _measure(stack, rate, seconds)
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    if as_json:
        output.print_json(report)
        return
    for name, part in report["parts"].items():
        output.notify(f"{name}: {', '.join(f'{key} {value}' for key, value in part.items())}")


def _measure(stack: PrivateStack, rate: int, seconds: int) -> dict[str, Any]:
    def part(what: str, purchases: Sequence[Purchase], wait: str) -> dict[str, Any]:
        output.notify(f"{what} ...")
        return _timed(stack, purchases, wait, rate)

    part("warm-up", _purchases(rate * _WARM_UP_SECONDS), _WAIT)
    scored = _purchases(rate * seconds)
    others = [replace(one, amount_minor=one.amount_minor + 1) for one in scored]
    parts = {
        "without a wait": part("without a wait", _purchases(rate * seconds), ""),
        "with a wait": part("with a wait", scored, _WAIT),
        "the same again": part("the same again", scored, _WAIT),
        "other content": part("other content", others, _WAIT),
    }
    return {"rate_per_second": rate, "seconds": seconds, "machine": machine(), "parts": parts}


def _purchases(count: int) -> list[Purchase]:
    now_ms = time.time_ns() // 1_000_000
    names = [uuid.uuid4().hex for _ in range(count)]
    return [
        a_purchase(source=_SOURCE, id=name, customer_id=name, event_at_ms=now_ms) for name in names
    ]


def _timed(
    stack: PrivateStack, purchases: Sequence[Purchase], wait: str, rate: int
) -> dict[str, Any]:
    """Send one purchase a call at this rate; a late caller sends at once."""
    with (
        stack.http("ingest", "INGEST_API_KEY") as client,
        ThreadPoolExecutor(_CALLERS) as callers,
    ):
        began = time.perf_counter()

        def call(number: int) -> tuple[int, float]:
            time.sleep(max(0.0, began + number / rate - time.perf_counter()))
            return _call(client, purchases[number], wait)

        answered = list(callers.map(call, range(len(purchases))))
        took_seconds = time.perf_counter() - began
    milliseconds = sorted(ms for _, ms in answered)
    statuses = Counter(str(status) for status, _ in answered)
    return {
        "calls": len(answered),
        "calls_per_second": round(len(answered) / took_seconds, 1),
        **{f"status_{status}": count for status, count in sorted(statuses.items())},
        "p50_ms": _quantile(milliseconds, 0.5),
        "p95_ms": _quantile(milliseconds, 0.95),
        "p99_ms": _quantile(milliseconds, 0.99),
    }


def _call(client: httpx.Client, purchase: Purchase, wait: str) -> tuple[int, float]:
    body = encode(purchase)
    began = time.perf_counter()
    answer = client.post(f"/v1/transactions{wait}", content=body)
    return answer.status_code, 1_000 * (time.perf_counter() - began)


def _quantile(ascending: Sequence[float], share: float) -> float:
    return round(ascending[min(int(share * len(ascending)), len(ascending) - 1)], 1)


if __name__ == "__main__":
    entry_point.run(app, "fraudwatch benchmark answers")
