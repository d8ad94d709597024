"""Templates: text with column names in braces, each with fallbacks: ``"{phone|mobile|'none'}"``."""

from __future__ import annotations

import re

ROW_NUMBER, ROW_HASH, FILE_HASH, JOIN_PREFIX = "row_number", "row_hash", "file_hash", "join."
OWN_NAMES = (ROW_NUMBER, ROW_HASH, FILE_HASH)
_PLACEHOLDER = re.compile(r"\{([^{}]+)\}")


def pieces(template: str) -> list[tuple[str, bool]]:
    """Split a template into parts in order: (text, whether it is a placeholder)."""
    found = [(part, bool(i % 2)) for i, part in enumerate(_PLACEHOLDER.split(template))]
    return [(part, is_column) for part, is_column in found if part]


def alternatives(placeholder: str) -> list[tuple[str, bool]]:
    """Split a placeholder into what it may stand for, in order: (text, whether it is a column)."""
    return [
        (one[1:-1], False) if len(one) > 1 and one[0] == one[-1] == "'" else (one, True)
        for one in placeholder.split("|")
    ]


def placeholders(template: str) -> list[str]:
    """Return the column names in a template, in order."""
    return [
        name
        for placeholder in _PLACEHOLDER.findall(template)
        for name, is_column in alternatives(placeholder)
        if is_column
    ]


def has_stray_brace(template: str) -> bool:
    """Return whether a brace lacks its partner, or a pair of braces its name."""
    return bool(re.search(r"[{}]", _PLACEHOLDER.sub("", template))) or "" in placeholders(template)
