"""Compaction of the reload journal: bounded, and nothing that is still needed is removed."""

from __future__ import annotations

import json
import os
import time
from datetime import timedelta
from pathlib import Path

import pytest
import yaml

from fraudwatch.adapters.artefacts.policy_file import parse_policy
from fraudwatch.adapters.artefacts.reloadable_policy import ReloadablePolicy
from fraudwatch.adapters.artefacts.versioned_reload import KEPT_DAYS, ReloadJournal
from fraudwatch.adapters.jsonl_journal import JsonlJournal
from fraudwatch.domain.policy.policy import BrokenPolicy
from fraudwatch.stack.home import ROOT
from spark_jobs.reconcile.artefact_resolver import ArtefactFolders, resolve_artefacts

DEFAULT = (ROOT / "contracts/policies/default.yaml").read_text("utf-8")
OLD = timedelta(days=KEPT_DAYS + 1).total_seconds()


class World:
    """A policy that is edited, its journal, and the age of what was used."""

    def __init__(self, folder: Path) -> None:
        self.source, self.folder = folder / "policy.yaml", folder / "used"
        self._edits = 0
        self.restart()

    def restart(self) -> None:
        self.reloadable = ReloadablePolicy(self.source, self.folder, lambda _: None)

    def use(self, version: str, batch_id: int, *, age_seconds: float = 0) -> None:
        """Use an edited policy from a micro-batch on, which was so long ago."""
        self._edits += 1
        self.source.write_text(DEFAULT.replace('"2026-11-30"', f'"{version}"'), encoding="utf-8")
        os.utime(self.source, ns=(self._edits, self._edits))
        self.reloadable.policy_for(batch_id, is_rerun=False)
        used_at = time.time() - age_seconds
        os.utime(self.folder / f"{self.entries()[-1]['sha256']}.yaml", (used_at, used_at))

    def entries(self) -> list[dict[str, object]]:
        return JsonlJournal(self.folder / "used.jsonl").entries()

    def first_batches(self) -> list[object]:
        return [entry["first_batch_id"] for entry in self.entries()]

    def contents(self) -> set[str]:
        return {
            parse_policy(path.read_bytes()).version.split("+")[0]
            for path in self.folder.glob("*.yaml")
        }

    def version(self, batch_id: int) -> str:
        found = self.reloadable.policy_for(batch_id, is_rerun=True)
        return found.version.split("+")[0]


@pytest.fixture
def world(tmp_path: Path) -> World:
    return World(tmp_path)


def test_entries_that_ended_before_the_retention_are_removed_with_their_contents(
    world: World,
) -> None:
    world.use("one", 0, age_seconds=3 * OLD)
    world.use("two", 10, age_seconds=2 * OLD)
    world.use("three", 20)
    world.use("four", 30)
    # "two" was used until "three" began, a moment ago.
    assert world.first_batches() == [10, 20, 30]
    assert world.contents() == {"two", "three", "four"}
    assert [world.version(n) for n in (10, 19, 20, 35)] == ["two", "two", "three", "four"]


def test_a_replay_after_a_restart_still_finds_each_kept_version(world: World) -> None:
    world.use("one", 0, age_seconds=2 * OLD)
    world.use("two", 10, age_seconds=OLD)
    world.use("three", 20)
    world.restart()
    assert [world.version(n) for n in (10, 19, 20)] == ["two", "two", "three"]


def test_a_version_that_came_into_use_again_is_kept(world: World) -> None:
    world.use("one", 0, age_seconds=3 * OLD)
    world.use("two", 10, age_seconds=2 * OLD)
    world.use("one", 20)
    assert world.contents() == {"one", "two"}
    assert world.version(25) == "one"


def test_a_micro_batch_before_the_journal_is_refused(world: World) -> None:
    world.use("one", 0, age_seconds=3 * OLD)
    world.use("two", 10, age_seconds=2 * OLD)
    world.use("three", 20)
    with pytest.raises(BrokenPolicy, match="begins after micro-batch 5"):
        world.version(5)


def test_scoring_again_finds_the_policy_of_every_retained_verdict(world: World) -> None:
    world.use("one", 0, age_seconds=3 * OLD)
    world.use("two", 10, age_seconds=2 * OLD)
    world.use("three", 20, age_seconds=timedelta(days=400).total_seconds())
    world.use("four", 30)
    wanted = {version: world.reloadable.policy_for(batch, is_rerun=True).version
              for version, batch in (("two", 10), ("three", 20), ("four", 30))}  # fmt: skip
    folders = ArtefactFolders(
        policies=(world.folder, world.folder.with_name("lists")), models=(), views=()
    )
    found = resolve_artefacts(folders, wanted.values(), (), ())
    assert set(found.policies) == set(wanted.values())


def test_an_hourly_journal_whose_old_contents_are_removed_stays_short(tmp_path: Path) -> None:
    source, folder = tmp_path / "list.json", tmp_path / "used"
    journal = ReloadJournal(
        source=source, folder=folder, suffix=".json", load=bytes, reopen=bytes,
        name_of=str, on_reload=lambda _: None,
    )  # fmt: skip
    for hour in range(100):
        source.write_text(f"{hour}", encoding="utf-8")
        os.utime(source, ns=(hour, hour))
        journal.version_for_batch(hour, is_rerun=False)
        contents = sorted(folder.glob("*.json"), key=lambda path: int(path.read_bytes()))
        for path in contents[:-5]:  # as ReloadableViews keeps five lists
            path.unlink()
    lines = (folder / "used.jsonl").read_text().splitlines()
    assert len(lines) <= 7
    assert [json.loads(line)["first_batch_id"] for line in lines][-5:] == [95, 96, 97, 98, 99]
    assert journal.version_for_batch(95, is_rerun=True) == b"95"


def test_a_crash_between_contents_and_journal_loses_nothing_that_is_needed(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    world.use("one", 0, age_seconds=3 * OLD)
    world.use("two", 10, age_seconds=2 * OLD)

    def crash(*_: object) -> None:
        raise OSError("killed")

    with monkeypatch.context() as patched:
        patched.setattr(JsonlJournal, "compact", crash)
        with pytest.raises(OSError, match="killed"):
            world.use("three", 20)
    world.restart()
    assert [world.version(n) for n in (10, 20)] == ["two", "three"]
    world.use("four", 30)
    assert world.first_batches() == [10, 20, 30]


def test_the_journal_keeps_longer_than_verdicts_and_transactions_are_kept() -> None:
    retention = yaml.safe_load((ROOT / "contracts/retention.yaml").read_text("utf-8"))["tables"]
    topic = yaml.safe_load((ROOT / "contracts/topics/transaction_topic.yaml").read_text("utf-8"))
    scored_again = ("raw_transaction_topic", "raw_fraud_topic", "core_verdicts", "core_features")
    vacuum_days = 7
    assert max(retention[name]["days"] for name in scored_again) + vacuum_days < KEPT_DAYS
    assert timedelta(milliseconds=topic["retention_ms"]) < timedelta(days=KEPT_DAYS)
