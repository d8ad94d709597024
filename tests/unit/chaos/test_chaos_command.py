from __future__ import annotations

import subprocess
import sys

import pytest

from chaos.__main__ import describe_repeats
from fraudwatch.stack.home import ROOT


def chaos(*options: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "fraudwatch.cli", "chaos", *options]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)


def test_help_shows_an_example() -> None:
    shown = chaos("--help")
    assert shown.returncode == 0
    assert "Example: ./fraudwatch chaos" in shown.stdout


@pytest.mark.parametrize("options", [("--kills", "0"), ("--rate", "0"), ("--rate", "many")])
def test_wrong_options_start_nothing(options: tuple[str, ...]) -> None:
    refused = chaos(*options)
    assert refused.returncode == 2
    assert refused.stdout == ""
    assert "starting a private stack" not in refused.stderr


def test_repeated_messages_are_explained_as_evidence_of_a_replay() -> None:
    assert describe_repeats(17) == "17, so a micro-batch was replayed and its copies were compared"
    assert "no micro-batch was replayed" in describe_repeats(0)
