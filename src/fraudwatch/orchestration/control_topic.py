"""Watches ``control_topic`` in Airflow's triggerer: a day that is closed starts its DAG.

The connection ``control_topic`` comes from ``AIRFLOW_CONN_CONTROL_TOPIC``; the offset is committed
only after the event is kept, so auto-commit has to be off:

    {"conn_type": "kafka", "extra": {"bootstrap.servers": "127.0.0.1:9092",
     "security.protocol": "SASL_PLAINTEXT", "sasl.mechanism": "SCRAM-SHA-512",
     "sasl.username": "airflow", "sasl.password": "...", "group.id": "airflow",
     "enable.auto.commit": "false", "auto.offset.reset": "earliest"}}

The topic has to exist first: without it the trigger fails again and again.
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
    """The day that a control message says is closed; None of anything else, however odd."""
    try:
        said = json.loads(value or "")
        if (said["schema"], said["kind"]) != (CONTROL_SCHEMA, ControlKind.DAY_CLOSED):
            return None
        day = date.fromisoformat(said["day"])
    except (KeyError, RecursionError, TypeError, ValueError):
        return None
    return day.isoformat()


class DayClosedTrigger(KafkaSharedStreamTrigger):
    """One event for each closed day; what is no such message is put aside and never fatal."""

    def serialize(self) -> tuple[str, dict[str, Any]]:
        """Name this class, by which the triggerer finds it again."""
        _, arguments = super().serialize()
        return f"{DayClosedTrigger.__module__}.{DayClosedTrigger.__qualname__}", arguments

    async def filter_shared_stream(
        self, shared_stream: AsyncIterator[Any]
    ) -> AsyncIterator[TriggerEvent]:
        """Yield the day of each message that names one."""
        async for value in shared_stream:
            day = closed_day(value)
            if day is None:
                # Its bytes are not quoted: nobody knows what they hold.
                log.warning("passed over a message of control_topic that names no closed day")
                reject_shared_stream_event()
            else:
                yield TriggerEvent({"day": day})
