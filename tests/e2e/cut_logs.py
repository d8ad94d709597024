"""Cut the ends of topics and of Spark's checkpoint, as a power cut does to what was not flushed."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

# Kafka builds these again from the segment.
_DERIVED = (".index", ".timeindex", ".snapshot")


@dataclass(frozen=True, slots=True)
class TopicOnDisk:
    """The segments of one topic with their sizes at one moment: what reached the disk by then."""

    kafka_folder: Path
    topic: str
    bytes_by_segment: dict[Path, int]

    @classmethod
    def now(cls, kafka_folder: Path, topic: str) -> TopicOnDisk:
        """Read the sizes."""
        sizes = {path: path.stat().st_size for path in _segments(kafka_folder, topic)}
        assert sizes, f"{topic} has no segment in {kafka_folder}"
        return cls(kafka_folder, topic, sizes)

    def restore(self) -> int:
        """Remove everything after these sizes, with the broker down; returns the bytes removed."""
        removed = 0
        for path in _segments(self.kafka_folder, self.topic):
            size, before = self.bytes_by_segment.get(path, 0), path.stat().st_size
            removed += before - size
            os.truncate(path, size)
            for suffix in _DERIVED:
                path.with_suffix(suffix).unlink(missing_ok=True)
        return removed


def cut_checkpoint(checkpoint: Path, batches: int) -> None:
    """Remove the newest micro-batches from Spark's checkpoint, with the detector down."""
    for name in ("commits", "offsets"):
        numbers = sorted(
            int(path.name) for path in (checkpoint / name).iterdir() if _is_batch(path)
        )
        assert len(numbers) > batches, f"{checkpoint / name} has only {len(numbers)} batches"
        for number in numbers[-batches:]:
            (checkpoint / name / str(number)).unlink()


def _is_batch(path: Path) -> bool:
    return path.name.isdigit()


def _segments(kafka_folder: Path, topic: str) -> list[Path]:
    return sorted(kafka_folder.rglob(f"{topic}-[0-9]*/*.log"))
