"""Define the manifest of a day's extract: the source's totals, and how the rows were processed.

It is written last, so that a day without one was never extracted completely.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

MANIFEST_NAME = "_manifest.json"
REJECTED_NAME = "rejected.jsonl"
LARGEST_FILE_LINES = 250_000


def transactions_name(number: int) -> str:
    """Return the name of a day's transaction file; numbers begin at 1."""
    return f"transactions-{number:05d}.jsonl"


@dataclass(frozen=True, slots=True, kw_only=True)
class ExtractManifest:
    """Manifest of a closed day in the lake; totals are of the source's fields, before sealing."""

    day: str  # 2026-11-20
    purchases: int  # as the source counts them, and as many as were read
    amount_minor_by_currency: Mapping[str, int]
    checksum_sha256: str  # over the source's own lines, in its order
    pages: int
    accepted: int  # lines of the transaction files
    rejected: Mapping[str, int]  # rejected purchases by code
    files: tuple[str, ...]  # names in the day's folder
    run_id: str
    began_at_ms: int
    ended_at_ms: int
    code_version: str


@dataclass(frozen=True, slots=True, kw_only=True)
class RejectedPurchase:
    """Purchase that the edge rejected: its position and the reason, never its values."""

    origin: str  # extract:2026-11-20:17, lines count from 1
    code: str
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class DayTotals:
    """Totals of a day as the source reports them."""

    purchases: int
    amount_minor_by_currency: Mapping[str, int]
    checksum_sha256: str


@dataclass(frozen=True, slots=True, kw_only=True)
class SourcePage:
    """One page of a day from its source; ``lines`` are its purchases in canonical JSON.

    That is JSON with sorted keys, no spaces and ASCII escapes: the input of the checksum.
    """

    page: int
    pages: int
    page_size: int
    totals: DayTotals
    amount_minor_by_currency: Mapping[str, int]  # of this page
    lines: tuple[bytes, ...]
