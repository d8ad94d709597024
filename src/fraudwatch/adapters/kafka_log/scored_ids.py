"""Read the ids of scored transactions from the verdicts, by offset and without a group."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from confluent_kafka import KafkaException, Message

from fraudwatch.adapters.codecs.json_codec import decode
from fraudwatch.adapters.kafka_log.ends import ends_of, starts_of
from fraudwatch.adapters.kafka_log.log import RetentionOvertook, read_range
from fraudwatch.application.intake.known_ids import LogPositions, ScoredId
from fraudwatch.domain.messages.dead_letter import Refused
from fraudwatch.settings import KafkaSettings
from fraudwatch.topics import FRAUD_TOPIC, TRANSACTION_TOPIC


@dataclass(frozen=True, slots=True)
class _Placed:
    """Fields of a verdict that name its transaction."""

    transaction_id: str
    source_partition: int
    source_offset: int


class KafkaScoredLog:
    """``ScoredLog`` on Kafka."""

    def __init__(self, settings: KafkaSettings) -> None:
        self._settings = settings

    def positions(self) -> LogPositions:
        try:
            return LogPositions(
                ends_of(self._settings, TRANSACTION_TOPIC), ends_of(self._settings, FRAUD_TOPIC)
            )
        except KafkaException as error:
            raise ConnectionError(f"Kafka: {error}") from error

    def read(
        self,
        starts: Mapping[int, int],
        ends: Mapping[int, int],
        handle: Callable[[Sequence[ScoredId]], None],
    ) -> None:
        try:
            lows = starts_of(self._settings, FRAUD_TOPIC)
            # Offsets beyond the end are of a topic that was made anew: it is read whole.
            wanted = {
                number: max(low, start) if (start := starts.get(number, 0)) <= ends[number] else low
                for number, low in lows.items()
                if number in ends
            }
            for messages in read_range(self._settings, FRAUD_TOPIC, ends, starts=wanted):
                handle([one for message in messages if (one := _scored(message)) is not None])
        except (KafkaException, TimeoutError, RetentionOvertook) as error:
            raise ConnectionError(f"{FRAUD_TOPIC} cannot be read: {error}") from error


def _scored(message: Message) -> ScoredId | None:
    try:
        placed = decode(_Placed, message.value() or b"")
    except Refused:
        return None  # the persister dead-letters it
    return ScoredId(placed.transaction_id, placed.source_partition, placed.source_offset)
