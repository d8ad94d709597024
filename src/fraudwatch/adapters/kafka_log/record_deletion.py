"""Delete the beginning of topics (Kafka's DeleteRecords), with the right to delete alone."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from confluent_kafka import KafkaException, TopicPartition
from confluent_kafka.admin import AdminClient

from fraudwatch.adapters.kafka_log.log import client_config
from fraudwatch.adapters.kafka_log.positions import BrokerUnavailable
from fraudwatch.settings import KafkaSettings

_TIMEOUT_SECONDS: Final = 30.0


class RecordDeletion:
    """Deletes messages before an offset, for good."""

    def __init__(self, kafka: KafkaSettings) -> None:
        self._admin = AdminClient({**client_config(kafka), "log_level": "2"})

    def delete_before(self, topic: str, offsets: Mapping[int, int]) -> None:
        """Delete by partition what is before an offset.

        Raises:
            BrokerUnavailable: the broker does not answer, or refuses; some may be deleted.
        """
        wanted = [TopicPartition(topic, number, at) for number, at in offsets.items()]
        answers: Mapping[TopicPartition, Any] = self._admin.delete_records(
            wanted, request_timeout=_TIMEOUT_SECONDS
        )
        try:
            for answer in answers.values():
                answer.result(_TIMEOUT_SECONDS)
        except (KafkaException, TimeoutError) as error:
            raise BrokerUnavailable(
                f"messages of {topic} that all have read could not be deleted ({error}), so the "
                "disk stays full; see whether kafka runs and kafka_setup has run"
            ) from error
