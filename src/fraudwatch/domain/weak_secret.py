"""Which secrets may not be used: short ones, and those that everybody knows."""

from __future__ import annotations

from typing import Final

# Of a secret that a machine makes and keeps.
MINIMUM_SECRET_LENGTH: Final = 16
# Defaults and examples that tools and tutorials ship: knowing them is knowing nothing.
KNOWN_SECRETS: Final = frozenset(
    {"admin", "cassandra", "default", "fraudwatch", "guest", "password", "postgres", "secret"}
)
PLACEHOLDERS: Final = ("changeme", "change-me", "example", "your-", "placeholder")
FEWEST_DISTINCT_CHARACTERS: Final = 5


def weakness_of(secret: str, *, shortest: int = MINIMUM_SECRET_LENGTH) -> str | None:
    """Why this secret may not be used, or None; the secret itself is never quoted."""
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
