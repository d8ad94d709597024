"""Input of an evaluation: labelled purchases, and the verdicts of the system of record."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Protocol

import numpy as np
import numpy.typing as npt

from fraudwatch.domain.arrays import Bools, Float64s, Int64s, UInt64s

_KEY_BYTES = 8


def key_bytes(text: str) -> bytes:
    """Hash an id to eight bytes: of two million ids, two collide once in ten million reports."""
    return hashlib.blake2b(text.encode(), digest_size=_KEY_BYTES).digest()


def keys_from(joined: bytes | bytearray) -> UInt64s:
    """Read concatenated keys."""
    return np.frombuffer(bytes(joined), dtype="<u8").astype(np.uint64, copy=False)


def keys_of(texts: Iterable[str]) -> UInt64s:
    """Hash many ids to keys."""
    return keys_from(b"".join(map(key_bytes, texts)))


@dataclass(frozen=True, slots=True, kw_only=True)
class LabelledPurchases:
    """Labelled purchases of one source, one row each, in the order of events."""

    source: str
    transaction: UInt64s
    card: UInt64s
    event_at_ms: Int64s
    eur_cents: Float64s
    """NaN where no exchange rate is known, so that ingest refuses the purchase."""
    is_fraud: Bools
    refused: Mapping[str, int] = field(default_factory=dict)
    """Labelled rows that replay refuses, so that they cannot have a verdict, by reason."""
    refused_frauds: int = 0
    unlabelled: int = 0
    repeated: int = 0
    without_time: int = 0

    def __len__(self) -> int:
        return len(self.transaction)


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdicts:
    """Every row of the system of record that belongs to one source, in no order."""

    transaction: UInt64s
    verdict: UInt64s
    score: Float64s
    outcome: npt.NDArray[np.int8]
    """Position in :class:`fraudwatch.domain.messages.verdict.Outcome`."""
    rules: UInt64s
    """A bit for each of ``rule_names`` that was hit."""
    rule_names: tuple[str, ...]
    scorer: npt.NDArray[np.int16]
    """Position in ``scorers``: mode and policy."""
    scorers: tuple[str, ...]


class VerdictSource(Protocol):
    """Reader of stored verdicts."""

    def of(self, source: str) -> Verdicts:
        """Return all verdicts on purchases of this source.

        Raises:
            StoreUnavailable: not all of them can be read.
        """
