"""Schemathesis exercises the running API by its own OpenAPI document, with all of its checks.

Two exceptions. The stream is left out: its response has no end; ``test_rest_api.py`` reads it. And
data that fits the document may be refused for what it means: a cursor of another search, a time in
the future; ``positive_data_acceptance`` would call that an error.
"""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from fraudwatch.domain.api_keys import Scope
from fraudwatch.stack.private_stack import PrivateStack
from tests.e2e.rest_api_keys import make_key

pytestmark = [pytest.mark.engines, pytest.mark.timeout(600)]
EXAMPLES_AN_OPERATION = "20"


def test_every_operation_keeps_its_document(stack: PrivateStack, tmp_path: Path) -> None:
    key = make_key(stack, "schemas", Scope.READ, Scope.LABEL)
    url = f"http://127.0.0.1:{stack.port('rest_api', 'http')}/openapi.json"
    done = subprocess.run(
        [
            *(Path(sys.executable).parent / "schemathesis", "run", url, "--seed", "1"),
            *("--header", f"Authorization: Bearer {key}", "--request-timeout", "30"),
            *("--checks", "all", "--exclude-checks", "positive_data_acceptance"),
            *("--phases", "examples,coverage,fuzzing", "--max-examples", EXAMPLES_AN_OPERATION),
            *("--exclude-path", "/v1/alerts/stream"),
        ],
        cwd=tmp_path,  # it keeps files of a run there
        env=os.environ | {"NO_COLOR": "1"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout[-6_000:] + done.stderr[-2_000:]
    assert "Tested: 7" in done.stdout
