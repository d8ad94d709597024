"""Numbers as people write them: grouping, decimal comma, currency signs, trailing minus."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cached_property

_SPACES = " \u00a0\u202f\u2009"  # a grouping space is often one that no line breaks at
_MINUS = "-\u2212\u2013"
SHORTENED = r"^[0-9](?:[.,][0-9]+)?[eE]\+[0-9]{2}$"
"""A long number that a spreadsheet shortened: its last digits are lost."""
SUSPECT = r"^[-+]?[1-9][0-9]{0,2}\.[0-9]{3}$"
"""1.234: a thousand with grouping, or a decimal number with three places."""
ODD_MINUS = f"[{_MINUS}]$|^[{_MINUS[1:]}(]"
"""A minus that is not a hyphen at the start of the number."""


@dataclass(frozen=True)
class NumberFormat:
    """Decimal mark, grouping mark and signs of currencies of a file's numbers."""

    decimal: str = "."
    grouping: str = ""
    signs: tuple[str, ...] = ()

    @property
    def is_plain(self) -> bool:
        """Whether numbers are written as programs write them."""
        return self == NumberFormat()

    @cached_property
    def _number(self) -> re.Pattern[str]:
        group = f"[{re.escape(self._grouping_marks)}]" if self.grouping else r"(?!)"
        return re.compile(
            rf"(?:[0-9]{{1,3}}(?:{group}[0-9]{{2,3}})*{group}[0-9]{{3}}|[0-9]*)"
            rf"(?:{re.escape(self.decimal)}[0-9]*)?(?:[eE][-+]?[0-9]+)?"
        )

    @property
    def _grouping_marks(self) -> str:
        if self.grouping.isspace():
            return _SPACES
        return "'\u2019" if self.grouping == "'" else self.grouping

    def plain(self, text: str) -> str | None:
        """Return the number as programs write it, or None if it is none."""
        rest, is_negative = self._without_signs(text)
        if not self._number.fullmatch(rest):
            return None
        for mark in self._grouping_marks:
            rest = rest.replace(mark, "")
        rest = rest.replace(self.decimal, ".")
        if not any(character.isdigit() for character in rest):
            return None
        return f"-{rest}" if is_negative else rest

    def written(self, plain: str | None) -> str | None:
        """Write a computed number as this file writes its own."""
        return plain if plain is None else plain.replace(".", self.decimal)

    def _without_signs(self, text: str) -> tuple[str, bool]:
        rest, minuses = text.strip(_SPACES), 0
        if rest.startswith("(") and rest.endswith(")"):
            rest, minuses = rest[1:-1], 1
        changed = True
        while changed:
            before = rest
            rest = rest.strip(_SPACES)
            for sign in self.signs:
                rest = rest.removeprefix(sign).removesuffix(sign).strip(_SPACES)
            if rest and rest[0] in _MINUS:
                rest, minuses = rest[1:], minuses + 1
            elif rest and rest[-1] in _MINUS:
                rest, minuses = rest[:-1], minuses + 1
            elif rest and rest[0] == "+":
                rest = rest[1:]
            changed = rest != before
        # Two minus signs are no number: only one can be meant.
        return (rest, bool(minuses)) if minuses < 2 else ("?", False)  # noqa: PLR2004
