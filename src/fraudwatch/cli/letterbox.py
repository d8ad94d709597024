"""Where this home's dead letters are: its Kafka and ingest, its key, its list of the replayed."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing, contextmanager
from typing import TYPE_CHECKING

from fraudwatch.application.dead_letters.dlq import DlqUnavailable
from fraudwatch.stack import catalogue as catalogues
from fraudwatch.stack import env_file
from fraudwatch.stack.place import Place, Unusable

if TYPE_CHECKING:
    from fraudwatch.adapters.edge.ingest_client import IngestEndpoint
    from fraudwatch.adapters.kafka_log.dlq_reader import KafkaDlqReader
    from fraudwatch.adapters.kafka_log.replayed_file import ReplayedFile
    from fraudwatch.settings import KafkaSettings


@contextmanager
def opened() -> Iterator[tuple[KafkaDlqReader, ReplayedFile]]:
    """The letters and what is known of their replay.

    Raises:
        Unusable: Kafka cannot be read, or this home was never started.
    """
    from fraudwatch.adapters.edge.keysets import PRIVATE_DEAD_LETTER_KEY
    from fraudwatch.adapters.kafka_log.dlq_reader import KafkaDlqReader
    from fraudwatch.adapters.kafka_log.replayed_file import ReplayedFile

    place = Place.from_environment()
    kafka, _ = endpoints(place)
    key = place.home / "keys" / PRIVATE_DEAD_LETTER_KEY
    try:
        with closing(KafkaDlqReader(kafka, key)) as box:
            yield box, ReplayedFile(place.home / "dead_letters" / "replayed.jsonl")
    except DlqUnavailable as why:
        raise Unusable(str(why)) from why


def endpoints(place: Place) -> tuple[KafkaSettings, IngestEndpoint]:
    """Where Kafka and ingest are, with the keys that .env holds."""
    from pydantic import SecretStr

    from fraudwatch.adapters.edge.ingest_client import IngestEndpoint
    from fraudwatch.settings import KafkaSettings

    values, catalogue = env_file.read(place) or {}, catalogues.load()
    password, api_key = values.get("KAFKA_ADMIN_PASSWORD"), values.get("INGEST_API_KEY")
    if not password or not api_key:
        raise Unusable(
            f"{place.env_file} holds no login for Kafka and ingest, so there are no letters to "
            "read; start the platform first with ./fraudwatch up"
        )
    offset = env_file.port_offset(values)
    kafka = KafkaSettings(
        bootstrap_servers=f"127.0.0.1:{catalogue.port('kafka', 'broker', offset)}",
        username="admin",
        password=SecretStr(password),
    )
    url = f"http://127.0.0.1:{catalogue.port('ingest', 'http', offset)}"
    return kafka, IngestEndpoint(url, api_key)
