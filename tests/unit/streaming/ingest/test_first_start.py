from __future__ import annotations

from pathlib import Path

from streaming.ingest.first_start import cursor_left


def test_a_cursor_of_a_feed_is_evidence_once_it_points_behind_a_message(tmp_path: Path) -> None:
    assert cursor_left(tmp_path) is None
    (tmp_path / "cursor.json").write_text('{"cursor": ""}')
    assert cursor_left(tmp_path) is None
    (tmp_path / "chargebacks_cursor.json").write_text('{"cursor": "7"}')
    assert "chargebacks_cursor.json" in (cursor_left(tmp_path) or "")
