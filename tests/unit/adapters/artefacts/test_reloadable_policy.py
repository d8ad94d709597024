from __future__ import annotations

import os
from pathlib import Path

import pytest

from fraudwatch.adapters.artefacts.reloadable_policy import PolicyBook
from fraudwatch.domain.policy.policy import BrokenPolicy

DEFAULT = (Path(__file__).parents[4] / "contracts/policies/default.yaml").read_text("utf-8")


class Desk:
    """A policy file that somebody edits, and the book over it."""

    def __init__(self, folder: Path) -> None:
        self.source, self.folder = folder / "policy.yaml", folder / "used"
        self.looks: list[bool] = []
        self._edits = 0
        self.edit("one")
        self.restart()

    def edit(self, version: str, text: str = DEFAULT) -> None:
        self._edits += 1
        self.source.write_text(text.replace('"2026-11-21"', f'"{version}"'), encoding="utf-8")
        # Two edits within one tick of the file system's clock are still two edits.
        os.utime(self.source, ns=(self._edits, self._edits))

    def restart(self) -> None:
        self.book = PolicyBook(self.source, self.folder, self.looks.append)

    def version(self, batch_id: int, *, is_rerun: bool = False) -> str:
        return self.book.policy_for(batch_id, is_rerun=is_rerun).version.split("+")[0]


@pytest.fixture
def desk(tmp_path: Path) -> Desk:
    return Desk(tmp_path)


def test_an_edit_is_taken_up_by_the_next_batch(desk: Desk) -> None:
    assert desk.version(0) == "one"
    desk.edit("two")
    assert [desk.version(n) for n in (1, 2)] == ["two", "two"]
    assert desk.looks == [True, True]


def test_a_batch_run_again_after_a_crash_has_the_policy_it_had(desk: Desk) -> None:
    desk.version(0)
    desk.edit("two")
    desk.version(1)
    desk.edit("three")
    desk.restart()
    assert desk.version(1, is_rerun=True) == "two"
    assert desk.version(2) == "three"
    desk.restart()
    assert desk.version(2, is_rerun=True) == "three"


def test_a_broken_edit_leaves_the_old_policy_and_is_told(
    desk: Desk, caplog: pytest.LogCaptureFixture
) -> None:
    desk.version(0)
    desk.edit("two", DEFAULT.replace("points: 50", "points: 500"))
    assert desk.version(1) == "one"
    assert desk.looks[-1] is False
    assert "points must be at most 100" in caplog.text
    desk.edit("three")
    assert desk.version(2) == "three"
    assert desk.looks[-1] is True


def test_after_a_restart_over_a_broken_file_the_last_policy_judges_on(desk: Desk) -> None:
    desk.version(0)
    desk.source.write_text("no policy", encoding="utf-8")
    desk.restart()
    assert desk.version(1) == "one"


def test_a_file_that_is_gone_is_a_broken_one(desk: Desk) -> None:
    desk.version(0)
    desk.source.unlink()
    assert desk.version(1) == "one"
    assert desk.looks[-1] is False


def test_without_any_usable_policy_nothing_is_judged(tmp_path: Path) -> None:
    book = PolicyBook(tmp_path / "none.yaml", tmp_path / "used", lambda _: None)
    with pytest.raises(BrokenPolicy, match="is not usable"):
        book.policy_for(0, is_rerun=False)


def test_an_edit_that_keeps_its_version_is_told_apart(desk: Desk) -> None:
    before = desk.book.policy_for(0, is_rerun=False).version
    desk.edit("one", DEFAULT.replace("more_than: 6", "more_than: 7"))
    after = desk.book.policy_for(1, is_rerun=False).version
    assert before.split("+")[0] == after.split("+")[0] == "one"
    assert before != after


def test_a_line_that_a_crash_tore_is_passed_over(desk: Desk) -> None:
    desk.version(0)
    with (desk.folder / "used.jsonl").open("a", encoding="utf-8") as log:
        log.write('{"first_batch_id": 1, "sha')
    desk.restart()
    assert desk.version(1, is_rerun=True) == "one"


def test_what_is_used_after_a_torn_line_is_not_lost_with_it(desk: Desk) -> None:
    desk.version(0)
    with (desk.folder / "used.jsonl").open("a", encoding="utf-8") as log:
        log.write('{"first_batch_id": 1, "sha')
    desk.restart()
    desk.edit("two")
    assert desk.version(1) == "two"
    desk.edit("three")
    desk.restart()
    assert desk.version(1, is_rerun=True) == "two"


def test_a_broken_edit_is_told_once_and_a_file_that_comes_back_is_seen(
    desk: Desk, caplog: pytest.LogCaptureFixture
) -> None:
    desk.version(0)
    away = desk.source.with_suffix(".away")
    desk.source.rename(away)
    assert [desk.version(n) for n in (1, 2)] == ["one", "one"]
    assert caplog.text.count("is not usable") == 1
    away.rename(desk.source)
    assert desk.version(3) == "one"
    assert desk.looks[-1] is True
