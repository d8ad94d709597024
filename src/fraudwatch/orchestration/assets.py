"""The assets by which one DAG starts another."""

from __future__ import annotations

from airflow.sdk import Asset, AssetWatcher

from fraudwatch.orchestration.control_topic import CONNECTION_ID, DayClosedTrigger
from fraudwatch.topics import CONTROL_TOPIC

# The trigger's consumer lives in the triggerer; one message on the topic starts the consumers.
DAY_CLOSED = Asset(
    name="day_closed",
    watchers=[
        AssetWatcher(
            name="control_topic",
            trigger=DayClosedTrigger(topics=[CONTROL_TOPIC], kafka_config_id=CONNECTION_ID),
        )
    ],
)

CORE_TRANSACTIONS = Asset(name="core_transactions")

# Somebody saw that the model no longer fits: an event asks for a new one.
MODEL_WANTED = Asset(name="model_wanted")
