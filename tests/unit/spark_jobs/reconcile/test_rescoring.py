"""Rescoring of purchases: by which artefacts, and the notes where it is impossible."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from hashlib import sha256
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import xgboost as xgb

from fraudwatch.adapters.artefacts.calibration_artefact import read_calibration
from fraudwatch.adapters.artefacts.model_artefact import write_artefact
from fraudwatch.adapters.artefacts.model_pointer import Pointer
from fraudwatch.adapters.artefacts.policy_file import load_policy, parse_policy, short_hash
from fraudwatch.adapters.artefacts.reloadable_models import load_named
from fraudwatch.adapters.artefacts.xgboost_model import xgboost_artefact
from fraudwatch.adapters.codecs.json_codec import decode, encode
from fraudwatch.adapters.codecs.log_fold import fold_messages, full_vector, packed
from fraudwatch.adapters.memory.chosen_verdicts import MemoryChosenVerdicts
from fraudwatch.adapters.memory.verdict_store import MemoryVerdictStore
from fraudwatch.application.ports import StoreUnavailable
from fraudwatch.domain.features.feature_vector import VECTOR_FEATURES
from fraudwatch.domain.features.fold import features_version
from fraudwatch.domain.features.hashing import keys_of
from fraudwatch.domain.features.state import CustomerState
from fraudwatch.domain.messages.verdict import Mode
from fraudwatch.domain.models.active_models import ActiveModels
from fraudwatch.domain.models.fitted import ModelKind, ModelMetadata, normal_of
from fraudwatch.domain.policy.bounds import bounds_of
from fraudwatch.domain.reconciliation.reconciled import Note
from fraudwatch.domain.views.published import NO_VIEWS
from fraudwatch.samples import NOON_MS, a_token, a_transaction, a_verdict
from fraudwatch.stack.home import ROOT
from spark_jobs.reconcile.artefact_resolver import (
    ArtefactFolders,
    ArtefactResolver,
    resolve_artefacts,
)
from spark_jobs.reconcile.customer_state_bytes import (
    BrokenState,
    rows_from,
    state_bytes,
    with_states,
)
from spark_jobs.reconcile.rescoring import Accepted, Rescored, VerdictVersions, rescore
from spark_jobs.reconcile.verdict_columns import recorded_verdict, verdict_row
from tests.calibrations import write_a_calibration

POLICY_FILE = ROOT / "contracts/policies/default.yaml"
POLICY = load_policy(POLICY_FILE)
MESSAGES = [
    encode(
        a_transaction(
            transaction_id=f"shop:{number}", event_at_ms=NOON_MS + number * 1_000,
            amount_eur_cents=amount, customer_token=a_token("ab"[number % 2]),
        )
    )
    for number, amount in enumerate([999, 250_000, 4_200, 180_000])
]  # fmt: skip
BY = VerdictVersions(
    policy=POLICY.version,
    models=(),
    risk_view="",
    calibration="",
    features=features_version(),
    mode=Mode.RULES_ONLY,
)


@pytest.fixture
def artefacts(tmp_path: Path) -> ArtefactResolver:
    content = POLICY_FILE.read_bytes()
    (tmp_path / f"{sha256(content).hexdigest()}.yaml").write_bytes(content)
    (tmp_path / "broken.yaml").write_text("version: [")
    folders = ArtefactFolders(policies=(tmp_path,), models=(), views=())
    found = resolve_artefacts(
        folders, [POLICY.version, "2020+00000000"], ["aaaaaaaaaaaa"], ["", "b" * 12]
    )
    assert set(found.policies) == {POLICY.version}
    assert [path.parent for path in found.files] == [tmp_path]
    return ArtefactResolver(found, tmp_path)


def accepted(**changes: Any) -> list[Accepted]:
    folded = fold_messages(CustomerState(), MESSAGES, np.full(len(MESSAGES), NOON_MS + 10**6))
    whole = full_vector(folded, folded.enrich_with_views(NO_VIEWS))
    vectors = zip(MESSAGES, packed(folded.features), packed(whole), strict=True)
    return [Accepted(one, fold, replace(BY, **changes), (all_,)) for one, fold, all_ in vectors]


def vector_of(row: int) -> np.ndarray[Any, Any]:
    served = accepted()[row].served[0]
    return np.frombuffer(served, dtype="<f8")[None]


def test_a_policy_is_resolved_by_its_content_and_never_by_its_name(tmp_path: Path) -> None:
    used, lists_used = tmp_path / "policies", tmp_path / "lists"
    used.mkdir()
    lists_used.mkdir()
    one = POLICY_FILE.read_bytes()
    other = one.replace(b"more_than: 6", b"more_than: 7")
    lists = b"entries: []\n"
    for folder, content in ((used, one), (used, other), (lists_used, lists)):
        (folder / f"{sha256(content).hexdigest()}.yaml").write_bytes(content)
    # Files with the wanted name and hash that are something else.
    (used / "default.yaml").write_bytes(one)
    altered = one + b"# edited\n"
    version = parse_policy(altered).version
    (used / f"{sha256(altered).hexdigest()}.yaml").write_bytes(one)
    changed = parse_policy(other).version
    with_both = f"{changed}+{short_hash(lists)}"
    folders = ArtefactFolders(policies=(used, lists_used), models=(), views=())
    wanted = [
        POLICY.version,
        parse_policy(other).version,
        with_both,
        version,
        f"{version}+00000000",
    ]
    found = resolve_artefacts(folders, wanted, [], [])
    assert set(found.policies) == set(wanted[:3])
    for file in found.files:
        (tmp_path / file.name).write_bytes(file.read_bytes())
    resolver = ArtefactResolver(found, tmp_path)
    policies = [resolver.policy(name) for name in wanted[:3]]
    assert [one.version for one in policies if one] == wanted[:3]
    assert [any(rule.name == "deny_list" for rule in one.rules) for one in policies if one] == [
        False, False, True
    ]  # fmt: skip


def rescored(rows: Sequence[Accepted], artefacts: ArtefactResolver) -> list[Rescored]:
    return rescore(rows, artefacts, features_version())


def test_rescoring_gives_the_detectors_verdict(artefacts: ArtefactResolver) -> None:
    found = rescored(accepted(), artefacts)
    outcomes = [one.computed.scored for one in found]
    assert [one and one.decision for one in outcomes] == [
        "approve LOW", "review HIGH", "approve LOW", "review HIGH",
    ]  # fmt: skip
    assert [one.computed.amount_eur_cents for one in found] == [999, 250_000, 4_200, 180_000]
    assert {len(one.computed.features or b"") for one in found} == {8 * len(VECTOR_FEATURES)}
    assert {one.notes for one in found} == {()}
    alone = [rescored([one], artefacts)[0] for one in accepted()]
    assert alone == found, "other purchases of the same task make no difference"


def a_classifier(folder: Path) -> str:
    """Write a classifier that sees the amount alone, and return its hash."""
    cents = np.random.default_rng(1).integers(100, 300_000, (400, 1)).astype(np.float64)
    data = xgb.DMatrix(cents, (cents[:, 0] > 150_000).astype(float))
    booster = xgb.train({"objective": "binary:logistic", "nthread": 1}, data, num_boost_round=20)
    about = ModelMetadata(
        kind=ModelKind.XGBOOST,
        features=("amount_eur_cents",),
        features_version=features_version(),
        fitted_at_ms=1,
        rows=400,
        from_ms=1,
        until_ms=2,
    )
    return write_artefact(folder, xgboost_artefact(booster, about, normal_of(cents)))


def test_a_calibrated_score_is_recomputed_with_the_calibration_that_the_verdict_names(
    tmp_path: Path,
) -> None:
    model = a_classifier(tmp_path)
    one, renewed = (
        write_a_calibration(tmp_path, model, features_version=features_version(), seed=seed)
        for seed in (1, 2)
    )
    content = POLICY_FILE.read_bytes()
    (tmp_path / f"{sha256(content).hexdigest()}.yaml").write_bytes(content)
    folders = ArtefactFolders(policies=(tmp_path,), models=(tmp_path,), views=())
    versions: dict[str, Any] = {"models": (model[:12],), "mode": Mode.WITH_MODEL}
    found = resolve_artefacts(
        folders, [POLICY.version], [model[:12]], [""], [one[:12], renewed[:12]]
    )
    sent = {path.name for path in found.files}
    assert {f"{one}.calibration.npz", f"{renewed}.calibration.npz"} <= sent
    resolver = ArtefactResolver(found, tmp_path)
    for calibration in (one, renewed):
        by_hash = read_calibration(tmp_path, calibration)
        cheap, dear = (
            row.computed.scored
            for row in rescored(accepted(calibration=calibration[:12], **versions), resolver)[:2]
        )
        assert cheap is not None
        assert dear is not None
        assert cheap.score < bounds_of(POLICY, by_hash).review_from <= dear.score
        classifier = load_named(tmp_path, Pointer({ModelKind.XGBOOST: model})).fraud
        assert classifier is not None
        assert dear.score == by_hash.score(classifier.log_odds(vector_of(1))).item()
    [by_points, *_] = rescored(accepted(**versions)[1:], resolver)
    assert by_points.computed.scored is not None
    assert by_points.computed.scored.score == pytest.approx(0.5, abs=0.01)


@pytest.mark.parametrize(
    ("changes", "note"),
    [
        ({"policy": "2020+00000000"}, Note.POLICY_UNKNOWN),
        ({"models": ("aaaaaaaaaaaa",)}, Note.MODEL_UNKNOWN),
        ({"mode": Mode.WITH_MODEL}, Note.MODEL_UNKNOWN),
        ({"calibration": "cccccccccccc"}, Note.MODEL_UNKNOWN),
        ({"features": "other"}, Note.OTHER_FEATURES),
    ],
)
def test_missing_artefacts_are_counted_and_never_substituted(
    artefacts: ArtefactResolver, changes: dict[str, str], note: Note
) -> None:
    for one in rescored(accepted(**changes), artefacts):
        assert one.notes == (note,)
        assert one.computed.scored is None
        assert (one.computed.features is None) == (note is Note.OTHER_FEATURES)


def test_a_missing_engine_is_counted(
    artefacts: ArtefactResolver, monkeypatch: pytest.MonkeyPatch
) -> None:
    def missing(*_: object) -> ActiveModels:
        raise ImportError("no such engine")

    monkeypatch.setattr(artefacts, "models", missing)
    assert {one.notes for one in rescored(accepted(), artefacts)} == {(Note.ENGINE_MISSING,)}


def test_without_the_view_the_served_view_features_are_used(artefacts: ArtefactResolver) -> None:
    rows = accepted(risk_view="b" * 12)
    found = rescored(rows, artefacts)
    assert {one.notes for one in found} == {(Note.VIEWS_UNKNOWN,)}
    assert [one.computed.features for one in found] == [one.features for one in rows]
    plain = [one.computed.scored for one in rescored(accepted(), artefacts)]
    assert [one.computed.scored for one in found] == plain
    unserved = rescored([one._replace(served=()) for one in rows], artefacts)
    assert {one.notes for one in unserved} == {(Note.VIEWS_UNKNOWN, Note.VECTOR_UNKNOWN)}


def test_with_an_incomplete_archive_nothing_is_compared(artefacts: ArtefactResolver) -> None:
    for one in rescore(accepted(), artefacts, None):
        assert one.notes == (Note.ARCHIVE_INCOMPLETE,)
        assert one.computed.features is None
        assert one.computed.scored is None


def test_a_purchase_without_a_verdict_has_features_only(artefacts: ArtefactResolver) -> None:
    rows = [one._replace(versions=None) for one in accepted()]
    found = rescored(rows, artefacts)
    assert [one.computed.features for one in found] == [one.features for one in rows]
    assert {one.computed.scored for one in found} == {None}


def test_a_state_survives_its_encoding() -> None:
    whole, half = CustomerState(), CustomerState()
    at_ms = np.full(len(MESSAGES), NOON_MS + 10**6)
    fold_messages(whole, MESSAGES, at_ms)
    fold_messages(half, MESSAGES[:2], at_ms[:2])
    kept = half.copied()
    texts = state_bytes(kept.rows)
    assert texts == state_bytes(rows_from(texts))
    continued = with_states(CustomerState(), kept.keys, texts)
    after = fold_messages(continued, MESSAGES[2:], at_ms[2:])
    plain = fold_messages(CustomerState(), MESSAGES, at_ms)
    assert packed(after.features) == packed(plain.features)[2:]
    assert set(state_bytes(continued.copied().rows)) == set(state_bytes(whole.copied().rows))
    assert with_states(half, keys_of([]), []) is half
    with pytest.raises(BrokenState, match="core_customer_states"):
        rows_from([texts[0][:-1]])


def test_a_verdict_has_the_same_columns_from_every_source() -> None:
    verdict = a_verdict()
    row = verdict_row(decode(type(verdict), encode(verdict)))
    assert row == verdict_row(verdict)
    assert (
        recorded_verdict(row).digest
        != recorded_verdict(verdict_row(replace(verdict, route="x"))).digest
    )
    assert recorded_verdict(row).scored.decision == "review HIGH"


def test_the_store_is_read_by_offset_or_id() -> None:
    store = MemoryVerdictStore()
    given = [a_verdict(transaction_id=f"shop:{n}", source_offset=n) for n in range(5)]
    store.write(given, [])
    reader = MemoryChosenVerdicts(store)
    chosen = reader.chosen(lambda name, _, offset: name == "shop:4" or offset < 2)
    assert sorted(one.transaction_id for one in chosen) == ["shop:0", "shop:1", "shop:4"]
    store.is_reachable = False
    with pytest.raises(StoreUnavailable):
        list(reader.chosen(lambda *_: True))
