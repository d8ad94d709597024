"""Read the query's checkpoint: offsets and time of each micro-batch, and which are committed.

Spark writes ``offsets/N`` before it runs micro-batch N and ``commits/N`` after it. A batch that is
run again after a crash keeps its ``offsets/N``, and with it the same offsets and the same time.
"""

from __future__ import annotations

from pathlib import Path
from typing import Protocol

import msgspec

# Line by line: the format's version, the batch's metadata, then the offsets of the one source.
_FORMAT = b"v1"


class HasStateFolder(Protocol):
    """Names the detector's folder, as its settings do."""

    @property
    def state_folder(self) -> Path:
        """Folder with the checkpoint, snapshots and journals."""


class CheckpointOwner(Protocol):
    """Settings of the detector, or of a reader of its checkpoint."""

    @property
    def state_folder(self) -> Path:
        """Folder of the detector's state."""
        ...


class CheckpointDamaged(RuntimeError):
    """Spark's checkpoint lacks a micro-batch's offsets or time, or has them in an unknown form."""


class _Metadata(msgspec.Struct, rename="camel"):
    batch_timestamp_ms: int


_decode_metadata = msgspec.json.Decoder(_Metadata).decode
_decode_offsets = msgspec.json.Decoder(dict[str, dict[int, int]]).decode


def checkpoint_folder(settings: HasStateFolder) -> Path:
    """Name the folder in which Spark logs each micro-batch's offsets and what is committed."""
    return settings.state_folder / "checkpoint"


def begun_batch(settings: HasStateFolder) -> int | None:
    """Find the batch that an earlier process began and did not commit: Spark runs it again."""
    begun = _newest_batch(settings, "offsets")
    return None if begun == _newest_batch(settings, "commits") else begun


def batch_time_ms(settings: HasStateFolder, batch_id: int) -> int:
    """Read the micro-batch's time, in epoch ms: the same whenever the batch runs again.

    Raises:
        CheckpointDamaged: the log does not have it. The wall clock is no substitute: the batch's
            verdicts would be other bytes when it runs again.
    """
    path = _offset_log(settings, batch_id)
    try:
        metadata, _ = _logged_lines(path)
        time_ms = _decode_metadata(metadata).batch_timestamp_ms
        if time_ms <= 0:
            raise ValueError(f"batchTimestampMs is {time_ms}")  # noqa: TRY301  one message for all
    except (OSError, ValueError, msgspec.DecodeError) as error:
        raise _damaged(path, f"batch {batch_id} is to run, but its time cannot be read") from error
    return time_ms


def committed_ends(settings: HasStateFolder, topic: str) -> dict[int, int]:
    """Read each partition's end offset in the last batch that Spark has committed; {} if none.

    Raises:
        CheckpointDamaged: a batch is committed whose offsets are not logged.
    """
    done = _newest_batch(settings, "commits")
    if done is None:
        return {}
    path = _offset_log(settings, done)
    try:
        _, offsets = _logged_lines(path)
        return _decode_offsets(offsets)[topic]
    except (OSError, ValueError, KeyError, msgspec.DecodeError) as error:
        raise _damaged(
            path, f"batch {done} is committed, but its offsets cannot be read"
        ) from error


def initial_offsets(settings: HasStateFolder, topic: str) -> dict[int, int] | None:
    """Read the offset at which the query first began each partition; None if it never began.

    Raises:
        CheckpointDamaged: the file cannot be read.
    """
    path = checkpoint_folder(settings) / "sources" / "0" / "0"
    try:
        # A zero byte precedes the version.
        version, offsets = path.read_bytes().lstrip(b"\0").splitlines()
        if version != _FORMAT:
            raise ValueError(f"format {version!r} where {_FORMAT!r} is expected")  # noqa: TRY301  one message for all
        return _decode_offsets(offsets)[topic]
    except FileNotFoundError:
        return None
    except (OSError, ValueError, KeyError, msgspec.DecodeError) as error:
        raise _damaged(path, "a query has begun, but its first offsets cannot be read") from error


def _offset_log(settings: HasStateFolder, batch_id: int) -> Path:
    return checkpoint_folder(settings) / "offsets" / str(batch_id)


def _logged_lines(path: Path) -> tuple[bytes, bytes]:
    """Read the metadata and the offsets of one micro-batch, each still as JSON."""
    version, metadata, offsets = path.read_bytes().splitlines()
    if version != _FORMAT:
        raise ValueError(f"format {version!r} where {_FORMAT!r} is expected")
    return metadata, offsets


def _newest_batch(settings: HasStateFolder, kind: str) -> int | None:
    names = [entry.name for entry in (checkpoint_folder(settings) / kind).glob("*")]
    return max((int(name) for name in names if name.isdecimal()), default=None)


def _damaged(path: Path, effect: str) -> CheckpointDamaged:
    return CheckpointDamaged(
        f"the checkpoint is damaged: {effect} from {path}; restore the folder from a copy, or "
        "remove it together with fraud_topic's verdicts to judge everything again"
    )
