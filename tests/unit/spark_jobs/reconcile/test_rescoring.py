"""A judgement that is made once more: what it follows from, and when there is none."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from hashlib import sha256
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from fraudwatch.adapters.artefacts.policy_file import load_policy
from fraudwatch.adapters.codecs.json_codec import decode, encode
from fraudwatch.adapters.codecs.log_fold import fold_messages, packed, served
from fraudwatch.adapters.memory.chosen_verdicts import MemoryChosenVerdicts
from fraudwatch.adapters.memory.verdict_store import MemoryVerdictStore
from fraudwatch.application.ports import StoreUnavailable
from fraudwatch.domain.features.feature_vector import VECTOR_FEATURES
from fraudwatch.domain.features.fold import features_version
from fraudwatch.domain.features.hashing import keys_of
from fraudwatch.domain.features.state import CustomerState
from fraudwatch.domain.messages.verdict import Mode
from fraudwatch.domain.models.active_models import ActiveModels
from fraudwatch.domain.reconciliation.reconciled import Note
from fraudwatch.domain.views.published import NO_VIEWS
from fraudwatch.samples import NOON_MS, a_token, a_transaction, a_verdict
from fraudwatch.stack.place import ROOT
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
from spark_jobs.reconcile.rescoring import Accepted, Again, JudgedBy, judge_again
from spark_jobs.reconcile.verdict_columns import said_from, said_row

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
BY = JudgedBy(
    policy=POLICY.version,
    models=(),
    risk_view="",
    features=features_version(),
    mode=Mode.RULES_ONLY,
)


@pytest.fixture
def books(tmp_path: Path) -> ArtefactResolver:
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
    whole = served(folded, folded.told_by(NO_VIEWS))
    vectors = zip(MESSAGES, packed(folded.features), packed(whole), strict=True)
    return [Accepted(one, fold, replace(BY, **changes), (all_,)) for one, fold, all_ in vectors]


def again(rows: Sequence[Accepted], books: ArtefactResolver) -> list[Again]:
    return judge_again(rows, books, features_version())


def test_it_is_what_the_detector_said(books: ArtefactResolver) -> None:
    found = again(accepted(), books)
    judgements = [one.computed.scored for one in found]
    assert [one and one.decision for one in judgements] == [
        "approve LOW", "review HIGH", "approve LOW", "review HIGH",
    ]  # fmt: skip
    assert [one.computed.amount_eur_cents for one in found] == [999, 250_000, 4_200, 180_000]
    assert {len(one.computed.features or b"") for one in found} == {8 * len(VECTOR_FEATURES)}
    assert {one.notes for one in found} == {()}
    alone = [again([one], books)[0] for one in accepted()]
    assert alone == found, "whoever else is judged in the same task makes no difference"


@pytest.mark.parametrize(
    ("changes", "note"),
    [
        ({"policy": "2020+00000000"}, Note.POLICY_UNKNOWN),
        ({"models": ("aaaaaaaaaaaa",)}, Note.MODEL_UNKNOWN),
        ({"mode": Mode.WITH_MODEL}, Note.MODEL_UNKNOWN),
        ({"features": "other"}, Note.OTHER_FEATURES),
    ],
)
def test_what_is_gone_is_counted_and_nothing_is_guessed(
    books: ArtefactResolver, changes: dict[str, str], note: Note
) -> None:
    for one in again(accepted(**changes), books):
        assert one.notes == (note,)
        assert one.computed.scored is None
        assert (one.computed.features is None) == (note is Note.OTHER_FEATURES)


def test_a_missing_engine_is_counted(
    books: ArtefactResolver, monkeypatch: pytest.MonkeyPatch
) -> None:
    def missing(_: tuple[str, ...]) -> ActiveModels:
        raise ImportError("no such engine")

    monkeypatch.setattr(books, "models", missing)
    assert {one.notes for one in again(accepted(), books)} == {(Note.ENGINE_MISSING,)}


def test_where_the_view_is_gone_the_score_is_made_of_what_was_served(
    books: ArtefactResolver,
) -> None:
    rows = accepted(risk_view="b" * 12)
    found = again(rows, books)
    assert {one.notes for one in found} == {(Note.VIEWS_UNKNOWN,)}
    assert [one.computed.features for one in found] == [one.features for one in rows]
    plain = [one.computed.scored for one in again(accepted(), books)]
    assert [one.computed.scored for one in found] == plain
    unserved = again([one._replace(served=()) for one in rows], books)
    assert {one.notes for one in unserved} == {(Note.VIEWS_UNKNOWN, Note.VECTOR_UNKNOWN)}


def test_without_the_past_there_is_nothing_to_compare(books: ArtefactResolver) -> None:
    for one in judge_again(accepted(), books, None):
        assert one.notes == (Note.ARCHIVE_INCOMPLETE,)
        assert one.computed.features is None
        assert one.computed.scored is None


def test_of_a_purchase_without_a_verdict_the_features_are_known(books: ArtefactResolver) -> None:
    rows = [one._replace(judged_by=None) for one in accepted()]
    found = again(rows, books)
    assert [one.computed.features for one in found] == [one.features for one in rows]
    assert {one.computed.scored for one in found} == {None}


def test_a_state_comes_back_as_it_was() -> None:
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


def test_a_verdict_says_the_same_of_every_holder() -> None:
    verdict = a_verdict()
    row = said_row(decode(type(verdict), encode(verdict)))
    assert row == said_row(verdict)
    assert said_from(row).digest != said_from(said_row(replace(verdict, route="x"))).digest
    assert said_from(row).scored.decision == "review HIGH"


def test_the_store_is_asked_by_place_and_name() -> None:
    store = MemoryVerdictStore()
    given = [a_verdict(transaction_id=f"shop:{n}", source_offset=n) for n in range(5)]
    store.write(given, [])
    reader = MemoryChosenVerdicts(store)
    chosen = reader.chosen(lambda name, _, offset: name == "shop:4" or offset < 2)
    assert sorted(one.transaction_id for one in chosen) == ["shop:0", "shop:1", "shop:4"]
    store.is_reachable = False
    with pytest.raises(StoreUnavailable):
        list(reader.chosen(lambda *_: True))
