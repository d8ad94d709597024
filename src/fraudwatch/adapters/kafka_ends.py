"""Where topics end, so that a reader knows when it has read everything there was."""

from __future__ import annotations

from confluent_kafka import Consumer, TopicPartition

from fraudwatch.adapters.kafka_log import client_config
from fraudwatch.settings import KafkaSettings

_TIMEOUT_SECONDS = 30.0


def ends_of(kafka: KafkaSettings, topic: str) -> dict[int, int]:
    """Where every partition of a topic ends now."""
    looking = Consumer(client_config(kafka) | {"group.id": f"{kafka.username}-range"})
    try:
        partitions = looking.list_topics(topic, timeout=_TIMEOUT_SECONDS).topics[topic].partitions
        return {
            one: looking.get_watermark_offsets(
                TopicPartition(topic, one), timeout=_TIMEOUT_SECONDS
            )[1]
            for one in partitions
        }
    finally:
        looking.close()
