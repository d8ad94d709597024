from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path

import pytest

from fraudwatch.adapters.lake.checkpoint_version import (
    FILE,
    BegunByOtherCode,
    claim_checkpoint,
    record_owner,
)


@dataclass(frozen=True)
class Folder:
    state_folder: Path


def begin(folder: Path, *, committed: bool) -> None:
    for kind in ("offsets", "commits"):
        (folder / "checkpoint" / kind).mkdir(parents=True, exist_ok=True)
    (folder / "checkpoint/offsets/0").touch()
    if committed:
        (folder / "checkpoint/commits/0").touch()


def test_the_code_that_began_a_batch_may_run_it_again(tmp_path: Path) -> None:
    claim_checkpoint(Folder(tmp_path))
    begin(tmp_path, committed=False)
    claim_checkpoint(Folder(tmp_path))


def test_a_batch_of_before_the_record_was_begun_by_other_code(tmp_path: Path) -> None:
    begin(tmp_path, committed=False)
    with pytest.raises(BegunByOtherCode, match=r"micro-batch 0 was begun by code of format 1"):
        claim_checkpoint(Folder(tmp_path))
    begin(tmp_path, committed=True)
    claim_checkpoint(Folder(tmp_path))


def test_a_batch_of_other_features_is_refused_until_the_operator_decides(tmp_path: Path) -> None:
    claim_checkpoint(Folder(tmp_path))
    ours = json.loads((tmp_path / FILE).read_text())
    (tmp_path / FILE).write_text(json.dumps({**ours, "features_version": "0.9"}))
    begin(tmp_path, committed=False)
    with pytest.raises(BegunByOtherCode, match=r"features version 0\.9"):
        claim_checkpoint(Folder(tmp_path))
    record_owner(tmp_path)
    claim_checkpoint(Folder(tmp_path))
