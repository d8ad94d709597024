from __future__ import annotations

import os
import time
from pathlib import Path

import pytest

from fraudwatch.adapters.artefacts.policy_file import lists_yaml, parse_policy, short_hash
from fraudwatch.adapters.artefacts.reloadable_policy import ReloadablePolicy
from fraudwatch.domain.policy.list_document import (
    NO_LISTS_DOCUMENT,
    ListEntry,
    ListKind,
    ListName,
)
from fraudwatch.domain.policy.policy import BrokenPolicy, Policy
from fraudwatch.samples import NOON_MS

DEFAULT = (Path(__file__).parents[4] / "contracts/policies/default.yaml").read_text("utf-8")


class World:
    """Edited policy file and its hot reload."""

    def __init__(self, folder: Path) -> None:
        self.source, self.folder = folder / "policy.yaml", folder / "used"
        self.reloads: list[bool] = []
        self._edits = 0
        self.edit("one")
        self.restart()

    def edit(self, version: str, text: str = DEFAULT) -> None:
        self._edits += 1
        self.source.write_text(text.replace('"2026-11-30"', f'"{version}"'), encoding="utf-8")
        # Two edits within one tick of the file system's clock are still two edits.
        os.utime(self.source, ns=(self._edits, self._edits))

    def restart(self) -> None:
        self.reloadable = ReloadablePolicy(self.source, self.folder, self.reloads.append)

    def list_countries(self, *countries: str) -> None:
        entries = (
            ListEntry(
                name=ListName.ALLOW,
                kind=ListKind.COUNTRY,
                value=country,
                reason="a test",
                by="lead",
                added_at_ms=NOON_MS,
            )
            for country in countries
        )
        self._edits += 1
        lists = self.source.with_name("lists.yaml")
        lists.write_bytes(lists_yaml(tuple(entries)))
        os.utime(lists, ns=(self._edits, self._edits))

    def allowed(self, batch_id: int, *, is_rerun: bool = False) -> list[str]:
        return sorted(self.policy(batch_id, is_rerun=is_rerun).allow.merchant_country)

    def policy(self, batch_id: int, *, is_rerun: bool = False) -> Policy:
        return self.reloadable.policy_for(batch_id, is_rerun=is_rerun)

    def version(self, batch_id: int, *, is_rerun: bool = False) -> str:
        return self.reloadable.policy_for(batch_id, is_rerun=is_rerun).version.split("+")[0]


@pytest.fixture
def world(tmp_path: Path) -> World:
    return World(tmp_path)


def test_an_edit_is_loaded_by_the_next_batch(world: World) -> None:
    assert world.version(0) == "one"
    world.edit("two")
    assert [world.version(n) for n in (1, 2)] == ["two", "two"]
    assert world.reloads == [True, True]


def test_the_policy_in_use_is_dated_by_its_first_use_and_not_by_a_restart(world: World) -> None:
    assert world.reloadable.in_use_since_seconds is None
    began = time.time()
    world.version(0)
    since = world.reloadable.in_use_since_seconds
    assert since is not None
    assert began - 1 <= since <= time.time()
    world.restart()
    world.version(1)
    assert world.reloadable.in_use_since_seconds == since


def test_a_replayed_batch_uses_its_first_policy(world: World) -> None:
    world.version(0)
    world.edit("two")
    world.version(1)
    world.edit("three")
    world.restart()
    assert world.version(1, is_rerun=True) == "two"
    assert world.version(2) == "three"
    world.restart()
    assert world.version(2, is_rerun=True) == "three"


def test_a_broken_edit_leaves_the_old_policy_and_is_reported(
    world: World, caplog: pytest.LogCaptureFixture
) -> None:
    world.version(0)
    world.edit("two", DEFAULT.replace("points: 50", "points: 500"))
    assert world.version(1) == "one"
    assert world.reloads[-1] is False
    assert "points must be at most 100" in caplog.text
    world.edit("three")
    assert world.version(2) == "three"
    assert world.reloads[-1] is True


def test_after_a_restart_with_a_broken_file_the_last_policy_is_used(world: World) -> None:
    world.version(0)
    world.source.write_text("no policy", encoding="utf-8")
    world.restart()
    assert world.version(1) == "one"


def test_a_missing_file_is_a_broken_one(world: World) -> None:
    world.version(0)
    world.source.unlink()
    assert world.version(1) == "one"
    assert world.reloads[-1] is False


def test_without_any_valid_policy_nothing_is_scored(tmp_path: Path) -> None:
    reloadable = ReloadablePolicy(tmp_path / "none.yaml", tmp_path / "used", lambda _: None)
    with pytest.raises(BrokenPolicy, match="is not usable"):
        reloadable.policy_for(0, is_rerun=False)


def test_an_edit_that_keeps_its_version_has_another_hash(world: World) -> None:
    before = world.reloadable.policy_for(0, is_rerun=False).version
    world.edit("one", DEFAULT.replace("more_than: 6", "more_than: 7"))
    after = world.reloadable.policy_for(1, is_rerun=False).version
    assert before.split("+")[0] == after.split("+")[0] == "one"
    assert before != after


def test_a_torn_line_is_ignored(world: World) -> None:
    world.version(0)
    with (world.folder / "used.jsonl").open("a", encoding="utf-8") as log:
        log.write('{"first_batch_id": 1, "sha')
    world.restart()
    assert world.version(1, is_rerun=True) == "one"


def test_entries_after_a_torn_line_are_not_lost(world: World) -> None:
    world.version(0)
    with (world.folder / "used.jsonl").open("a", encoding="utf-8") as log:
        log.write('{"first_batch_id": 1, "sha')
    world.restart()
    world.edit("two")
    assert world.version(1) == "two"
    world.edit("three")
    world.restart()
    assert world.version(1, is_rerun=True) == "two"


def test_a_broken_edit_is_logged_once_and_a_restored_file_is_loaded(
    world: World, caplog: pytest.LogCaptureFixture
) -> None:
    world.version(0)
    away = world.source.with_suffix(".away")
    world.source.rename(away)
    assert [world.version(n) for n in (1, 2)] == ["one", "one"]
    assert caplog.text.count("is not usable") == 1
    away.rename(world.source)
    assert world.version(3) == "one"
    assert world.reloads[-1] is True


def test_lists_are_reloaded_by_themselves_and_named_beside_the_policy(world: World) -> None:
    before = world.policy(0)
    recorded = parse_policy(world.source.read_bytes()).version
    assert before.version == f"{recorded}+{short_hash(NO_LISTS_DOCUMENT)}"
    assert world.policy(1) is before  # bounds are kept as long as it is the same object
    world.list_countries("NO")
    assert world.allowed(2) == ["NO"]
    after = world.policy(2).version
    assert after.startswith(f"{recorded}+")
    assert after != before.version


def test_a_replayed_batch_uses_its_first_lists(world: World) -> None:
    world.list_countries("NO")
    world.version(0)
    world.list_countries("NO", "SE")
    assert world.allowed(1) == ["NO", "SE"]
    world.list_countries()
    world.restart()
    assert world.allowed(0, is_rerun=True) == ["NO"]
    assert world.allowed(1, is_rerun=True) == ["NO", "SE"]
    assert world.allowed(2) == []


def test_broken_lists_leave_the_old_ones_and_are_reported(
    world: World, caplog: pytest.LogCaptureFixture
) -> None:
    world.list_countries("NO")
    world.version(0)
    world.list_countries("Norway")
    assert world.allowed(1) == ["NO"]
    assert world.reloads[-1] is False
    assert "entry 1: value can never match a country" in caplog.text
    world.list_countries("SE")
    assert world.allowed(2) == ["SE"]
    assert world.reloads[-1] is True


def test_a_new_policy_with_embedded_lists_is_refused(world: World) -> None:
    world.version(0)
    world.edit("two", DEFAULT + "\nlists: {allow: {merchant_country: [SE]}}\n")
    assert world.version(1) == "one"
    assert world.reloads[-1] is False


def test_a_batch_of_before_lists_were_a_file_is_replayed_by_the_policy_alone(
    world: World, tmp_path: Path
) -> None:
    world.version(0)
    for file in (tmp_path / "lists").iterdir():
        file.unlink()
    world.restart()
    assert world.policy(0, is_rerun=True).version.count("+") == 1
    assert world.policy(1).version.count("+") == 2


def test_what_is_not_accepted_is_not_loaded(tmp_path: Path) -> None:
    world = World(tmp_path)
    known = {world.source.read_bytes()}

    def accept(content: bytes) -> None:
        if content not in known:
            raise BrokenPolicy("was edited by hand")

    world.reloadable = ReloadablePolicy(
        world.source, world.folder, world.reloads.append, accept=accept
    )
    assert world.version(0) == "one"
    world.edit("two")
    world.list_countries("NO")
    assert (world.version(1), world.allowed(1)) == ("one", [])
    assert world.reloads[-1] is False
    known |= {world.source.read_bytes(), world.source.with_name("lists.yaml").read_bytes()}
    world.edit("two")
    world.list_countries("NO")
    assert (world.version(2), world.allowed(2)) == ("two", ["NO"])
    assert world.reloads[-1] is True
