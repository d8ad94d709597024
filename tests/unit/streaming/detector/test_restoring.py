from __future__ import annotations

from pathlib import Path

import pytest

from fraudwatch.adapters.codecs.state_snapshots import Covered, SnapshotFolder
from fraudwatch.domain.features.fold import features_version
from fraudwatch.domain.reconciliation.day_cut import Ends
from streaming.detector.restoring import HistoryMissing, LogPosition, find_state

WHOLE = {0: 0, 1: 0}
LATER = {0: 40, 1: 0}
HIGHS = {0: 100, 1: 50}


@pytest.fixture
def own(tmp_path: Path) -> SnapshotFolder:
    return SnapshotFolder(tmp_path / "snapshots")


@pytest.fixture
def published(tmp_path: Path) -> SnapshotFolder:
    return SnapshotFolder(tmp_path / "states")


def write(folder: SnapshotFolder, ends: Ends, version: str | None = None) -> None:
    folder.write([], Covered(version or features_version(), ends, 1_000))


def at(lows: Ends, scored: Ends | None, highs: Ends | None = None) -> LogPosition:
    return LogPosition(lows=lows, highs=highs or HIGHS, scored=scored)


def test_a_new_topic_is_scored_from_its_beginning(
    own: SnapshotFolder, published: SnapshotFolder
) -> None:
    write(published, {0: 30, 1: 20})
    assert find_state(own, published, at(WHOLE, None)) is None
    assert find_state(own, published, at(WHOLE, WHOLE)) is None


def test_an_emptied_topic_that_nothing_was_scored_of_begins_anew(
    own: SnapshotFolder, published: SnapshotFolder
) -> None:
    emptied = at(HIGHS, None, HIGHS)
    assert find_state(own, published, emptied) is None
    write(published, HIGHS)
    found = find_state(own, published, emptied)
    assert found is not None
    assert found.snapshot.covered.ends == HIGHS


@pytest.mark.parametrize(
    "ends",
    [
        {0: 39, 1: 20},  # before what the topic still holds
        {0: 60, 1: 31},  # beyond what is scored
        {0: 60, 1: 20, 2: 1},
        {1: 20},
    ],
)
def test_a_state_with_a_gap_or_beyond_the_scored_offsets_is_no_past(
    own: SnapshotFolder, published: SnapshotFolder, ends: Ends
) -> None:
    for folder in (own, published):
        write(folder, ends)
        write(folder, {0: 50, 1: 20}, version="another")
    with pytest.raises(HistoryMissing) as refused:
        find_state(own, published, at(LATER, {0: 60, 1: 30}))
    text = str(refused.value)
    assert "transaction_topic-0 begins at offset 40, and no state of the features version" in text
    assert "offset 60 of partition 0, offset 30 of partition 1, where scoring continues" in text
    assert "so the detector does not start; run ./fraudwatch build-states --date D" in text


def test_without_a_snapshot_the_published_state_is_restored(
    own: SnapshotFolder, published: SnapshotFolder
) -> None:
    for ends in ({0: 40, 1: 0}, {0: 55, 1: 20}, {0: 61, 1: 30}):
        write(published, ends)
    found = find_state(own, published, at(LATER, {0: 60, 1: 30}))
    assert found is not None
    assert (found.snapshot.folder, found.snapshot.covered.ends) == (
        published.folder,
        {0: 55, 1: 20},
    )


def test_what_covers_more_is_restored(own: SnapshotFolder, published: SnapshotFolder) -> None:
    write(published, {0: 50, 1: 20})
    write(own, {0: 58, 1: 29})
    found = find_state(own, published, at(LATER, {0: 60, 1: 30}))
    assert found is not None
    assert found.snapshot.folder == own.folder


def test_a_whole_topic_is_folded_from_its_beginning_without_a_snapshot(
    own: SnapshotFolder, published: SnapshotFolder
) -> None:
    assert find_state(own, published, at(WHOLE, {0: 60, 1: 30})) is None


def test_without_a_checkpoint_scoring_begins_at_the_end_of_the_published_state(
    own: SnapshotFolder, published: SnapshotFolder
) -> None:
    with pytest.raises(HistoryMissing, match="begins at offset 40"):
        find_state(own, published, at(LATER, None))
    write(published, {0: 101, 1: 50})  # of another topic: this one ends before
    with pytest.raises(HistoryMissing, match="begins at offset 40"):
        find_state(own, published, at(LATER, None))
    write(published, {0: 90, 1: 50})
    found = find_state(own, published, at(LATER, None))
    assert found is not None
    assert found.snapshot.covered.ends == {0: 90, 1: 50}


def test_purchases_that_were_removed_before_they_were_scored_are_named(
    own: SnapshotFolder, published: SnapshotFolder
) -> None:
    write(own, {0: 30, 1: 20})
    with pytest.raises(HistoryMissing, match=r"never scored.*remove the checkpoint in"):
        find_state(own, published, at(LATER, {0: 30, 1: 20}))
