"""Run ``fraudwatch benchmark api``: time reads of the REST API beside the running stream.

The command line starts it as ``python -m benchmarks.api_command``.
"""

from __future__ import annotations

import os
import secrets
import shutil
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Annotated, Any

import typer

from benchmarks.api_load import Reads, client_of, read_at
from benchmarks.machine import machine
from benchmarks.stream_benchmark import WARM_UP_SECONDS, StreamBenchmark
from fraudwatch.adapters.api_keys.key_file import ApiKeyFile
from fraudwatch.cli import entry_point, output
from fraudwatch.domain.api_keys import ApiKey, Scope, digest_of, presented_form
from fraudwatch.stack.home import StackError
from fraudwatch.stack.private_stack import QUIET_SHOP, PrivateStack, running

app = typer.Typer(pretty_exceptions_enable=False, add_completion=False)
EXAMPLE = "Example: ./fraudwatch benchmark api --rate 100 --stream-rate 500 --seconds 60 --json"
_KEY_ID = "benchmark"
_ALERTS = 200
# Of the warm-up; by then the load has made alerts to read.
_BEFORE_READING_SECONDS = 10


@app.command(epilog=EXAMPLE)
def api(
    rate: Annotated[int, typer.Option(min=1, max=2_000, help="Reads a second.")] = 100,
    stream_rate: Annotated[int, typer.Option(min=1, help="Purchases a second beside them.")] = 500,
    seconds: Annotated[int, typer.Option(min=10, help="How long it is measured.")] = 60,
    *,
    as_json: Annotated[bool, typer.Option("--json", help="Print exactly one JSON object.")] = False,
) -> None:
    """Time reads of verdicts and alerts while purchases are scored and stored at a rate.

    The stream is warmed up first. Latency counts from the time a read was due.
    """
    folder = Path(tempfile.mkdtemp(prefix="fraudwatch-benchmark-"))
    output.notify(f"starting a private stack in {folder} ...")
    try:
        with running(folder, QUIET_SHOP, "speed") as stack, ThreadPoolExecutor(1) as pool:
            load = StreamBenchmark(stack, output.notify, samples_triggers=False)
            beside = pool.submit(load.live, stream_rate, seconds + 2 * _BEFORE_READING_SECONDS)
            time.sleep(WARM_UP_SECONDS + _BEFORE_READING_SECONDS)
            figures = _reads(stack, rate, seconds)
            stream = beside.result()
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    report = {
        "reads_per_second": rate,
        "purchases_per_second": stream_rate,
        "seconds": seconds,
        "machine": machine(),
        **figures,
        "rest_api": stream["processes"]["rest_api"],
        "event_to_verdict_ms": stream["event_to_verdict_ms"],
        "load_average": [round(value, 1) for value in os.getloadavg()],
    }
    if as_json:
        output.print_json(report)
    else:
        _print_report(report)


def _reads(stack: PrivateStack, rate: int, seconds: int) -> dict[str, Any]:
    url = f"http://127.0.0.1:{stack.port('rest_api', 'http')}"
    with client_of(url, _made_key(stack)) as client:
        page = client.get("/v1/alerts", params={"limit": _ALERTS}).raise_for_status().json()
        if not page["alerts"]:
            raise StackError("the load made no alert, so there is nothing to read")
        return read_at(client, Reads(page["alerts"]), rate, seconds)


def _made_key(stack: PrivateStack) -> str:
    secret = secrets.token_urlsafe(32)
    key = ApiKey(
        key_id=_KEY_ID,
        client="benchmark",
        scopes=(Scope.READ,),
        sources=(),
        requests_per_second=None,
        created_at_ms=time.time_ns() // 1_000_000,
        expires_at_ms=None,
        revoked_at_ms=None,
        secret_sha256=digest_of(secret),
    )
    ApiKeyFile(stack.folder / "api_keys" / "keys.json").change(lambda _: key)
    return presented_form(_KEY_ID, secret)


def _print_report(report: dict[str, Any]) -> None:
    for name in ("read_ms", "rest_api", "event_to_verdict_ms", "machine"):
        figures = ", ".join(f"{key} {value}" for key, value in report[name].items())
        output.notify(f"{name}: {figures}")
    for kind, found in report["by_kind_ms"].items():
        output.notify(f"{kind}: {', '.join(f'{key} {value}' for key, value in found.items())}")
    for name in ("reads_per_second", "purchases_per_second", "reads", "failed", "load_average"):
        output.notify(f"{name}: {report[name]}")


if __name__ == "__main__":
    entry_point.run(app, "fraudwatch benchmark api")
