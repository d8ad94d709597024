"""Format times and tokens for the texts of notifications."""

from __future__ import annotations

from typing import Final

from fraudwatch.domain.instants import clock_of, day_of

# Enough to recognise a customer in two messages, too little to look one up.
_TOKEN_CHARACTERS: Final = 6


def moment_text(at_ms: int) -> str:
    """Format a time: ``2026-01-15 12:00 UTC``."""
    return f"{day_of(at_ms)} {clock_of(at_ms)[:5]} UTC"


def short_token(token: str) -> str:
    """Shorten a token, without the id of its key."""
    return token.rpartition("_")[2][:_TOKEN_CHARACTERS] + "…"
