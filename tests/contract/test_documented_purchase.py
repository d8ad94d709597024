"""The curl example of the documentation, run by sh as it is copied: ingest accepts it, now."""

from __future__ import annotations

import json
import re
import subprocess
import time
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
from fastapi.testclient import TestClient
from jsonschema import Draft202012Validator

from fraudwatch.adapters.api_keys.key_file import ApiKeyFile
from fraudwatch.adapters.artefacts.source_file import load_source_contracts
from fraudwatch.adapters.codecs.json_codec import encode
from fraudwatch.adapters.edge.tink_vault import TinkVault
from fraudwatch.adapters.http.key_check import KeyCheck
from fraudwatch.adapters.memory.verdict_store import (
    MemoryDeadLetters,
    MemoryTopic,
    MemoryVerdicts,
    MemoryVerdictStore,
)
from fraudwatch.application.api_keys import register_env_key
from fraudwatch.application.intake.admit import Edge
from fraudwatch.application.intake.intake import Intake
from fraudwatch.application.intake.message_builders import label_builder, purchase_builder
from fraudwatch.application.intake.pending_verdicts import PendingVerdictRegistry
from fraudwatch.domain.money import RateTable
from fraudwatch.stack import catalogue
from streaming.ingest.api import IngestServices, create_app
from streaming.ingest.channel import LABEL_METRICS, PURCHASE_METRICS, IngestChannel
from streaming.ingest.sync_scoring import VerdictWaiter
from tests.sandboxes import a_sandbox

ROOT = Path(__file__).parents[2]
KEY = "a-key-of-the-test"
BLOCK = re.compile(r"^```[a-z]*\n(.*?)^```$", re.MULTILINE | re.DOTALL)
# Writes what curl was called with, each argument ended by NUL.
CURL = '#!/bin/sh\nprintf \'%s\\0\' "$@" > "$SENT"\n'


def _examples() -> list[Any]:
    """Each block of the documentation that posts a purchase."""
    return [
        pytest.param(block, id=f"{page.relative_to(ROOT)}:{number}")
        for page in [ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md"))]
        for number, block in enumerate(BLOCK.findall(page.read_text(encoding="utf-8")))
        if "curl" in block and "/v1/transactions" in block
    ]


EXAMPLES = _examples()


@dataclass(frozen=True)
class Request:
    """What curl would have sent."""

    url: str
    headers: dict[str, str]
    body: str


def run(example: str, folder: Path) -> Request:
    """Run the block in a checkout that holds only a .env, with a curl that sends nothing."""
    (folder / ".env").write_text(f"SHOP_API_KEY=other\nINGEST_API_KEY={KEY}\n", encoding="utf-8")
    (folder / "curl").write_text(CURL, encoding="utf-8")
    (folder / "curl").chmod(0o755)
    sent = folder / "sent"
    environment = {"PATH": f"{folder}:/usr/bin:/bin", "SENT": str(sent)}
    subprocess.run(["sh", "-eu", "-c", example], cwd=folder, env=environment, check=True)
    arguments = sent.read_text(encoding="utf-8").split("\0")[:-1]
    options = dict(pairwise(arguments))
    name, _, value = options["-H"].partition(": ")
    [url] = [one for one in arguments if one.startswith("http://")]
    assert options["-X"] == "POST"
    return Request(url, {name: value}, options["-d"])


@pytest.fixture
def ingest(tmp_path: Path) -> TestClient:
    """Ingest by the real clock, over topics in memory."""
    edge, dead_letters, verdicts = (
        Edge(TinkVault(tmp_path / "keys"), RateTable([])),
        MemoryDeadLetters(),
        MemoryVerdicts(PendingVerdictRegistry()),
    )

    def now_ms() -> int:
        return time.time_ns() // 1_000_000

    served = IngestServices(
        IngestChannel(
            Intake(purchase_builder(edge, encode), MemoryTopic(), dead_letters, now_ms),
            PURCHASE_METRICS,
        ),
        IngestChannel(
            Intake(label_builder(encode), MemoryTopic(), dead_letters, now_ms), LABEL_METRICS
        ),
        VerdictWaiter(verdicts._pending, verdicts, MemoryVerdictStore()),
        load_source_contracts(ROOT / "contracts/sources"),
        *a_sandbox(edge.vault),
    )
    keys = ApiKeyFile(tmp_path / "api_keys" / "keys.json")
    register_env_key(keys, KEY, now_ms())
    return TestClient(create_app(served, KeyCheck(keys)))


def test_the_documentation_has_an_example() -> None:
    assert EXAMPLES


@pytest.mark.parametrize("example", EXAMPLES)
def test_the_example_is_a_purchase_of_this_moment(example: str, tmp_path: Path) -> None:
    before = int(time.time()) * 1000
    purchase = json.loads(run(example, tmp_path).body)
    assert before <= purchase["event_at_ms"] <= time.time() * 1000
    schema = json.loads((ROOT / "contracts/schemas/purchase.v1.json").read_text(encoding="utf-8"))
    Draft202012Validator(schema).validate(purchase)


@pytest.mark.parametrize("example", EXAMPLES)
def test_ingest_accepts_the_example_as_often_as_it_is_pasted(
    example: str, tmp_path: Path, ingest: TestClient
) -> None:
    port = catalogue.load().port("ingest", "http", 0)
    for _ in range(2):
        request = run(example, tmp_path)
        assert urlsplit(request.url).netloc == f"127.0.0.1:{port}"
        path = urlsplit(request.url).path
        answer = ingest.post(path, content=request.body, headers=request.headers)
        assert (answer.status_code, answer.json()) == (202, {"accepted": 1, "repeated": 0})
