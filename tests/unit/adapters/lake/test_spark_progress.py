from __future__ import annotations

import json
from typing import Any

import pytest

from fraudwatch.adapters.lake.spark_progress import Trigger, trigger_of

# As Spark 4 reports a trigger over one Kafka source, all metrics of which are text.
REPORT = """
{
  "id": "b1f0d7b2-8b1a-4f6d-a3a5-0a1a6f1f7b11", "runId": "0b7b1c0e-7a53-4f5e-8c77-2f3b8d1d5c22",
  "name": "detector", "timestamp": "2026-01-15T12:00:00.000Z", "batchId": 42,
  "batchDuration": 183, "numInputRows": 310,
  "durationMs": {
    "addBatch": 121, "commitOffsets": 18, "getBatch": 0, "latestOffset": 4,
    "queryPlanning": 9, "triggerExecution": 183, "walCommit": 27
  },
  "stateOperators": [],
  "sources": [
    {
      "description": "KafkaV2[Subscribe[transaction_topic]]",
      "startOffset": {"transaction_topic": {"0": 10, "1": 12}},
      "endOffset": {"transaction_topic": {"0": 160, "1": 172}},
      "latestOffset": {"transaction_topic": {"0": 200, "1": 180}},
      "numInputRows": 310,
      "metrics": {
        "avgOffsetsBehindLatest": "24.0", "maxOffsetsBehindLatest": "40",
        "minOffsetsBehindLatest": "8"
      }
    }
  ],
  "sink": {"description": "ForeachBatchSink", "numOutputRows": -1}
}
"""


def report() -> dict[str, Any]:
    found: dict[str, Any] = json.loads(REPORT)
    return found


def test_a_trigger_has_seconds_by_sparks_own_names() -> None:
    assert trigger_of(report()) == Trigger(
        seconds={
            "addBatch": 0.121,
            "commitOffsets": 0.018,
            "getBatch": 0.0,
            "latestOffset": 0.004,
            "queryPlanning": 0.009,
            "triggerExecution": 0.183,
            "walCommit": 0.027,
        },
        lag_messages=40,
    )


def test_lag_is_summed_over_sources() -> None:
    # Of one source Spark's "max" is that of its furthest partition, 40 here and not 40 + 8.
    two = report()
    two["sources"] *= 2
    assert trigger_of(two).lag_messages == 80


@pytest.mark.parametrize("metrics", [None, {}])
def test_a_source_without_metrics_is_no_error(metrics: object) -> None:
    first = report()
    first["sources"][0]["metrics"] = metrics
    assert trigger_of(first).seconds == trigger_of(report()).seconds
