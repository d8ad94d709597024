from __future__ import annotations

import subprocess
import sys

import pytest

from chaos.__main__ import told_of_repeats
from fraudwatch.stack.place import ROOT


def chaos(*options: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "fraudwatch.cli", "chaos", *options]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)


def test_help_shows_an_example() -> None:
    shown = chaos("--help")
    assert shown.returncode == 0
    assert "Example: ./fraudwatch chaos" in shown.stdout


@pytest.mark.parametrize("wrong", [("--kills", "0"), ("--rate", "0"), ("--rate", "many")])
def test_wrong_use_starts_nothing(wrong: tuple[str, ...]) -> None:
    refused = chaos(*wrong)
    assert refused.returncode == 2
    assert refused.stdout == ""
    assert "starting a stack" not in refused.stderr


def test_copies_are_said_to_be_the_evidence_and_their_absence_to_be_none() -> None:
    assert told_of_repeats(17).startswith("17, the evidence that a batch was redone")
    assert "no batch was redone" in told_of_repeats(0)
