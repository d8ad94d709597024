"""Open this home's dead letter queue: Kafka, the private key, and the list of replayed records."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing, contextmanager
from typing import TYPE_CHECKING

from fraudwatch.application.dead_letters.dlq import DlqUnavailable
from fraudwatch.stack import catalogue as catalogues
from fraudwatch.stack import env_file
from fraudwatch.stack.home import Home, StackError

if TYPE_CHECKING:
    from fraudwatch.adapters.edge.ingest_client import IngestEndpoint
    from fraudwatch.adapters.kafka_log.dlq_reader import KafkaDlqReader
    from fraudwatch.adapters.kafka_log.replayed_file import ReplayedFile
    from fraudwatch.settings import KafkaSettings


@contextmanager
def open_dlq() -> Iterator[tuple[KafkaDlqReader, ReplayedFile]]:
    """Open the DLQ reader and the list of replayed records.

    Raises:
        StackError: Kafka cannot be read, or this home was never started.
    """
    from fraudwatch.adapters.edge.keysets import PRIVATE_DEAD_LETTER_KEY
    from fraudwatch.adapters.kafka_log.dlq_reader import KafkaDlqReader
    from fraudwatch.adapters.kafka_log.replayed_file import ReplayedFile

    home = Home.from_environment()
    kafka, _ = endpoints(home)
    key = home.folder / "keys" / PRIVATE_DEAD_LETTER_KEY
    try:
        with closing(KafkaDlqReader(kafka, key)) as reader:
            yield reader, ReplayedFile(home.folder / "dead_letters" / "replayed.jsonl")
    except DlqUnavailable as error:
        raise StackError(str(error)) from error


def endpoints(home: Home) -> tuple[KafkaSettings, IngestEndpoint]:
    """Return the addresses of Kafka and ingest, with their secrets from .env."""
    from pydantic import SecretStr

    from fraudwatch.adapters.edge.ingest_client import IngestEndpoint
    from fraudwatch.settings import KafkaSettings

    values, catalogue = env_file.read(home) or {}, catalogues.load()
    password, api_key = values.get("KAFKA_ADMIN_PASSWORD"), values.get("INGEST_API_KEY")
    if not password or not api_key:
        raise StackError(
            f"{home.env_file} has no login for Kafka and ingest, so no dead letter can be read; "
            "start the platform first with ./fraudwatch up"
        )
    offset = env_file.port_offset(values)
    kafka = KafkaSettings(
        bootstrap_servers=f"127.0.0.1:{catalogue.port('kafka', 'broker', offset)}",
        username="admin",
        password=SecretStr(password),
    )
    url = f"http://127.0.0.1:{catalogue.port('ingest', 'http', offset)}"
    return kafka, IngestEndpoint(url, api_key)
