"""Detect weak secrets: short ones, and publicly known ones."""

from __future__ import annotations

from typing import Final

# For a secret that is generated and stored by a machine.
MINIMUM_SECRET_LENGTH: Final = 16
# Defaults and examples that tools and tutorials ship: publicly known.
KNOWN_SECRETS: Final = frozenset(
    {"admin", "cassandra", "default", "fraudwatch", "guest", "password", "postgres", "secret"}
)
PLACEHOLDERS: Final = ("changeme", "change-me", "example", "your-", "placeholder")
FEWEST_DISTINCT_CHARACTERS: Final = 5


def weakness_of(secret: str, *, shortest: int = MINIMUM_SECRET_LENGTH) -> str | None:
    """Return why this secret is too weak, or None; the secret itself is never quoted."""
    plain = secret.strip().lower()
    if not plain:
        return "is empty"
    if plain in KNOWN_SECRETS or any(plain == known * 2 for known in KNOWN_SECRETS):
        return "is a known default"
    if len(set(plain)) < FEWEST_DISTINCT_CHARACTERS or any(w in plain for w in PLACEHOLDERS):
        return "looks like an example"
    if len(plain) < shortest:
        return f"is shorter than {shortest} characters"
    return None
