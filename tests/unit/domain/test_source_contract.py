from __future__ import annotations

from pathlib import Path

import pytest

from fraudwatch.adapters.artefacts.source_file import BrokenSourceContract, load_source_contracts
from fraudwatch.stack.home import ROOT

GOOD = """
deadline_ms: 500
defaults: [{up_to_eur_cents: 5, outcome: approve}, {outcome: review}]
"""


def test_the_shipped_contracts_are_valid() -> None:
    contracts = load_source_contracts(ROOT / "contracts/sources")
    assert contracts.of("shop") != contracts.of("bank") == contracts.of("default")


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("deadline_ms: 0\ndefaults: [{outcome: review}]", "deadline_ms"),
        ("deadline_ms: 5001\ndefaults: [{outcome: review}]", "deadline_ms"),
        ("deadline_ms: 5\ndefaults: []", "a last one without"),
        ("deadline_ms: 5\ndefaults: [{outcome: review, up_to_eur_cents: 1}]", "a last one without"),
        ("deadline_ms: 5\ndefaults: [{outcome: review}, {outcome: review}]", "an amount each"),
        (GOOD.replace("5,", "-1,"), "ascend"),
        ("deadline_ms: 5\ndefaults: [{outcome: challenge}]", "challenge"),
        ("deadline_ms: soon", "deadline_ms"),
        (":", "cannot be used"),
    ],
)
def test_a_broken_contract_is_refused_with_its_file(tmp_path: Path, text: str, reason: str) -> None:
    (tmp_path / "default.yaml").write_text(GOOD)
    (tmp_path / "bank.yaml").write_text(text)
    with pytest.raises(BrokenSourceContract, match=r"bank\.yaml") as refusal:
        load_source_contracts(tmp_path)
    assert reason in str(refusal.value)


def test_without_a_default_contract_nothing_is_loaded(tmp_path: Path) -> None:
    with pytest.raises(BrokenSourceContract, match=r"default\.yaml"):
        load_source_contracts(tmp_path)
