from __future__ import annotations

import json
import os
import shutil
from pathlib import Path

import numpy as np
import pytest

from fraudwatch.adapters.artefacts import view_artefact
from fraudwatch.adapters.artefacts.reloadable_views import KEPT_VERSIONS, ReloadableViews
from fraudwatch.adapters.artefacts.view_artefact import VIEW_FILES, view_bytes, view_of
from fraudwatch.adapters.artefacts.view_publication import LIST_NAME, parse_list, publish
from fraudwatch.domain.time_units import DAY_MS, HOUR_MS
from fraudwatch.domain.views.catalogue import KEPT_VIEWS, Entity, view_columns
from fraudwatch.domain.views.view import BrokenView, RiskView, table_of
from fraudwatch.samples import NOON_MS

DELAY_MS = 3 * DAY_MS


def a_view(hour: int = 0, customers_of_device: float = 3.0, delay_ms: int = DELAY_MS) -> RiskView:
    empty = {entity: table_of([], np.empty((0, len(view_columns(entity))))) for entity in Entity}
    device = table_of(["d-1", "d-2"], np.array([[customers_of_device], [np.nan]]))
    return RiskView(NOON_MS + hour * HOUR_MS, {**empty, Entity.DEVICE: device}, delay_ms)


class World:
    """Folder that the hourly job writes to, and its hot reload."""

    def __init__(self, folder: Path) -> None:
        self.source, self.folder = folder / "views", folder / "used"
        self.reloads: list[bool] = []
        self.newest: list[float] = []
        self.restart()

    def publish(self, view: RiskView) -> str:
        return publish(self.source, view)

    def restart(self, delay_ms: int = DELAY_MS) -> None:
        self.reloadable = ReloadableViews(
            self.source, self.folder, delay_ms, self.reloads.append, self.newest.append
        )

    def write_list(self, text: str) -> None:
        (self.source / LIST_NAME).write_text(text)
        os.utime(self.source / LIST_NAME, ns=(1, 1))

    def names(self, batch_id: int, *, is_rerun: bool = False) -> list[str]:
        views = self.reloadable.views_for(batch_id, is_rerun=is_rerun)
        for one in views.published:
            views.open_view(one.sha256)
        return [one.sha256 for one in views.published]


@pytest.fixture
def world(tmp_path: Path) -> World:
    return World(tmp_path)


def test_a_view_is_read_as_it_was_written_and_named_by_its_content() -> None:
    view = a_view()
    read = view_of(view_bytes(view))
    assert read.built_until_ms == view.built_until_ms
    for entity in Entity:
        for mine, theirs in zip(view.tables[entity], read.tables[entity], strict=True):
            assert np.array_equal(mine, theirs, equal_nan=mine.dtype == np.float64)
    assert read.label_delay_ms == DELAY_MS
    assert view_bytes(a_view()) == view_bytes(view) != view_bytes(a_view(1))
    assert view_bytes(a_view(delay_ms=DAY_MS)) != view_bytes(view)


def test_an_unreadable_view_is_refused_with_a_fix(monkeypatch: pytest.MonkeyPatch) -> None:
    whole = view_bytes(a_view())
    for broken in (b"", b"no archive", whole[:-30]):
        with pytest.raises(BrokenView, match="build it again"):
            view_of(broken)
    monkeypatch.setattr(view_artefact, "MAX_VIEW_BYTES", 100)
    with pytest.raises(BrokenView, match="unpacks to more"):
        view_of(whole)
    monkeypatch.undo()
    monkeypatch.setattr(view_artefact, "views_version", lambda: "another")
    with pytest.raises(BrokenView, match="views_version is not today's"):
        view_of(whole)


def test_the_views_in_use_are_those_of_the_last_batch(world: World) -> None:
    assert world.reloadable.in_use.published == ()
    published = world.publish(a_view())
    world.names(0)
    world.publish(a_view(1))
    assert [one.sha256 for one in world.reloadable.in_use.published] == [published]


def test_too_big_a_view_is_not_written(tmp_path: Path) -> None:
    with pytest.raises(BrokenView, match="at most 64"):
        VIEW_FILES.write(tmp_path, bytes(view_artefact.MAX_VIEW_BYTES + 1))
    assert list(tmp_path.iterdir()) == []


def test_the_last_hours_are_listed_oldest_first_and_the_others_removed(world: World) -> None:
    order = [3, 1, 2, *range(4, KEPT_VIEWS + 3)]
    named = {hour: world.publish(a_view(hour)) for hour in order}
    listed = parse_list((world.source / LIST_NAME).read_bytes())
    kept = sorted(named)[-KEPT_VIEWS:]
    assert [one.sha256 for one in listed] == [named[hour] for hour in kept]
    assert VIEW_FILES.in_folder(world.source) == {named[hour] for hour in kept}


def test_a_rebuilt_hour_replaces_its_view(world: World) -> None:
    first, other = world.publish(a_view(1)), world.publish(a_view(2))
    assert world.publish(a_view(1)) == first  # the same content is the same file
    again = world.publish(a_view(1, customers_of_device=4))
    assert world.names(0) == [again, other]


def test_before_publication_there_is_no_view_and_no_error(world: World) -> None:
    assert world.names(0) == []
    assert (set(world.reloads), world.newest) == ({True}, [])


def test_a_new_view_is_loaded_by_the_next_batch(world: World) -> None:
    world.names(0)
    one = world.publish(a_view(1))
    assert world.names(1) == [one]
    two = world.publish(a_view(2))
    assert world.names(2) == [one, two]
    assert world.newest[-1] == (NOON_MS + 2 * HOUR_MS) / 1000


def test_a_replayed_batch_uses_its_first_views(world: World) -> None:
    assert world.names(0) == []
    one = world.publish(a_view(1))
    world.restart()
    assert world.names(0, is_rerun=True) == []
    assert world.names(1) == [one]
    again = world.publish(a_view(1, customers_of_device=9))
    world.restart()
    assert VIEW_FILES.in_folder(world.source) == {
        again
    }  # the job has removed the one that was used
    assert world.names(1, is_rerun=True) == [one]
    assert world.names(2) == [again]


def test_a_lost_source_folder_changes_nothing(world: World) -> None:
    one = world.publish(a_view(1))
    assert world.names(0) == [one]
    shutil.rmtree(world.source)
    world.restart()
    assert world.names(0, is_rerun=True) == world.names(1) == [one]
    assert world.reloads[-1] is False


def test_a_broken_view_leaves_the_old_ones_and_is_logged_once(
    world: World, caplog: pytest.LogCaptureFixture
) -> None:
    one = world.publish(a_view(1))
    assert world.names(0) == [one]
    two = world.publish(a_view(2))
    path = world.source / f"{two}.npz"
    path.write_bytes(path.read_bytes()[:-1])
    assert world.names(1) == world.names(2) == [one]
    assert world.reloads[-1] is False
    assert caplog.text.count("was altered") == 1


def test_a_list_with_another_hour_than_the_view_is_refused(world: World) -> None:
    world.publish(a_view(1))
    listed = json.loads((world.source / LIST_NAME).read_text())
    world.write_list(json.dumps([{**listed[0], "built_until_ms": NOON_MS}]))
    assert world.names(0) == []
    assert world.reloads[-1] is False
    world.restart(DAY_MS)
    world.write_list(json.dumps([{**listed[0], "label_delay_ms": DAY_MS}]))
    assert world.names(1) == []
    assert world.reloads[-1] is False


def test_views_of_another_label_delay_are_ignored(
    world: World, caplog: pytest.LogCaptureFixture
) -> None:
    """Also those of the journal; the old ones are listed until their hour is built again."""
    old, other = world.publish(a_view(1)), world.publish(a_view(2))
    assert world.names(0) == [old, other]
    world.restart(30 * DAY_MS)
    assert world.names(0, is_rerun=True) == world.names(1) == []
    assert world.reloads[-1] is False
    assert caplog.text.count("2 of 2 published risk views are of another label delay") == 1
    built = world.publish(a_view(2, delay_ms=30 * DAY_MS))
    assert world.names(2) == [built]
    assert world.reloads[-1] is True
    assert VIEW_FILES.in_folder(world.source) == {old, built}
    assert "1 of 2 published risk views are" in caplog.text


def test_a_list_of_before_label_delays_is_no_error(world: World) -> None:
    """An upgrade: the hourly job adds to such a list, and the detector ignores its views."""
    world.publish(a_view(1))
    [listed] = json.loads((world.source / LIST_NAME).read_text())
    del listed["label_delay_ms"]
    world.write_list(json.dumps([listed]))
    assert world.names(0) == []
    assert world.reloads[-1] is False
    built = world.publish(a_view(2))
    assert world.names(1) == [built]


ENTRY = {"sha256": "a" * 64, "built_until_ms": NOON_MS, "views_version": "x"}


@pytest.mark.parametrize(
    "document",
    [
        "no json",
        3,
        [3],
        [{}],
        [{**ENTRY, "more": 1}],
        [{**ENTRY, "sha256": "A" * 64}],
        [{**ENTRY, "sha256": 7}],
        [{**ENTRY, "built_until_ms": NOON_MS + 1}],
        [{**ENTRY, "built_until_ms": "noon"}],
        [{**ENTRY, "label_delay_ms": "3 days"}],
        [ENTRY, ENTRY],
        [ENTRY, {**ENTRY, "built_until_ms": NOON_MS - HOUR_MS}],
        [{**ENTRY, "built_until_ms": NOON_MS + n * HOUR_MS} for n in range(KEPT_VIEWS + 1)],
    ],
)
def test_an_invalid_list_of_views_is_refused_with_a_fix(document: object) -> None:
    text = document if isinstance(document, str) else json.dumps(document)
    with pytest.raises(BrokenView, match=r"views\.json.*build the views again"):
        parse_list(text.encode())


def test_views_of_another_catalogue_are_skipped() -> None:
    assert parse_list(json.dumps([ENTRY]).encode()) == []


def test_the_copies_of_long_ago_are_removed(world: World) -> None:
    for n in range(KEPT_VERSIONS + 3):
        world.publish(a_view(1, customers_of_device=float(n)))
        world.names(n)
    assert len(VIEW_FILES.in_folder(world.folder)) == KEPT_VERSIONS
    assert len(list(world.folder.glob("*.json"))) == KEPT_VERSIONS
