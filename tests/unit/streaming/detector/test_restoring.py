from __future__ import annotations

from pathlib import Path

import pytest

from fraudwatch.adapters.codecs.state_snapshots import Covered, SnapshotFolder
from fraudwatch.adapters.codecs.topic_id_file import TopicIdDamaged, TopicIdFile
from fraudwatch.adapters.kafka_log.topic_check import TopicChanged, TopicLog
from fraudwatch.domain.features.fold import features_version
from fraudwatch.domain.reconciliation.day_cut import Ends
from fraudwatch.settings import DetectorSettings
from fraudwatch.topics import TRANSACTION_TOPIC
from streaming.detector.restoring import (
    HistoryMissing,
    LogPosition,
    check_topic,
    find_state,
    known_topic_id,
)

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


@pytest.fixture
def settings(tmp_path: Path) -> DetectorSettings:
    return DetectorSettings(
        state_folder=tmp_path,
        models_folder=tmp_path,
        views_folder=tmp_path,
        states_folder=tmp_path / "states",
        dead_letter_key_path=tmp_path,
        connector_jars="",
        extra_class_path="",
    )


def a_topic(topic_id: str = "old", highs: Ends | None = None) -> TopicLog:
    return TopicLog(TRANSACTION_TOPIC, topic_id, WHOLE, highs or HIGHS)


def test_a_checkpoint_beyond_the_end_of_the_topic_is_refused(settings: DetectorSettings) -> None:
    check_topic(a_topic(), None, None, settings)
    check_topic(a_topic(), "old", HIGHS, settings)
    with pytest.raises(TopicChanged) as refused:
        check_topic(a_topic(), "old", {0: 101, 1: 50}, settings)
    text = str(refused.value)
    assert "transaction_topic-0 ends at offset 100, and the detector continues at 101" in text
    assert f"move checkpoint, snapshots and topic_id.json in {settings.state_folder}" in text


def test_a_topic_made_anew_is_refused_also_when_it_is_longer(settings: DetectorSettings) -> None:
    with pytest.raises(TopicChanged, match=r"made anew: its id is new.*topic_changed\.md"):
        check_topic(a_topic("new", {0: 10**6, 1: 10**6}), "old", HIGHS, settings)


def test_the_topic_is_known_from_its_record_or_the_newest_snapshot(
    settings: DetectorSettings, own: SnapshotFolder
) -> None:
    assert known_topic_id(settings, own) is None
    write(own, {0: 10, 1: 10})
    assert known_topic_id(settings, own) is None, "of before ids were kept"
    own.write([], Covered(features_version(), {0: 20, 1: 20}, 1_000, "old"))
    assert known_topic_id(settings, own) == "old"
    TopicIdFile(settings.state_folder).write("recorded")
    assert known_topic_id(settings, own) == "recorded"
    TopicIdFile(settings.state_folder).path.write_text("{")
    with pytest.raises(TopicIdDamaged, match="is damaged"):
        known_topic_id(settings, own)


def test_a_state_of_another_topic_is_no_past(
    own: SnapshotFolder, published: SnapshotFolder
) -> None:
    place = LogPosition(LATER, HIGHS, {0: 60, 1: 30}, "new")
    published.write([], Covered(features_version(), {0: 50, 1: 20}, 1_000, "old"))
    with pytest.raises(HistoryMissing):
        find_state(own, published, place)
    published.write([], Covered(features_version(), {0: 45, 1: 20}, 1_000, "new"))
    found = find_state(own, published, place)
    assert found is not None
    assert found.snapshot.covered.topic_id == "new"
