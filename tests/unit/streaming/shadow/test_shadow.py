from __future__ import annotations

import hashlib
import random
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import xgboost as xgb
from prometheus_client import REGISTRY

from fraudwatch.adapters.artefacts.candidate import Candidate
from fraudwatch.adapters.artefacts.model_artefact import write_artefact
from fraudwatch.adapters.artefacts.model_pointer import Pointer
from fraudwatch.adapters.artefacts.named_artefacts import NamedArtefacts
from fraudwatch.adapters.artefacts.policy_file import lists_yaml, parse_policy, parse_rules
from fraudwatch.adapters.artefacts.reloadable_models import load_named
from fraudwatch.adapters.artefacts.sklearn_forest import ForestShape, fit_forest
from fraudwatch.adapters.artefacts.xgboost_model import xgboost_artefact
from fraudwatch.adapters.codecs.json_codec import decode
from fraudwatch.adapters.memory.shadow import MemoryShadowStore
from fraudwatch.application.ports import StoreUnavailable
from fraudwatch.application.shadow.comparing import Comparing
from fraudwatch.domain.features.feature_vector import VECTOR_FEATURES, VECTOR_INDEX
from fraudwatch.domain.features.fold import features_version
from fraudwatch.domain.messages.verdict import Mode, Outcome, Verdict
from fraudwatch.domain.models.active_models import ActiveModels
from fraudwatch.domain.models.fitted import ModelKind, ModelMetadata, normal_of
from fraudwatch.domain.policy.list_document import (
    NO_LISTS_DOCUMENT,
    ListEntry,
    ListKind,
    ListName,
    PolicyLists,
)
from fraudwatch.domain.policy.policy import Policy
from fraudwatch.domain.shadow import (
    Comparison,
    NotCompared,
    Pair,
    ShadowCounts,
    ShadowDimension,
    ShadowKey,
    summed,
)
from fraudwatch.samples import NOON_MS, a_token
from streaming.shadow.partition import PartitionShadow, PartitionTopics
from streaming.shadow.scoring import CandidateVerdict, ShadowScoring
from tests.calibrations import write_a_calibration

COMPARISON = Comparison(
    comparison_id="0123456789ab",
    started_at_ms=NOON_MS,
    from_at_ms=NOON_MS,
    started_by="operator",
    policy_version="stricter",
)


@dataclass
class Live:
    """The live policy and models, by whatever version a verdict names."""

    by_version: dict[str, Policy]
    loaded: ActiveModels = field(default_factory=ActiveModels)
    named: NamedArtefacts | None = None
    """The real journals of policy and lists."""

    def policy(self, version: str) -> Policy | None:
        return self.named.policy(version) if self.named else self.by_version.get(version)

    def lists(self, version: str) -> PolicyLists | None:
        return self.named.lists(version) if self.named else PolicyLists()

    def models(self, versions: tuple[str, ...], calibration: str) -> ActiveModels | None:
        own = (self.loaded.anomaly_version, self.loaded.model_version)
        if not set(versions) <= set(own):
            return None
        return replace(
            self.loaded,
            fraud=self.loaded.fraud if self.loaded.model_version in versions else None,
            calibration=self.loaded.calibration if calibration else None,
        )


@dataclass
class World:
    stream: Any
    live: Live
    store: MemoryShadowStore
    a_cursor: Callable[..., Any]
    comparison: Comparison = COMPARISON
    clock_seconds: float = 0.0

    def shadow(self, candidate: Candidate, seed: int = 1) -> PartitionShadow:
        randomness = random.Random(seed)
        topics = (self.stream.verdicts(), self.stream.vectors(), self.stream.transactions())
        return PartitionShadow(
            PartitionTopics(*(self.a_cursor(one, randomness) for one in topics)),
            ShadowScoring(candidate, self.live),
            Comparing(self.store, self.store.load(candidate.comparison.comparison_id, 0)),
            from_at_ms=NOON_MS,
            max_messages=60,
            give_up_seconds=30.0,
            clock=lambda: self.clock_seconds,
        )

    def run(self, candidate: Candidate, *, seed: int = 1, steps: int = 400) -> None:
        shadow, last = self.shadow(candidate, seed), self.verdicts()[-1].source_offset
        for _ in range(steps):
            shadow.step()
            if (
                self.store.load(candidate.comparison.comparison_id, 0).position.source_offset
                == last
            ):
                return

    def messages(self, candidate: Candidate) -> list[bytes]:
        """Verdicts of a candidate for the whole stream, as they would be published."""
        scoring, found = ShadowScoring(candidate, self.live), list[bytes]()

        class Recording:
            def score(self, joined: Any) -> Any:
                results = scoring.score(joined)
                found.extend(one.message for one in results if isinstance(one, CandidateVerdict))
                return results

        self.store = MemoryShadowStore()
        shadow = self.shadow(candidate)
        shadow._scoring = Recording()  # type: ignore[assignment]
        for _ in range(400):
            shadow.step()
            if len(found) == len(self.stream.written.verdicts):
                break
        return found

    def counts(self, dimension: ShadowDimension) -> dict[str, int]:
        found: Counter[str] = Counter()
        for key, counts in summed(self.store.progress(self.comparison).counted).items():
            if key.dimension is dimension:
                found[key.value] += counts.purchases
        return dict(found)

    def verdicts(self) -> list[Verdict]:
        return [decode(Verdict, value) for _, value, _ in self.stream.written.verdicts]


def some_models(folder: Path) -> ActiveModels:
    """A forest and a calibrated classifier that calls high amounts fraud."""
    chance = np.random.default_rng(3)
    rows = np.abs(chance.lognormal(4, 2, (2_000, len(VECTOR_FEATURES))))
    about = ModelMetadata(
        kind=ModelKind.ISOLATION_FOREST,
        features=tuple(VECTOR_INDEX),
        features_version=features_version(),
        fitted_at_ms=3,
        rows=2_000,
        from_ms=1,
        until_ms=2,
    )
    forest = write_artefact(folder, fit_forest(rows, about, ForestShape(trees=20, seed=7)))
    names = ("amount_eur_cents", "item_count")
    described = replace(about, kind=ModelKind.XGBOOST, features=names, label_delay_days=3)
    values = rows[:, described.columns]
    data = xgb.DMatrix(values, (values[:, 0] > 60).astype(float), missing=np.nan)
    parameters = {"objective": "binary:logistic", "max_depth": 3, "nthread": 1, "seed": 1}
    booster = xgb.train(parameters, data, num_boost_round=20)
    model = write_artefact(folder, xgboost_artefact(booster, described, normal_of(values)))
    changes = {"features_version": features_version(), "forest_sha256": forest}
    calibration = write_a_calibration(folder, model, **changes)
    pointer = Pointer({ModelKind.ISOLATION_FOREST: forest, ModelKind.XGBOOST: model}, calibration)
    return load_named(folder, pointer)


@pytest.fixture
def world(a_stream: Callable[..., Any], a_cursor: Callable[..., Any], policy: Policy) -> World:
    return World(a_stream(), Live({policy.version: policy}), MemoryShadowStore(), a_cursor)


@pytest.fixture
def stricter(policy_path: Path) -> Policy:
    """The live policy with a tenth of the limit for a high amount."""
    content = policy_path.read_text("utf-8")
    changed = content.replace("at_least_eur_cents: 100000", "at_least_eur_cents: 10000", 1)
    assert changed != content
    return parse_policy(changed.encode())


WHOLE = [slice(0, 400)]
PARTS = [slice(0, 7), slice(7, 150), slice(150, 151), slice(151, 400)]


@pytest.mark.parametrize("batches", [WHOLE, PARTS])
@pytest.mark.parametrize("has_models", [False, True])
def test_a_candidate_equal_to_the_live_one_makes_the_same_bytes(
    world: World,
    policy: Policy,
    tmp_path: Path,
    batches: list[slice],
    has_models: bool,  # noqa: FBT001  a parameter of the test
) -> None:
    models = some_models(tmp_path) if has_models else ActiveModels()
    world.live.loaded = models
    world.stream.score(policy, models, batches)
    expected = [message for _, message, _ in world.stream.written.verdicts]
    modes = {verdict.mode for verdict in world.verdicts()}
    assert modes == {Mode.WITH_MODEL if has_models else Mode.RULES_ONLY}
    if has_models:
        assert any(verdict.explanation for verdict in world.verdicts())
    own = replace(models, anomaly=None) if has_models else None
    for candidate in (
        Candidate(comparison=COMPARISON, policy=policy),
        Candidate(comparison=COMPARISON, policy=policy, models=own),
        Candidate(comparison=COMPARISON, models=own),
    ):
        assert world.messages(candidate) == expected
    assert REGISTRY.get_sample_value("fraudwatch_shadow_unlike_total") == 0


MIDDLE_MS = NOON_MS + 200 * 7_000  # event time of the purchase in the middle


def an_entry(name: ListName, kind: ListKind, value: str, expires_at_ms: int | None) -> ListEntry:
    return ListEntry(
        name=name,
        kind=kind,
        value=value,
        reason="for a test",
        by="lina",
        added_at_ms=NOON_MS - 60_000,
        expires_at_ms=expires_at_ms,
    )


LISTS = lists_yaml(
    (
        an_entry(ListName.DENY, ListKind.CARD, a_token("a"), None),
        an_entry(ListName.DENY, ListKind.CUSTOMER, a_token("b"), MIDDLE_MS),
        an_entry(ListName.ALLOW, ListKind.CUSTOMER, a_token("c"), MIDDLE_MS),
        an_entry(ListName.ALLOW, ListKind.DEVICE, a_token("d"), NOON_MS - 1),
    )
)


def journalled(folder: Path, policy: bytes, *lists: bytes) -> NamedArtefacts:
    """Write the detector's journals as it names their files."""
    for name, contents in (("policies", [policy]), ("lists", lists)):
        (folder / name).mkdir()
        for content in contents:
            sha256 = hashlib.sha256(content).hexdigest()
            (folder / name / f"{sha256}.yaml").write_bytes(content)
    return NamedArtefacts(folder / "policies", folder / "lists", folder / "models")


def test_the_live_lists_count_for_every_candidate_by_event_time(
    world: World, policy: Policy, policy_path: Path, tmp_path: Path
) -> None:
    content = policy_path.read_bytes()
    world.live.named = journalled(tmp_path, content, LISTS, NO_LISTS_DOCUMENT)
    world.live.loaded = models = some_models(tmp_path / "models")
    # The lists change within the stream, as a lead changes them.
    world.stream.score(parse_rules(content, LISTS), models, [slice(0, 7), slice(7, 380)])
    world.stream.score(parse_rules(content), models, [slice(380, 400)])
    expected = [message for _, message, _ in world.stream.written.verdicts]
    denied = [one for one in world.verdicts() if "deny_list" in {r.rule for r in one.reasons}]
    assert {one.customer_token for one in denied if one.event_at_ms < MIDDLE_MS} >= {a_token("b")}
    later = [one for one in denied if one.event_at_ms >= MIDDLE_MS]
    assert later  # by the card, which never expires
    own = replace(models, anomaly=None)
    for candidate in (
        Candidate(comparison=COMPARISON, policy=policy),
        Candidate(comparison=COMPARISON, models=own),
        Candidate(comparison=COMPARISON, policy=policy, models=own),
    ):
        assert world.messages(candidate) == expected
        assert world.counts(ShadowDimension.NOT_COMPARED) == {}
    assert REGISTRY.get_sample_value("fraudwatch_shadow_unlike_total") == 0


def test_a_candidate_is_not_compared_without_the_live_lists(
    world: World, policy: Policy, policy_path: Path, tmp_path: Path
) -> None:
    content = policy_path.read_bytes()
    world.live.named = journalled(tmp_path, content)
    world.stream.score(parse_rules(content, LISTS), ActiveModels(), WHOLE)
    world.run(Candidate(comparison=COMPARISON, policy=policy))
    assert world.counts(ShadowDimension.NOT_COMPARED) == {"policy_unknown": len(world.verdicts())}


def test_counts_are_the_same_however_the_topics_are_read(
    world: World, policy: Policy, stricter: Policy
) -> None:
    world.stream.score(policy, ActiveModels(), PARTS)
    results = []
    for seed in range(4):
        world.store = MemoryShadowStore()
        world.run(Candidate(comparison=COMPARISON, policy=stricter), seed=seed)
        progress = world.store.progress(COMPARISON)
        results.append((summed(progress.counted), world.store.examples("0123456789ab")))
    assert all(result == results[0] for result in results)
    live = Counter(verdict.outcome for verdict in world.verdicts())
    pairs = {Pair.parse(value): n for value, n in world.counts(ShadowDimension.PAIR).items()}
    for outcome in Outcome:
        of_live = sum(n for pair, n in pairs.items() if pair.live_outcome is outcome)
        assert of_live == live[outcome]
    # A lower limit makes more alerts and no fewer.
    different = [pair for pair in pairs if pair.live_outcome is not pair.candidate_outcome]
    assert different
    assert {pair.live_outcome for pair in different} == {Outcome.APPROVE}


def test_a_killed_shadow_counts_nothing_twice(
    world: World, policy: Policy, stricter: Policy
) -> None:
    world.stream.score(policy, ActiveModels(), PARTS)
    # Spark scores the last micro-batch again after a crash: the same bytes.
    again = slice(150, len(world.stream.written.verdicts))
    world.stream.written.verdicts += world.stream.written.verdicts[again]
    world.stream.written.features += world.stream.written.features[again]
    world.stream.written.features_versions += world.stream.written.features_versions[again]
    candidate = Candidate(comparison=COMPARISON, policy=stricter)
    for seed in range(60):  # each life ends after a few steps
        world.run(candidate, seed=seed, steps=random.Random(seed).randrange(1, 9))
    killed = summed(world.store.progress(COMPARISON).counted)
    world.store = MemoryShadowStore()
    world.run(candidate, steps=800)
    assert killed == summed(world.store.progress(COMPARISON).counted)
    distinct = {verdict.transaction_id for verdict in world.verdicts()}
    assert sum(world.counts(ShadowDimension.PAIR).values()) == len(distinct)


def test_a_store_that_is_away_loses_and_doubles_nothing(
    world: World, policy: Policy, stricter: Policy
) -> None:
    world.stream.score(policy, ActiveModels(), WHOLE)
    shadow = world.shadow(Candidate(comparison=COMPARISON, policy=stricter))
    chance, failures = random.Random(9), 0
    for _ in range(600):
        world.store.is_reachable = chance.random() > 0.4
        try:
            shadow.step()
        except StoreUnavailable:
            failures += 1
            assert shadow.oldest_ms is not None
    assert failures > 3
    world.store.is_reachable = True
    for _ in range(600):
        shadow.step()
    assert sum(world.counts(ShadowDimension.PAIR).values()) == len(world.verdicts())
    assert shadow.oldest_ms is None


def test_only_alerts_and_different_outcomes_are_stored_by_purchase(
    world: World, policy: Policy, stricter: Policy
) -> None:
    world.stream.score(policy, ActiveModels(), WHOLE)
    world.run(Candidate(comparison=COMPARISON, policy=stricter))
    live = {verdict.transaction_id: verdict for verdict in world.verdicts()}
    stored = world.store.outcomes(COMPARISON.comparison_id, set(live))
    alerts = {name for name, one in live.items() if one.outcome is not Outcome.APPROVE}
    assert alerts <= stored.keys()
    assert all(one and one.outcome is not Outcome.APPROVE for one in stored.values())
    examples = world.store.examples(COMPARISON.comparison_id)
    assert examples
    assert all(
        one.pair.live_outcome is live[one.transaction_id].outcome is not one.pair.candidate_outcome
        for one in examples
    )
    assert all("high_amount" in one.candidate_reasons for one in examples)


def test_what_cannot_be_compared_is_counted_with_its_reason(
    world: World, policy: Policy, stricter: Policy
) -> None:
    world.stream.score(policy, ActiveModels(), WHOLE)
    world.stream.written.features_versions[3] = "another version"
    world.live.by_version = {}
    world.run(Candidate(comparison=COMPARISON, models=ActiveModels()))
    rows = len(world.verdicts())
    assert world.counts(ShadowDimension.NOT_COMPARED) == {
        "policy_unknown": rows - 1,
        "other_features": 1,
    }
    world.store = MemoryShadowStore()
    world.run(Candidate(comparison=COMPARISON, policy=stricter))
    assert sum(world.counts(ShadowDimension.PAIR).values()) == rows - 1
    names = [world.verdicts()[3].transaction_id]
    assert world.store.outcomes(COMPARISON.comparison_id, names) == {names[0]: None}


def test_a_vector_that_never_comes_is_given_up_after_a_while(
    world: World, policy: Policy, stricter: Policy
) -> None:
    world.stream.score(policy, ActiveModels(), WHOLE)
    world.stream.written.features.pop()
    world.stream.written.features_versions.pop()
    shadow = world.shadow(Candidate(comparison=COMPARISON, policy=stricter))
    for _ in range(400):
        shadow.step()
    assert world.counts(ShadowDimension.NOT_COMPARED) == {}
    world.clock_seconds = 31.0
    shadow.step()
    assert world.counts(ShadowDimension.NOT_COMPARED) == {str(NotCompared.NO_VECTOR): 1}


def test_a_comparison_begins_at_its_time(world: World, policy: Policy, stricter: Policy) -> None:
    world.stream.score(policy, ActiveModels(), WHOLE)
    later = replace(COMPARISON, from_at_ms=NOON_MS + 1)
    candidate = Candidate(comparison=later, policy=stricter)
    cursors = [
        world.a_cursor(one, random.Random(1))
        for one in (world.stream.verdicts(), world.stream.vectors(), world.stream.transactions())
    ]
    shadow = PartitionShadow(
        PartitionTopics(*cursors),
        ShadowScoring(candidate, world.live),
        Comparing(world.store, world.store.load(later.comparison_id, 0)),
        from_at_ms=later.from_at_ms,
        max_messages=60,
        give_up_seconds=30.0,
    )
    assert sum(shadow.step() for _ in range(50)) == 0
    assert world.counts(ShadowDimension.PAIR) == {}


def test_amounts_are_summed_by_pair(world: World, policy: Policy) -> None:
    world.stream.score(policy, ActiveModels(), WHOLE)
    world.run(Candidate(comparison=COMPARISON, policy=policy))
    found = summed(world.store.progress(COMPARISON).counted)
    paired = [n for key, n in found.items() if key.dimension is ShadowDimension.PAIR]
    total = sum(n.amount_eur_cents for n in paired)
    assert total == sum(verdict.amount_eur_cents for verdict in world.verdicts())
    versions = {key for key in found if key.dimension is ShadowDimension.CANDIDATE_VERSIONS}
    day = "2026-01-15"
    assert versions == {
        ShadowKey(day, ShadowDimension.CANDIDATE_VERSIONS, f"{policy.version} none")
    }
    assert found[versions.pop()] == ShadowCounts(len(world.verdicts()), total)
