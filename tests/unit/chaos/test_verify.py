from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from zlib import crc32

import pytest
from pydantic import SecretStr

from chaos import verify
from chaos.feature_comparison import ServedFeatures
from chaos.findings import VerdictCopies
from chaos.ledger import AcknowledgementLedger
from chaos.rows_file import write_rows
from chaos.topics_read import WHOLE, Part
from fraudwatch.domain.features.catalogue import FEATURES
from fraudwatch.domain.features.feature_vector import VECTOR_FEATURES
from fraudwatch.domain.features.fold import features_version
from fraudwatch.settings import KafkaSettings

FOLDED = bytes(8 * len(FEATURES))
SERVED = FOLDED + bytes(8 * (len(VECTOR_FEATURES) - len(FEATURES)))
KAFKA = KafkaSettings(
    bootstrap_servers="none:1", username="admin", password=SecretStr("s3cr3t-Of-The-Test-91f0")
)
NAMES = [f"s:{number}" for number in range(40)]


@dataclass(frozen=True)
class FakeTopics:
    """Topics in which each purchase is its own customer."""

    kafka: KafkaSettings
    source: str | None
    part: Part = WHOLE

    def is_ours(self, name: str) -> bool:
        return name.startswith("s:")

    def dead_letter_stages(self) -> dict[str, str]:
        return {}

    def verdicts(self, dead_lettered: set[str], origins: set[str]) -> dict[str, VerdictCopies]:
        assert not dead_lettered | origins
        # Of a named view, whose features are not compared with the fold.
        return {name: VerdictCopies({"v"}, {b"same"}, 1, {"view"}) for name in self._of_part(NAMES)}

    def served(self) -> dict[str, list[ServedFeatures]]:
        return {
            name: [ServedFeatures(features_version(), SERVED)] for name in self._of_part(NAMES[1:])
        }

    def folded(
        self, logged: set[str], dead_lettered: set[str], origins: set[str]
    ) -> dict[str, list[bytes]]:
        assert not dead_lettered | origins
        logged.update(self._of_part(NAMES))
        return {name: [FOLDED] for name in self._of_part(NAMES)}

    def _of_part(self, names: Iterable[str]) -> list[str]:
        part = self.part
        return [one for one in names if crc32(one.encode()) % part.parts == part.number]


@pytest.mark.parametrize("purchases_of_a_part", [1_000, 7, 1])
def test_the_counts_are_the_same_by_parts(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, purchases_of_a_part: int
) -> None:
    monkeypatch.setattr(verify, "Topics", FakeTopics)
    monkeypatch.setattr(verify, "PURCHASES_OF_A_PART", purchases_of_a_part)
    ledger = AcknowledgementLedger(tmp_path / "ledger")
    ledger.record([*NAMES, "s:never-logged", "other:1"], 0)
    rows = tmp_path / "rows"
    write_rows(rows, [(name, "v") for name in [*NAMES[2:], "s:of-nothing", "other:1"]])

    found = verify.verify(KAFKA, ledger.path, rows, "s")

    assert (found.accepted, found.verdicts, found.conflicting) == (41, 39, 0)
    assert found.lost == 3
    assert set(found.examples["lost"]) == {
        "acknowledged but not logged: s:never-logged",
        "scored but not stored: s:0",
        "scored but not stored: s:1",
    }
    assert (found.duplicates, found.examples["duplicates"]) == (1, ["s:of-nothing"])
    assert found.mismatched_features == 1
    assert found.examples["mismatched_features"] == ["not published: s:0"]
    assert found.features_compared == 39
