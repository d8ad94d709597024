"""Define watch lists: entries, the normal form of names, and the blocks in which to look for one.

Two names are compared only if they share a block. A block is the first letters of one word and the
first letter of another, so that a misspelt word is still found by the others.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from itertools import permutations
from typing import Final

from fraudwatch.domain.messages.transaction import WatchListCountry

# Matches below it are not recorded: two names that share a word are that similar by chance.
LEAST_SIMILARITY: Final = 0.85
# Of all lists together: ingest has the memory for them.
MOST_NAMES: Final = 50_000
PREFIX_CHARACTERS: Final = 3
# More words of one name add blocks, not chances to find it.
_MOST_WORDS: Final = 6
# Letters that Unicode does not decompose to a letter and an accent.
_UNDECOMPOSED: Final = str.maketrans(
    {"æ": "ae", "œ": "oe", "ø": "o", "ł": "l", "đ": "d", "ð": "d", "þ": "th", "ı": "i"}  # noqa: RUF001  a letter of Turkish
)
_JOINED: Final = str.maketrans(dict.fromkeys("'’ʼ`´", ""))  # noqa: RUF001  each is used in names
_LEGAL_FORMS: Final = frozenset({
    "ag", "aps", "asa", "bv", "bvba", "co", "company", "corp", "corporation", "doo", "fze", "gmbh",
    "inc", "incorporated", "jsc", "kft", "kg", "lda", "limited", "llc", "llp", "lp", "ltd", "ltda",
    "nv", "oao", "ohg", "ojsc", "ooo", "oy", "oyj", "pao", "pjsc", "plc", "pte", "pty", "sa",
    "sarl", "sas", "sl", "spa", "srl", "ug", "zao",
})  # fmt: skip


@dataclass(frozen=True, slots=True)
class WatchListEntry:
    """Person or company on a list: names as published, country codes in capitals."""

    entry_id: str
    names: tuple[str, ...]
    countries: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class NameMatch:
    """The most similar entry of all lists: ``entry`` is ``list@version:id``."""

    entry: str
    similarity: float
    country: WatchListCountry | None = None


def normal_form(name: str) -> str:
    """Return a name's words without case, accents and legal forms, in alphabetical order.

    A name of nothing but legal forms keeps them. Other scripts are kept, not transliterated.
    """
    decomposed = unicodedata.normalize("NFKD", name.casefold().translate(_UNDECOMPOSED))
    plain = "".join(
        one if one.isalnum() else " "
        for one in decomposed.translate(_JOINED)
        if not unicodedata.combining(one)
    )
    words = plain.split()
    return " ".join(sorted(word for word in words if word not in _LEGAL_FORMS) or sorted(words))


def blocks_of(normal: str) -> Iterator[str]:
    """Yield the blocks of a name in its normal form, each once; one word is a block by itself."""
    words = dict.fromkeys(normal.split()[:_MOST_WORDS])
    if len(words) == 1:
        yield normal[:PREFIX_CHARACTERS]
        return
    pairs = permutations(words, 2)
    yield from dict.fromkeys(f"{one[:PREFIX_CHARACTERS]} {other[0]}" for one, other in pairs)


def compared(ours: Collection[str], theirs: Collection[str]) -> WatchListCountry | None:
    """Compare the countries of a purchase's addresses with an entry's; None: either is unknown."""
    if not ours or not theirs:
        return None
    is_shared = not set(theirs).isdisjoint(ours)
    return WatchListCountry.SAME if is_shared else WatchListCountry.OTHER
