"""Send a batch job's metrics by StatsD: a job ends before it could be scraped.

They are sent only where STATSD_HOST is set, by UDP: a receiver that is down never fails or delays a
job. A job that is killed by a signal sends nothing; Airflow counts its run. They are declared in
:mod:`fraudwatch.observability.catalogue.jobs`.
"""

from __future__ import annotations

import logging
import math
import os
import time
from collections.abc import Callable, Mapping
from functools import cache
from typing import Final

from statsd import StatsClient

from fraudwatch.observability.catalogue.jobs import JOBS, QUALITY
from fraudwatch.observability.catalogue.metric import Kind

HOST: Final = "STATSD_HOST"
PORT: Final = "STATSD_PORT"
_DEFAULT_PORT: Final = "9125"

log = logging.getLogger("job_metrics")


JOB_METRICS: Final = {metric.name: metric for metric in (*JOBS.metrics, *QUALITY.metrics)}


def run_job(job: str, main: Callable[[], int]) -> int:
    """Run a job's main once, send its metrics, and return its exit code."""
    _count_failures(job, 0)  # so that the first failure is an increase
    began, code, is_help = time.monotonic(), 1, False
    try:
        code = main()
    except SystemExit as left:
        is_help = not left.code
        raise
    finally:
        if not is_help:
            _send_run(job, time.monotonic() - began, is_failed=code != 0)
    return code


def is_on() -> bool:
    """Return whether metrics are sent: what is costly to compute is computed only then."""
    return _client() is not None


def send_gauge(name: str, value: float | None, **labels: str) -> None:
    """Send a gauge; an unknown value (None or NaN) is left out.

    Raises:
        ValueError: the metric is not declared, or not with these labels.
    """
    stat = _stat(Kind.GAUGE, name, labels)
    client = _client()
    if client is not None and value is not None and math.isfinite(value):
        client.gauge(stat, float(value))


def send_rows(rows_by_job: Mapping[str, int]) -> None:
    """Send how many rows jobs wrote."""
    for job, rows in rows_by_job.items():
        send_gauge("fraudwatch_job_rows", rows, job=job)


def _send_run(job: str, seconds: float, *, is_failed: bool) -> None:
    stat = _stat(Kind.HISTOGRAM, "fraudwatch_job_seconds", {"job": job})
    client = _client()
    if client is not None:
        client.timing(stat, seconds * 1_000)
    _count_failures(job, int(is_failed))
    if not is_failed:
        send_gauge("fraudwatch_job_finished_at_seconds", time.time(), job=job)


def _count_failures(job: str, failures: int) -> None:
    stat = _stat(Kind.COUNTER, "fraudwatch_job_failures", {"job": job})
    client = _client()
    if client is not None:
        client.incr(stat, failures)


def _stat(kind: Kind, name: str, labels: Mapping[str, str]) -> str:
    """Build a name with InfluxDB's tags."""
    metric = JOB_METRICS.get(name)
    if metric is None or metric.kind is not kind or set(metric.label_names) != labels.keys():
        raise ValueError(f"no {kind} {name} with the labels {sorted(labels)} is declared")
    for label in metric.labels:
        if labels[label.name] not in (label.closed_values() or ()):
            raise ValueError(f"{labels[label.name]} is no declared {label.name} of {name}")
    return name + "".join(f",{label}={value}" for label, value in sorted(labels.items()))


def _client() -> StatsClient | None:
    host = os.environ.get(HOST)
    return _connected(host, os.environ.get(PORT, _DEFAULT_PORT)) if host else None


@cache
def _connected(host: str, port: str) -> StatsClient | None:
    try:
        return StatsClient(host, int(port))
    except (OSError, ValueError) as error:
        log.warning(
            "metrics of this job are not sent (%s=%s, %s=%s: %s); the job runs on",
            HOST, host, PORT, port, error,
        )  # fmt: skip
        return None
