"""Find data of earlier runs of ingest: beside them a missing key is lost, not yet to be made."""

from __future__ import annotations

import json
import logging
import sys
from pathlib import Path

from fraudwatch.adapters.edge.lost_keys import KeysLost, refuse_lost_keys
from fraudwatch.adapters.kafka_log.ends import ends_of
from fraudwatch.settings import IngestSettings, KafkaSettings
from fraudwatch.topics import TRANSACTION_TOPIC

log = logging.getLogger("ingest")


def exit_if_keys_are_lost(settings: IngestSettings, kafka: KafkaSettings) -> None:
    """Check the keys against the cursors of feeds, and against the log: also of removed messages.

    The process ends with the reason if a key is missing and purchases were ingested with it.
    """
    try:
        refuse_lost_keys(
            settings.keys_folder,
            lambda: cursor_left(settings.state_folder),
            lambda: messages_left(kafka),
        )
    except KeysLost as error:
        log.error("%s", error)  # noqa: TRY400  the sentence is enough; a traceback would bury it
        sys.exit(1)


def cursor_left(state_folder: Path) -> str | None:
    """Return the cursor of a feed, which is written after its first messages."""
    for path in sorted(state_folder.glob("*cursor.json")):
        if json.loads(path.read_text()).get("cursor"):
            return f"{path} shows that a feed was ingested with it"
    return None


def messages_left(kafka: KafkaSettings) -> str | None:
    """Return how many transactions the log has taken; retention does not lower its end offsets."""
    messages = sum(ends_of(kafka, TRANSACTION_TOPIC).values())
    return f"{TRANSACTION_TOPIC} has taken {messages:,} transactions" if messages else None
