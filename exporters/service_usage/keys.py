"""Date the keys: a keyset's file is written once, when the key is made or rotated."""

from __future__ import annotations

from pathlib import Path

# Derived from its private half again at every start.
_PUBLIC = "_public"
_PRIVATE = "_private"


def keys_made_at(folder: Path) -> dict[str, float]:
    """Return when each key was made, epoch seconds, by its name; no secret is read."""
    return {
        path.stem.removesuffix(_PRIVATE): path.stat().st_mtime
        for path in sorted(folder.glob("*.json"))
        if not path.stem.endswith(_PUBLIC)
    }
