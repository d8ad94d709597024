"""Samples as the exporters have them, for tests of the Operations page."""

from __future__ import annotations

from fraudwatch.adapters.memory.operations import MemoryDagRuns, MemoryExporters
from fraudwatch.application.operations.dag_runs import DagRun
from fraudwatch.application.operations.exporters import Sample

MIB = 1024 * 1024
STARTED_AT_SECONDS = 1_772_366_400.0


def buckets(*pairs: tuple[str, float]) -> tuple[Sample, ...]:
    """Cumulative counts of the verdict latency by upper bound."""
    name = "fraudwatch_event_to_verdict_seconds_bucket"
    return tuple(Sample(name, {"le": bound}, count) for bound, count in pairs)


def a_service(name: str, **changes: float) -> tuple[Sample, ...]:
    """Samples of one service that works."""
    values = {"up": 1.0, "ready": 1.0, "given_up": 0.0, "restarts_total": 0.0} | changes
    usage = {
        "container_memory_working_set_bytes": 150.0 * MIB,
        "container_spec_memory_limit_bytes": 200.0 * MIB,
        "container_start_time_seconds": STARTED_AT_SECONDS,
    }
    return (
        *(Sample(f"fraudwatch_service_{n}", {"service": name}, v) for n, v in values.items()),
        *(Sample(n, {"name": name}, v) for n, v in usage.items()),
    )


def a_lag(group: str, topic: str, messages: float, seconds: float) -> tuple[Sample, ...]:
    """Samples of one consumer's lag."""
    labels = {"group": group, "topic": topic}
    return (
        Sample("fraudwatch_consumer_lag_messages", labels, messages),
        Sample("fraudwatch_consumer_lag_seconds", labels, seconds),
        Sample("fraudwatch_consumer_retention_left_seconds", labels, float("inf")),
    )


def some_exporters() -> MemoryExporters:
    """Exporters of a platform in which the tally is given up and a mail server is down."""
    dead = "fraudwatch_dead_letters_total"
    notifier = "fraudwatch_notifier"
    return MemoryExporters(
        {
            "service_usage": (
                *a_service("detector"),
                *a_service("tally", up=0, ready=0, given_up=1, restarts_total=9),
                *a_service("console", ready=0),
            ),
            "kafka_lag": (
                Sample("fraudwatch_kafka_reachable", {}, 1),
                *a_lag("persister", "fraud_topic", 3, 0.5),
                *a_lag("tally", "fraud_topic", 51_200, 3_600),
                Sample("fraudwatch_topic_messages_total", {"topic": "dead_letter_topic"}, 17),
            ),
            "ingest": (
                Sample(dead, {"stage": "ingest", "code": "out_of_bounds"}, 12),
                Sample(dead, {"stage": "ingest", "code": "not_json"}, 0),
            ),
            "detector": (
                Sample(dead, {"stage": "detector", "code": "too_late"}, 2),
                *buckets(("0.1", 50), ("0.25", 90), ("0.5", 100), ("+Inf", 100)),
            ),
            "notifier": (
                Sample(f"{notifier}_channel_failing", {"channel": "mail"}, 1),
                Sample(f"{notifier}_channel_failing", {"channel": "customers"}, 0),
                Sample(f"{notifier}_failures_total", {"channel": "mail"}, 7),
                Sample(f"{notifier}_given_up_total", {"channel": "mail"}, 1),
                Sample(f"{notifier}_oldest_waiting_seconds", {"channel": "mail"}, 240),
                Sample(f"{notifier}_notices_total", {"state": "sent"}, 4),
                Sample(f"{notifier}_notices_total", {"state": "expired"}, 0),
            ),
        }
    )


def some_runs() -> MemoryDagRuns:
    """Two runs, the newer one failed, and a paused DAG."""
    return MemoryDagRuns(
        [a_run("archive_topics", "success"), a_run("train_model", "failed")], ["x"]
    )


def a_run(dag: str, state: str) -> DagRun:
    """One run."""
    return DagRun(
        dag=dag,
        run_id="scheduled__1",
        state=state,
        started_at="2026-03-01T12:00:00.123Z",
        seconds=61.5,
        url=f"http://127.0.0.1:8080/dags/{dag}/runs/scheduled__1",
    )
