from __future__ import annotations

import dataclasses
import math
from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis.strategies import dictionaries, integers, lists, none, sampled_from, text

from fraudwatch.adapters.codecs.json_codec import decode, encode
from fraudwatch.adapters.codecs.message_frames import events_of, keys_of_column, parse_transactions
from fraudwatch.adapters.codecs.verdict_frames import VerdictInputs, encode_verdicts
from fraudwatch.application.scoring.assess import Assessment
from fraudwatch.domain.features.hashing import keys_of
from fraudwatch.domain.messages.dead_letter import Code
from fraudwatch.domain.messages.explanation import Contribution
from fraudwatch.domain.messages.purchase import Channel, PaymentStatus
from fraudwatch.domain.messages.transaction import Transaction
from fraudwatch.domain.messages.verdict import (
    Mode,
    ModelScore,
    Outcome,
    Reason,
    Risk,
    Verdict,
    verdict_id_of,
)
from fraudwatch.domain.models.active_models import ActiveModels
from fraudwatch.domain.models.evidence import Evidence
from fraudwatch.domain.policy.bounds import NO_BOUNDS, Bounds
from fraudwatch.domain.policy.policy import Level, Policy
from fraudwatch.samples import a_token, a_transaction

POLICY = Policy(
    version="test",
    rules=(),
    levels=(
        Level(Risk.LOW, 0),
        Level(Risk.MEDIUM, 30, "first_line"),
        Level(Risk.HIGH, 50, "first_line"),
        Level(Risk.CRITICAL, 80, "senior"),
    ),
)
LOW, MEDIUM, HIGH = 0, 1, 2  # places in RISKS


GOOD = encode(a_transaction())


def messages(*transactions: Transaction) -> list[bytes]:
    return [encode(transaction) for transaction in transactions]


def test_a_clean_batch_is_parsed_field_by_field() -> None:
    sent = [
        a_transaction(transaction_id="shop:1"),
        a_transaction(transaction_id="shop:ü".encode().hex()),
    ]
    parsed = parse_transactions(messages(*sent))
    assert parsed.refused == []
    for row, transaction in zip(parsed.frame.iter_rows(named=True), sent, strict=True):
        assert row == dataclasses.asdict(transaction)


@pytest.mark.parametrize(
    ("bad", "code"),
    [
        (b"", Code.NOT_JSON),
        (b"garbage", Code.NOT_JSON),
        (b'{"a": 1', Code.NOT_JSON),
        (b"\xff\xfe", Code.NOT_JSON),
        (b"nul\0", Code.NOT_JSON),
        (b'{"schema": NaN}', Code.NOT_JSON),
        (b'{"x": ' + b"[" * 20_000, Code.NOT_JSON),
        (b"[1]", Code.WRONG_SCHEMA),
        (b"{}", Code.WRONG_SCHEMA),
        (b"{}\n{}", Code.WRONG_SCHEMA),
        (encode(a_transaction()).replace(b'"approved"', b'"perhaps"'), Code.WRONG_SCHEMA),
        (encode(a_transaction()).replace(b"2590", b'"2590"'), Code.WRONG_SCHEMA),
        (encode(a_transaction(schema="transaction.v9")), Code.OUT_OF_BOUNDS),
        (encode(a_transaction(amount_eur_cents=-1)), Code.OUT_OF_BOUNDS),
        (encode(a_transaction(transaction_id="x" * 82)), Code.OUT_OF_BOUNDS),
    ],
)
def test_one_bad_message_is_refused_and_the_others_are_parsed(bad: bytes, code: Code) -> None:
    good = messages(a_transaction(transaction_id="shop:1"), a_transaction(transaction_id="shop:2"))
    parsed = parse_transactions([good[0], bad, good[1]])
    assert [(place, why.code) for place, why in parsed.refused] == [(1, code)]
    assert parsed.frame["transaction_id"].to_list() == ["shop:1", "shop:2"]
    assert parsed.position.tolist() == [0, 2]


@settings(deadline=None, max_examples=50)  # the first frames start the reader's threads
@given(
    size=integers(1, 2_500),
    bad=dictionaries(
        integers(0, 2_499), sampled_from([b"", b"garbage", b"{}", GOOD + b"\n" + GOOD])
    ),
)
def test_bad_messages_are_refused_at_any_position(size: int, bad: dict[int, bytes]) -> None:
    batch = [bad.get(place, GOOD) for place in range(size)]
    parsed = parse_transactions(batch)
    refused = [place for place in sorted(bad) if place < size]
    assert [place for place, _ in parsed.refused] == refused
    assert parsed.position.tolist() == [place for place in range(size) if place not in bad]
    assert parsed.frame.height == len(parsed.position)
    assert parsed.frame.schema == parse_transactions([GOOD]).frame.schema


def test_two_in_one_message_and_none_in_another_are_both_refused() -> None:
    parsed = parse_transactions([GOOD + b"\n" + GOOD, b"", GOOD])
    assert [place for place, _ in parsed.refused] == [0, 1]
    assert parsed.position.tolist() == [2]


def test_a_message_written_over_several_lines_is_still_one_message() -> None:
    wrapped = encode(a_transaction()).replace(b",", b",\n")
    parsed = parse_transactions([wrapped])
    assert parsed.frame.height == 1
    assert parsed.refused == []


def test_no_messages_are_no_transactions() -> None:
    assert parse_transactions([]).frame.is_empty()


def test_events_have_the_fields_of_the_fold() -> None:
    events = events_of(
        parse_transactions(
            messages(
                a_transaction(customer_token=a_token("a")),
                a_transaction(customer_token=a_token("b"), payment_status=PaymentStatus.DECLINED),
                a_transaction(
                    customer_token=a_token("a"), channel=Channel.NOT_PRESENT, purchase_latitude=None
                ),
            )
        ).frame,
        np.array([7, 8, 9]),
    )
    assert events.produced_at_ms.tolist() == [7, 8, 9]
    assert events.customer_key[0] == events.customer_key[2] != events.customer_key[1]
    assert events.is_approved.tolist() == [True, False, True]
    assert events.is_present.tolist() == [True, True, False]
    assert np.isnan(events.latitude).tolist() == [False, False, True]


@settings(deadline=None)  # the first column compiles the hash
@given(lists(none() | text(max_size=40), max_size=60), integers(0, 60))
def test_a_column_is_hashed_as_its_texts_are(texts: list[str | None], begin: int) -> None:
    column = pl.Series(texts, dtype=pl.String)
    assert keys_of_column(column[begin:]).tolist() == keys_of(texts[begin:]).tolist()


def test_the_hash_of_a_customer_never_changes() -> None:
    frame = parse_transactions(messages(a_transaction(customer_token=a_token("a")))).frame
    # A changed value would give every customer a new row and lose all state.
    assert events_of(frame, np.zeros(1, dtype=np.int64)).customer_key[0] == np.uint64(
        0x47D86D5467628746
    )


def decided(
    levels: list[int],
    reasons: list[tuple[Reason, ...]],
    models: ActiveModels = ActiveModels(),  # noqa: B008  it is immutable
    evidence: Evidence = Evidence(),  # noqa: B008  it is immutable
    explanations: Mapping[int, tuple[Contribution, ...]] = MappingProxyType({}),
    **changes: Any,
) -> VerdictInputs:
    """Inputs of verdicts with these levels; every level above LOW is reviewed."""
    rows = len(levels)
    assessment = Assessment(
        score=np.array([POLICY.levels[level].from_points / 100 for level in levels]),
        level=np.array(levels, dtype=np.int64),
        outcome=(np.array(levels, dtype=np.int64) > LOW).astype(np.int64),
        is_control=np.zeros(rows, dtype=np.bool_),
        is_novel=np.zeros(rows, dtype=np.bool_),
        answers=np.zeros((rows, 0), dtype=np.int8),
        reasons=tuple(reasons),
        mode=Mode.RULES_ONLY,
        bounds=NO_BOUNDS,
    )._replace(**changes)
    return VerdictInputs(
        assessment=assessment,
        policy=POLICY,
        models=models,
        evidence=evidence,
        explanations=explanations,
        features_version="f",
        risk_view=[""] * (rows - 1) + ["0123456789ab"] * (rows > 0),
        source_partition=np.ones(rows, dtype=np.int64),
        source_offset=np.arange(rows, dtype=np.int64),
        decided_at_ms=1_234,
    )


@dataclass
class Named:
    """Model with the only field that a verdict names."""

    version: str


def test_verdicts_have_model_scores_and_explanations() -> None:
    frame = parse_transactions(
        messages(a_transaction(transaction_id="shop:1"), a_transaction(transaction_id="shop:2"))
    ).frame
    models: Any = ActiveModels(anomaly=Named("aaa"), fraud=Named("bbb"))  # type: ignore[arg-type]
    contributions = (Contribution("amount_eur_cents", 2_590.0, None, 3.5),)
    evidence = Evidence(anomaly=np.array([0.25, 0.5]), fraud=np.array([0.125, 1.0]))
    values = encode_verdicts(
        frame, decided([LOW, HIGH], [(), ()], models, evidence, {1: contributions})
    )
    first, second = (decode(Verdict, value) for value in values)
    assert first.model_scores == (
        ModelScore("anomaly", "aaa", 0.25),
        ModelScore("fraud", "bbb", 0.125),
    )
    assert second.model_scores == (
        ModelScore("anomaly", "aaa", 0.5),
        ModelScore("fraud", "bbb", 1.0),
    )
    assert (first.explanation, second.explanation) == ((), contributions)


def test_without_models_verdicts_have_no_model_scores() -> None:
    frame = parse_transactions(messages(a_transaction())).frame
    (verdict,) = (decode(Verdict, one) for one in encode_verdicts(frame, decided([LOW], [()])))
    assert (verdict.model_scores, verdict.explanation) == ((), ())


def test_verdicts_have_outcome_reasons_and_transaction_fields() -> None:
    reason = Reason("high_amount", 50, 'high: "1,200.00" EUR — naïve\n')
    frame = parse_transactions(
        messages(a_transaction(transaction_id="shop:1"), a_transaction(transaction_id="shop:2"))
    ).frame
    values = encode_verdicts(frame, decided([LOW, HIGH], [(), (reason,)]))
    harmless, risky = (decode(Verdict, value) for value in values)
    assert (harmless.outcome, harmless.risk, harmless.reasons) == (Outcome.APPROVE, Risk.LOW, ())
    assert (risky.outcome, risky.risk, risky.reasons) == (Outcome.REVIEW, Risk.HIGH, (reason,))
    assert risky.verdict_id == verdict_id_of("shop:2")
    assert (risky.source_partition, risky.source_offset, risky.decided_at_ms) == (1, 1, 1_234)
    assert risky.mode is Mode.RULES_ONLY
    assert (harmless.route, risky.route) == ("", "first_line")
    assert (harmless.risk_view, risky.risk_view) == ("", "0123456789ab")
    sent = a_transaction()
    for name in ("customer_token", "event_at_ms", "amount_eur_cents", "merchant_id", "card_last4"):
        assert getattr(risky, name) == getattr(sent, name), name


@pytest.mark.parametrize(
    ("mode", "decline_from", "expected"),
    [
        (Mode.WITH_MODEL, 0.97, (0.08, 0.97, "cccccccccccc")),
        (Mode.WITH_MODEL, math.inf, (0.08, None, "cccccccccccc")),
        (Mode.RULES_ONLY, 0.97, (None, None, "")),
    ],
)
def test_verdicts_with_a_models_score_name_its_bounds_and_calibration(
    mode: Mode, decline_from: float, expected: tuple[float | None, float | None, str]
) -> None:
    frame = parse_transactions(messages(a_transaction())).frame
    models: Any = ActiveModels(fraud=Named("bbb"), calibration=Named("cccccccccccc"))  # type: ignore[arg-type]
    inputs = decided(
        [HIGH],
        [()],
        models,
        Evidence(fraud=np.array([0.9])),
        mode=mode,
        bounds=Bounds(review_from=0.08, decline_from=decline_from),
    )
    (found,) = (decode(Verdict, one) for one in encode_verdicts(frame, inputs))
    assert (found.review_from_score, found.decline_from_score, found.calibration) == expected


def test_verdicts_are_marked_as_control_group_or_novelty() -> None:
    frame = parse_transactions(messages(a_transaction(), a_transaction())).frame
    inputs = decided(
        [HIGH, MEDIUM],
        [(), ()],
        is_control=np.array([True, False]),
        is_novel=np.array([False, True]),
    )
    found = [decode(Verdict, one) for one in encode_verdicts(frame, inputs)]
    assert [(one.is_control, one.is_novel) for one in found] == [(True, False), (False, True)]


def test_no_transactions_make_no_verdicts() -> None:
    assert encode_verdicts(parse_transactions([]).frame, decided([], [])) == []


def test_a_frame_keeps_integers_that_floats_would_round() -> None:
    big = 9_007_199_254_740_993
    parsed = parse_transactions(messages(a_transaction(amount_eur_cents=big)))
    assert parsed.frame["amount_eur_cents"].dtype == pl.Int64
    assert parsed.frame["amount_eur_cents"][0] == big
