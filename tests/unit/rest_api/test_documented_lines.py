"""The curl lines of docs/api.md are answered as the page says, and send what the document shows."""

from __future__ import annotations

import json
import re
import shlex
from pathlib import Path

import pytest

from fraudwatch.domain.api_keys import Scope
from rest_api.examples import LABEL, SEARCH
from tests.unit.rest_api.conftest import World, key

PAGE = Path(__file__).parents[3] / "docs" / "api.md"
API = "$API"
LINES = [
    line
    for block in re.findall(r"```\n(.*?)```", PAGE.read_text(encoding="utf-8"), re.DOTALL)
    for line in block.splitlines()
    if line.startswith("curl ")
]


def test_the_page_has_lines() -> None:
    assert len(LINES) == 6


@pytest.mark.parametrize("line", [one for one in LINES if "stream" not in one])
def test_a_line_of_the_page_is_answered(world: World, line: str) -> None:
    world.keys.keys["both"] = key("both", Scope.READ, Scope.LABEL)
    words = shlex.split(line)
    path = words[-1].removeprefix(API)
    assert "Authorization: Bearer $KEY" in words
    body = json.loads(words[words.index("--json") + 1]) if "--json" in words else None
    answer = world.client("both").request("POST" if body else "GET", path, json=body)
    assert answer.is_success, answer.text


def test_bodies_are_those_of_the_document() -> None:
    bodies = [json.loads(found) for found in re.findall(r"--json '([^']*)'", "\n".join(LINES))]
    assert bodies == [SEARCH, LABEL]
