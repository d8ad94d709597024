"""Check that the names in the code avoid the words that docs/glossary.md forbids."""

from __future__ import annotations

import ast
import re
import subprocess
from collections.abc import Iterator, Mapping
from functools import cache
from itertools import pairwise
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
GLOSSARY = "docs/glossary.md"
# Fields of messages, tables, reports and third-party interfaces: other programs read these names.
FIXED_NAMES = frozenset(
    {
        "category_seen_ms",
        "country_seen_ms",
        "customer_first_seen_ms",
        "deed",
        "device_seen_ms",
        "merchant_seen_ms",
        "put_aside",
        "rows_seen",
        "seen_at_ms",
    }
)
# The same for names that are fixed in one file only.
FIXED_IN_FILE = frozenset({("src/fraudwatch/domain/evaluation/drift.py", "said")})
# Terms of the trade that contain a forbidden word.
TERMS = re.compile(r"dead_?letters?|first_seen", re.IGNORECASE)
# Plain verbs in the sentence that a test's name is; the glossary forbids their other forms.
PLAIN_VERBS = frozenset({"says", "tells"})
PARTS = re.compile(r"[A-Z]?[a-z]+|[A-Z]+(?![a-z])")


@cache
def replacements() -> Mapping[str, str]:
    """Read the forbidden words and what to write instead from the glossary's first table."""
    section = (ROOT / GLOSSARY).read_text("utf-8").split("## Forbidden as technical terms")[1]
    lines = [line for line in section.split("\n## ")[0].splitlines() if line.startswith("| ")]
    rows = [[cell.strip() for cell in line.strip("|").split("|")] for line in lines[1:]]
    return {word.strip(): instead for words, instead in rows for word in words.split(",")}


def forbidden_word(name: str) -> str | None:
    """Return the forbidden word in a name, or None; plurals count as the word."""
    if name.strip("_") in FIXED_NAMES:
        return None
    parts = [part.lower() for part in PARTS.findall(TERMS.sub("", name))]
    pairs = [" ".join(pair) for pair in pairwise(parts)]
    words = [word for word in [*parts, *pairs] if word not in PLAIN_VERBS]
    forms = (form for word in words for form in (word, word.removesuffix("s")))
    return next((form for form in forms if form in replacements()), None)


def defined_names(tree: ast.AST) -> Iterator[tuple[int, str]]:
    """Yield line and name of everything that the code defines."""
    for node in ast.walk(tree):
        match node:
            case ast.ClassDef(name=name) | ast.FunctionDef(name=name):
                yield node.lineno, name
            case ast.AsyncFunctionDef(name=name) | ast.ExceptHandler(name=str(name)):
                yield node.lineno, name
            case ast.arg(arg=name) | ast.alias(asname=str(name)) | ast.MatchAs(name=str(name)):
                yield node.lineno, name
            case ast.Name(id=name, ctx=ast.Store()) | ast.Attribute(attr=name, ctx=ast.Store()):
                yield node.lineno, name


def violations(name: str, text: str) -> Iterator[str]:
    """List forbidden names of a file: in its path once, in its code at their first line."""
    names = [(1, part) for part in Path(name).with_suffix("").parts]
    names += sorted(defined_names(ast.parse(text)))
    first_lines = {defined: line for line, defined in reversed(names)}
    for defined, line in first_lines.items():
        if (name, defined) not in FIXED_IN_FILE and (word := forbidden_word(defined)):
            yield f"{name}:{line} {defined}: '{word}' -> {replacements()[word]}"


def test_no_name_has_a_forbidden_word() -> None:
    assert {"told", "put aside", "whoever", "letter"} <= replacements().keys()
    listed = subprocess.run(
        ["git", "ls-files", "*.py"], cwd=ROOT, capture_output=True, text=True, check=True
    )
    files = [name for name in listed.stdout.splitlines() if (ROOT / name).exists()]
    assert len(files) > 50
    found = [line for name in files for line in violations(name, (ROOT / name).read_text("utf-8"))]
    if found:
        advice = f"{len(found)} names have a word that {GLOSSARY} forbids; rename them"
        pytest.fail(
            "\n".join([f"{advice} (names on the wire: FIXED_NAMES):", *found]), pytrace=False
        )


@pytest.mark.parametrize(
    ("name", "word"),
    [
        ("told_by", "told"),
        ("_Said", "said"),
        ("put_aside_rows", "put aside"),
        ("LetterDoor", "letter"),
        ("MAILBOX_DOORS", "door"),
        ("HTTPBox", "box"),
        ("dead_letters", None),
        ("DeadLetterTopic", None),
        ("DEAD_LETTER_BOX", "box"),
        ("untold", None),
        ("test_an_empty_queue_says_so", None),
        ("device_seen_ms", None),
        ("put_aside", None),
        ("handbook", None),
        ("newsletter", None),
    ],
)
def test_names_are_compared_word_by_word(name: str, word: str | None) -> None:
    assert forbidden_word(name) == word


def test_a_violation_names_its_place_and_the_replacement() -> None:
    code = "def read(door):\n    told = 1\n    told = door\n    return told\n"
    first, second, third = sorted(violations("batch/desk_rows.py", code))
    assert first.startswith("batch/desk_rows.py:1 desk_rows: 'desk'")
    assert second.startswith("batch/desk_rows.py:1 door: 'door' -> *channel*")
    assert third.startswith("batch/desk_rows.py:2 told: 'told' -> *emit*")
