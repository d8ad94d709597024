from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path

import pytest

from fraudwatch.adapters.artefacts.canary_file import canary_file
from fraudwatch.adapters.artefacts.versioned_document import VersionedDocument
from fraudwatch.application.promotion.canary_trial import TrialUnavailable


@dataclass(frozen=True)
class Trial:
    version: int
    shares: tuple[float, ...] = ()


class UnusableTrial(Exception):
    pass


@pytest.fixture
def document(tmp_path: Path) -> VersionedDocument[Trial]:
    return VersionedDocument(tmp_path / "trial.json", "trial", Trial, 3, UnusableTrial)


def test_what_was_written_is_read(document: VersionedDocument[Trial]) -> None:
    assert document.read() is None
    document.write(Trial(7, (0.05,)))
    assert document.read() == Trial(7, (0.05,))
    content = {"format": 3, "trial": {"version": 7, "shares": [0.05]}}
    assert json.loads(document.path.read_bytes()) == content


@pytest.mark.parametrize(
    ("content", "cause"),
    [
        ("{", "no JSON object"),
        ("[]", "expected"),
        ("{}", "expected"),
        ('{"format":3}', "expected"),
        ('{"format":3,"trial":{"version":"7"}}', "version expected"),
        ('{"format":3,"trial":{}}', "version is missing"),
        # Another format is named before its content is read, which may be of any shape.
        ('{"format":4,"trial":"new"}', "its format is 4, this code reads 3"),
    ],
)
def test_another_content_is_unreadable(
    document: VersionedDocument[Trial], content: str, cause: str
) -> None:
    document.path.write_text(content)
    with pytest.raises(UnusableTrial, match=cause):
        document.read()


def test_an_unreadable_file_names_path_cause_and_cure(tmp_path: Path) -> None:
    path = tmp_path / "canary.json"
    path.write_text('{"format":99,"trial":{}}')
    with pytest.raises(TrialUnavailable, match=r"canary\.json .*format is 99.*remove the file"):
        canary_file(path).read()
