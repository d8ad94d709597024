"""Declare the assets by which one DAG starts another."""

from __future__ import annotations

from airflow.sdk import Asset, AssetWatcher

from fraudwatch.orchestration.control_topic import CONNECTION_ID, DayClosedTrigger
from fraudwatch.topics import CONTROL_TOPIC

# The trigger consumes the topic in the triggerer; each closed day starts the scheduled DAGs.
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

# Drift was found: an event requests a new model.
MODEL_WANTED = Asset(name="model_wanted")
