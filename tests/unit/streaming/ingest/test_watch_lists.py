"""Ingest's watch lists are measured, and followed while it runs."""

from __future__ import annotations

from pathlib import Path

from prometheus_client import REGISTRY

from fraudwatch.stack.home import ROOT
from streaming.ingest.watch_lists import MeasuredWatchLists
from tests.waiting import eventually

EXAMPLE = (ROOT / "contracts/watch_lists/example.csv").read_bytes()
NOWHERE: frozenset[str] = frozenset()


def value(name: str) -> float:
    found = REGISTRY.get_sample_value(f"fraudwatch_ingest_watch_list{name}")
    assert found is not None
    return found


def test_entries_matches_and_times_are_counted(tmp_path: Path) -> None:
    (tmp_path / "example.csv").write_bytes(EXAMPLE)
    lists = MeasuredWatchLists(tmp_path)
    assert value("_entries") == 5  # the ship is none
    before = value("_matches_total"), value("_seconds_count")
    assert lists.best_match("Erika Mustermann", NOWHERE) is None
    assert lists.best_match("Grimwald Quastelbrook", NOWHERE) is not None
    assert (value("_matches_total"), value("_seconds_count")) == (before[0] + 1, before[1] + 2)
    assert value("s_usable") == 1
    (tmp_path / "example.csv").write_bytes(b"id\n")
    lists.refresh()
    assert (value("_entries"), value("s_usable")) == (5, 0)


def test_a_new_list_is_in_use_without_a_restart(tmp_path: Path) -> None:
    lists = MeasuredWatchLists(tmp_path)
    lists.follow(every_seconds=0.01)
    try:
        assert lists.best_match("Grimwald Quastelbrook", NOWHERE) is None
        (tmp_path / "example.csv").write_bytes(EXAMPLE)
        eventually(
            lambda: lists.best_match("Grimwald Quastelbrook", NOWHERE),
            within_seconds=10,
            what="the new list is in use",
            every_seconds=0.01,
        )
    finally:
        lists.stop()
