"""Send reads to the REST API at an even rate and time each from when it was due."""

from __future__ import annotations

import random
import time
from collections import defaultdict
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Any, Final

import httpx

from benchmarks.figures import latency_percentiles

CONNECTIONS: Final = 16
# Weight of each kind of read; a program mostly asks for the verdict of one purchase.
_MIX: Final = {"verdict": 50, "alert": 10, "customer": 15, "merchant": 10, "rule": 10, "risk": 5}
_TIMEOUT_SECONDS: Final = 10.0


@dataclass(frozen=True, slots=True)
class Reads:
    """Paths of the API to read, by kind, from alerts that it has."""

    alerts: Sequence[dict[str, Any]]
    random: random.Random = field(default_factory=lambda: random.Random(8))

    def next(self) -> tuple[str, str]:
        """Return the kind and the path of the next read."""
        (kind,) = self.random.choices(list(_MIX), list(_MIX.values()))
        alert = self.random.choice(self.alerts)
        name = alert["transaction_id"]
        paths = {
            "verdict": f"/v1/verdicts/{name}",
            "alert": f"/v1/alerts/{name}",
            "customer": f"/v1/alerts?customer_token={alert['customer_token']}",
            "merchant": f"/v1/alerts?merchant_id={alert['merchant_id']}",
            "rule": f"/v1/alerts?rule={alert['reasons'][0]['rule']}",
            "risk": f"/v1/alerts?risk={alert['risk']}",
        }
        return kind, paths[kind]


def read_at(client: httpx.Client, reads: Reads, per_second: int, seconds: int) -> dict[str, Any]:
    """Read for some seconds; return percentiles in milliseconds by kind, and errors.

    A read that starts late, because the ones before it were slow, counts from when it was due.
    """
    took: defaultdict[str, list[float]] = defaultdict(list)
    failed: list[int] = []
    began = time.perf_counter() + 0.5

    def one(kind: str, path: str, due: float) -> None:
        time.sleep(max(0.0, due - time.perf_counter()))
        status = client.get(path).status_code
        took[kind].append(1000 * (time.perf_counter() - due))
        if status != httpx.codes.OK:
            failed.append(status)

    with ThreadPoolExecutor(CONNECTIONS) as pool:
        plan = [(*reads.next(), began + n / per_second) for n in range(per_second * seconds)]
        for answer in [pool.submit(one, *read) for read in plan]:
            answer.result()
    everything = [value for values in took.values() for value in values]
    return {
        "reads": len(everything),
        "failed": len(failed),
        "read_ms": latency_percentiles(everything),
        "by_kind_ms": {kind: latency_percentiles(took[kind]) for kind in sorted(took)},
    }


def client_of(url: str, key: str) -> httpx.Client:
    """Open a client of the API with a connection for each thread."""
    return httpx.Client(
        base_url=url,
        headers={"Authorization": f"Bearer {key}"},
        timeout=_TIMEOUT_SECONDS,
        limits=httpx.Limits(max_connections=CONNECTIONS, max_keepalive_connections=CONNECTIONS),
        trust_env=False,
    )
