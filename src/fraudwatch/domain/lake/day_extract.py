"""The manifest of a day's extract: what the source said of the day, and what was made of it.

It is written last, so that a day without one was never extracted whole.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

MANIFEST_NAME = "_manifest.json"
REJECTED_NAME = "rejected.jsonl"
LARGEST_FILE_LINES = 250_000


def transactions_name(number: int) -> str:
    """The name of a day's transaction file, from 1 on."""
    return f"transactions-{number:05d}.jsonl"


@dataclass(frozen=True, slots=True, kw_only=True)
class ExtractManifest:
    """One closed day as it lies in the lake; totals are of the source's fields, before sealing."""

    day: str  # 2026-11-20
    purchases: int  # as the source counts them, and as many as were read
    amount_minor_by_currency: Mapping[str, int]
    checksum_sha256: str  # over the source's own lines, in its order
    pages: int
    accepted: int  # lines of the transaction files
    rejected: Mapping[str, int]  # how many were put aside, by code
    files: tuple[str, ...]  # names in the day's folder
    run_id: str
    began_at_ms: int
    ended_at_ms: int
    code_version: str


@dataclass(frozen=True, slots=True, kw_only=True)
class RejectedPurchase:
    """One purchase that the edge refused: where it stood and why, never what it was."""

    origin: str  # extract:2026-11-20:17, lines from 1 on
    code: str
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class DayTotals:
    """What the source says that a day adds up to."""

    purchases: int
    amount_minor_by_currency: Mapping[str, int]
    checksum_sha256: str


@dataclass(frozen=True, slots=True, kw_only=True)
class SourcePage:
    """One page of a day as its source told it; ``lines`` are its purchases in their one spelling.

    That is JSON with sorted keys, no spaces and ASCII escapes: what the checksum is made over.
    """

    page: int
    pages: int
    page_size: int
    totals: DayTotals
    amount_minor_by_currency: Mapping[str, int]  # of this page
    lines: tuple[bytes, ...]
