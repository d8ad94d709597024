"""Record beside the detector's checkpoint which topic it is of, by Kafka's topic id."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from fraudwatch.adapters.durable_file import replace_file

FILE: Final = "topic_id.json"


class TopicIdDamaged(RuntimeError):
    """The record cannot be read, so which topic the checkpoint is of is unknown."""


@dataclass(frozen=True, slots=True)
class TopicIdFile:
    """Record of one topic in the detector's folder."""

    state_folder: Path

    @property
    def path(self) -> Path:
        """Path of the record."""
        return self.state_folder / FILE

    def read(self) -> str | None:
        """Read the id; None where none is recorded yet.

        Raises:
            TopicIdDamaged: it cannot be read.
        """
        try:
            return str(json.loads(self.path.read_text(encoding="utf-8"))["topic_id"])
        except FileNotFoundError:
            return None
        except (ValueError, KeyError, TypeError) as error:
            raise TopicIdDamaged(
                f"{self.path} is damaged, so which topic the checkpoint is of is unknown and the "
                "detector does not start; remove it if the topic is the same as before, else see "
                "docs/runbooks/topic_changed.md"
            ) from error

    def write(self, topic_id: str) -> None:
        """Record the id, durably, before the first micro-batch."""
        replace_file(self.path, json.dumps({"topic_id": topic_id}).encode())
