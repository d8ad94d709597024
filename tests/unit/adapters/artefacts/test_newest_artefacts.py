from __future__ import annotations

import os
from pathlib import Path

import pytest

from fraudwatch.adapters.artefacts.model_artefact import Artefact, write_artefact
from fraudwatch.adapters.artefacts.model_pointer import point_to
from fraudwatch.adapters.artefacts.newest_artefacts import NewestArtefacts
from fraudwatch.adapters.artefacts.policy_file import parse_rules
from fraudwatch.adapters.artefacts.reloadable_models import ReloadableModels
from fraudwatch.adapters.artefacts.reloadable_policy import ReloadablePolicy
from fraudwatch.domain.models.fitted import ModelKind
from fraudwatch.domain.models.serving import ServingVersions

POLICY = (Path(__file__).parents[4] / "contracts/policies/default.yaml").read_bytes()
OTHER = POLICY.replace(b"at_least_eur_cents: 100000", b"at_least_eur_cents: 10000", 1)
LISTS = b"""entries:
- {list: deny, kind: merchant, value: shop-1, reason: chargebacks, by: lina, added_at: 2026-01-01}
"""
SERVING = ServingVersions("today", 3)


class World:
    """A detector's journals, and their reader in another process."""

    def __init__(self, folder: Path) -> None:
        self.live, self.folder = folder / "policy.yaml", folder / "detector"
        self.training = folder / "models"
        self.policies = ReloadablePolicy(self.live, self.folder / "policies", lambda _: None)
        self.models = ReloadableModels(
            self.training, self.folder / "models", SERVING, lambda _: None
        )
        self.newest = NewestArtefacts(
            self.folder / "policies", self.folder / "lists", self.folder / "models", SERVING
        )
        self._batch = 0

    def write(self, name: str, content: bytes) -> None:
        path = self.live.with_name(name)
        path.write_bytes(content)
        self._batch += 1
        os.utime(path, ns=(self._batch, self._batch))

    def score(self) -> None:
        """Begin a micro-batch, as the detector does."""
        self._batch += 1
        self.policies.policy_for(self._batch, is_rerun=False)
        self.models.models_for(self._batch, is_rerun=False)


@pytest.fixture
def world(tmp_path: Path) -> World:
    return World(tmp_path)


def test_nothing_is_live_before_the_detector_has_scored(world: World) -> None:
    assert not world.newest.is_known()
    assert world.newest.current() is None


def test_it_follows_policy_lists_and_models(world: World, forest: Artefact) -> None:
    world.write("policy.yaml", POLICY)
    world.score()
    first = world.newest.current()
    assert world.newest.is_known()
    assert first is not None
    assert first.policy == parse_rules(POLICY)
    assert first.models.anomaly is None
    assert world.newest.current() is first
    world.write("lists.yaml", LISTS)
    world.score()
    second = world.newest.current()
    assert second is not None
    assert second.policy == parse_rules(POLICY, LISTS)
    sha256 = write_artefact(world.training, forest)
    point_to(world.training, ModelKind.ISOLATION_FOREST, sha256)
    world.write("policy.yaml", OTHER)
    assert world.newest.current() is second  # the detector does not use them yet
    world.score()
    third = world.newest.current()
    assert third is not None
    assert third.policy == parse_rules(OTHER, LISTS)
    assert third.models.anomaly_version == sha256[:12]


def test_what_cannot_be_opened_leaves_what_was_live(world: World) -> None:
    world.write("policy.yaml", POLICY)
    world.score()
    first = world.newest.current()
    world.write("policy.yaml", OTHER)
    world.score()
    newest = max((world.folder / "policies").glob("*.yaml"), key=lambda one: one.stat().st_mtime_ns)
    newest.write_bytes(b"rules: [")
    assert world.newest.current() is first
    assert first is not None
