from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft202012Validator

from fraudwatch.adapters.codecs.json_codec import decode
from fraudwatch.contract_schemas import MESSAGES, schema_text
from fraudwatch.domain.messages.dead_letter import Refused
from fraudwatch.domain.messages.fields import problems

CONTRACTS = Path(__file__).parents[2] / "contracts"
EXAMPLES = sorted((CONTRACTS / "examples").glob("*/*/*.json"))


def is_accepted(version: str, payload: bytes) -> bool:
    """Does our own code take it?"""
    try:
        message: Any = decode(MESSAGES[version], payload)
    except Refused:
        return False
    return not problems(message)


@pytest.mark.parametrize("version", MESSAGES)
def test_the_schema_file_is_what_the_message_type_says(version: str) -> None:
    written = (CONTRACTS / "schemas" / f"{version}.json").read_text(encoding="utf-8")
    assert written == schema_text(version), "run: python -m fraudwatch.contract_schemas"
    Draft202012Validator.check_schema(json.loads(written))


@pytest.mark.parametrize("path", EXAMPLES, ids=lambda p: "/".join(p.parts[-3:]))
def test_schema_and_code_agree_about_every_example(path: Path) -> None:
    version, kind = path.parts[-3], path.parts[-2]
    schema = json.loads((CONTRACTS / "schemas" / f"{version}.json").read_text(encoding="utf-8"))
    payload = path.read_bytes()
    assert Draft202012Validator(schema).is_valid(json.loads(payload)) is (kind == "valid")
    assert is_accepted(version, payload) is (kind == "valid")


def test_every_message_has_valid_and_invalid_examples() -> None:
    kinds = {path.parts[-3:-1] for path in EXAMPLES}
    assert kinds == {(version, kind) for version in MESSAGES for kind in ("valid", "invalid")}
