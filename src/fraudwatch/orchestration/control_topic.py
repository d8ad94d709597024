"""Watch ``control_topic`` in Airflow's triggerer: a closed day starts its DAG.

The connection ``control_topic`` comes from ``AIRFLOW_CONN_CONTROL_TOPIC``; the offset is committed
only after the event is stored, so auto-commit has to be off:

    {"conn_type": "kafka", "extra": {"bootstrap.servers": "127.0.0.1:9092",
     "security.protocol": "SASL_PLAINTEXT", "sasl.mechanism": "SCRAM-SHA-512",
     "sasl.username": "airflow", "sasl.password": "...", "group.id": "airflow",
     "enable.auto.commit": "false", "auto.offset.reset": "earliest"}}

The topic has to exist first: without it the trigger fails repeatedly.
"""

from __future__ import annotations

import json
import logging
from collections.abc import AsyncIterator
from datetime import date
from typing import Any

from airflow.providers.apache.kafka.triggers.shared_stream import KafkaSharedStreamTrigger
from airflow.triggers.base import TriggerEvent
from airflow.triggers.shared_stream import reject_shared_stream_event

from fraudwatch.domain.messages.control import CONTROL_SCHEMA, ControlKind

log = logging.getLogger(__name__)

CONNECTION_ID = "control_topic"


def closed_day(value: bytes | str | None) -> str | None:
    """Parse the closed day of a control message; None for any other or malformed message."""
    try:
        message = json.loads(value or "")
        if (message["schema"], message["kind"]) != (CONTROL_SCHEMA, ControlKind.DAY_CLOSED):
            return None
        day = date.fromisoformat(message["day"])
    except (KeyError, RecursionError, TypeError, ValueError):
        return None
    return day.isoformat()


class DayClosedTrigger(KafkaSharedStreamTrigger):
    """Fires one event for each closed day; other messages are skipped and never fatal."""

    def serialize(self) -> tuple[str, dict[str, Any]]:
        """Name this class, so that the triggerer can import it."""
        _, arguments = super().serialize()
        return f"{DayClosedTrigger.__module__}.{DayClosedTrigger.__qualname__}", arguments

    async def filter_shared_stream(
        self, shared_stream: AsyncIterator[Any]
    ) -> AsyncIterator[TriggerEvent]:
        """Yield the day of each message that names one."""
        async for value in shared_stream:
            day = closed_day(value)
            if day is None:
                # Its bytes are not logged: they may hold anything.
                log.warning("skipped a message of control_topic that names no closed day")
                reject_shared_stream_event()
            else:
                yield TriggerEvent({"day": day})
