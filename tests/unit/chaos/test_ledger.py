from __future__ import annotations

import os
from pathlib import Path

import pytest

from chaos.ledger import AcknowledgementLedger, accepted_ids
from chaos.rows_file import read_rows, write_rows


def test_each_recorded_id_is_read_back_once(tmp_path: Path) -> None:
    ledger = AcknowledgementLedger(tmp_path / "ledger")
    ledger.record(["chaos:1", "chaos:2"], 1)
    ledger.record(["chaos:2", "chaos:3"], 2)
    assert accepted_ids(tmp_path / "ledger") == {"chaos:1", "chaos:2", "chaos:3"}


def test_a_missing_ledger_is_an_error_and_an_unused_one_is_empty(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        accepted_ids(tmp_path / "ledger")
    AcknowledgementLedger(tmp_path / "ledger")
    assert accepted_ids(tmp_path / "ledger") == set()


def test_a_batch_is_on_disk_when_record_returns(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    synced: list[int] = []
    sync = os.fsync

    def recorded_sync(descriptor: int) -> None:
        sync(descriptor)
        synced.append(os.fstat(descriptor).st_size)

    monkeypatch.setattr(os, "fsync", recorded_sync)
    ledger = AcknowledgementLedger(tmp_path / "ledger")
    ledger.record(["chaos:1"], 1)
    assert synced == [(tmp_path / "ledger").stat().st_size]


def test_written_rows_are_read_back(tmp_path: Path) -> None:
    rows = [("chaos:1", "a"), ("chaos:2", "b")]
    assert write_rows(tmp_path / "rows", rows) == 2
    assert list(read_rows(tmp_path / "rows")) == rows
