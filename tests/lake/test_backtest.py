"""A policy backtested over a small world that the production encoders wrote into the lake."""

from __future__ import annotations

import json
import random
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import numpy as np
import pytest
from pyspark.sql import DataFrame, SparkSession

from fraudwatch import lake
from fraudwatch.adapters.artefacts.calibration_artefact import (
    CALIBRATION_FILES,
    read_calibration,
)
from fraudwatch.adapters.artefacts.policy_file import parse_policy
from fraudwatch.adapters.codecs.json_codec import encode
from fraudwatch.adapters.codecs.log_fold import FoldedMessages, fold_messages, full_vector, packed
from fraudwatch.adapters.codecs.verdict_frames import VerdictInputs, encode_verdicts
from fraudwatch.adapters.lake.core_rows import FROM_LOG, core_transactions, core_verdicts
from fraudwatch.application.scoring.assess import assess
from fraudwatch.domain.calibration.calibration import Calibration
from fraudwatch.domain.features.fold import features_version
from fraudwatch.domain.features.state import CustomerState
from fraudwatch.domain.messages.purchase import PaymentStatus
from fraudwatch.domain.models.active_models import ActiveModels
from fraudwatch.domain.models.evidence import Evidence
from fraudwatch.domain.policy.bounds import bounds_of
from fraudwatch.domain.policy.list_document import (
    ListEntry,
    ListKind,
    ListName,
    PolicyLists,
    with_lists,
)
from fraudwatch.domain.policy.policy import Policy
from fraudwatch.domain.views.published import NO_VIEWS
from fraudwatch.samples import a_token, a_transaction
from fraudwatch.settings import LakeSettings
from fraudwatch.stack.home import ROOT
from fraudwatch.topics import FEATURES_VERSION_HEADER, TRANSACTION_ID_HEADER
from spark_jobs.backtest import backtest_policy
from spark_jobs.backtest.backtest_policy import Candidate, backtest
from spark_jobs.days import Days
from spark_jobs.refine.lake_messages import transactions_of, verdicts_of
from tests.calibrations import write_a_calibration

DAYS = Days(date(2025, 6, 10), date(2025, 6, 12))  # this file's own
DEFAULT = (ROOT / "contracts/policies/default.yaml").read_text(encoding="utf-8")
# Wide limits, so that every outcome, the control group and novelty occur among few purchases.
WIDE = {
    "review: {alerts_a_day: 60, share_at_most: 0.1}": (
        "review: {alerts_a_day: 80, share_at_most: 0.5}\nchallenge: {from_score: 0.4}"
    ),
    "precision_at_least: 0.9, honest_declined_at_most: 0.00005": (
        "precision_at_least: 0.8, honest_declined_at_most: 0.02"
    ),
    'share: 0.0, salt: ""': 'share: 0.3, salt: "salt of the backtest"',
}
HIGH_AMOUNT = "high_amount: {points: 50, at_least_eur_cents: 100000}"
OUTCOMES = ("approve", "review", "challenge", "decline")


def widened(text: str) -> str:
    for shipped, wide in WIDE.items():
        assert text.count(shipped) == 1
        text = text.replace(shipped, wide)
    return text


TEXT = widened(DEFAULT)
LIVE = parse_policy(TEXT.encode())
STRONGER = TEXT.replace(HIGH_AMOUNT, HIGH_AMOUNT.replace("100000", "50000"))
PURCHASES = 600
RANGE = ("--from", DAYS.first.isoformat(), "--until", DAYS.last.isoformat())
CUSTOMERS = "abcdefghijkl"
NOW_MS = DAYS.until_ms + 30 * 86_400_000
RAW = (
    "source_partition INT, source_offset BIGINT, produced_at TIMESTAMP, key STRING, value BINARY, "
    "headers ARRAY<STRUCT<key: STRING, value: BINARY>>, produced_on DATE"
)
FEATURES = """transaction_id STRING, source_partition INT, source_offset BIGINT, features BINARY,
  features_version STRING, event_on DATE"""
LABELS = """transaction_id STRING, verdict STRING, source STRING, by STRING, known_at_ms BIGINT,
  known_on DATE"""
# Their served vector is missing or of another features version; the last two are not recomputed.
NO_VECTOR, OTHER, NEVER, NEVER_OURS = "bt:10", "bt:20", "bt:30", "bt:40"
# Watch-list matches by number; the rule hits from .92 on.
SIMILAR = {number: 0.95 if number % 120 == 7 else 0.9 for number in range(7, 600, 60)}
LISTED = [number for number, similarity in SIMILAR.items() if similarity > 0.92]
UNSEEN = "bt:unseen"  # from the extract alone: the stream never scored it


@dataclass(frozen=True)
class World:
    verdicts: dict[str, dict[str, Any]]
    labels: dict[str, tuple[str, str]]  # verdict and source
    calibrations: Path

    def label(self, name: str) -> str | None:
        return self.labels.get(name, (None, ""))[0]


def bought() -> list[bytes]:
    chance = random.Random(11)
    step_ms = (DAYS.until_ms - DAYS.from_ms) // PURCHASES
    found = []
    for number in range(PURCHASES):
        customer = "a" if 200 <= number < 230 else chance.choice(CUSTOMERS)
        at_ms = DAYS.from_ms + number * step_ms
        if customer == "a" and 200 <= number < 230:
            at_ms = DAYS.from_ms + 200 * step_ms + number * 1_000  # a burst
        size = chance.random()
        cents = chance.randrange(100, 20_000) if size < 0.6 else chance.randrange(20_000, 400_000)
        is_paid = chance.random() < 0.9
        found.append(
            a_transaction(
                transaction_id=f"bt:{number}",
                customer_token=a_token(customer),
                card_token=a_token(customer) if number % 9 else None,
                event_at_ms=at_ms,
                amount_eur_cents=cents,
                amount_minor=cents,
                payment_status=PaymentStatus.APPROVED if is_paid else PaymentStatus.DECLINED,
                merchant_id=f"m-{chance.randrange(6)}",
                device_token=a_token(chance.choice("mnopq")) if number % 4 else None,
                watch_list_entry="x@0a1b2c3d:NK-1" if number in SIMILAR else None,
                watch_list_similarity=SIMILAR.get(number),
            )
        )
    return [encode(one) for one in sorted(found, key=lambda one: one.event_at_ms)]


def score(
    folded: FoldedMessages, policy: Policy, calibrations: list[Calibration]
) -> tuple[list[bytes], list[bytes]]:
    """Score messages to verdicts and vectors: one half without models, a quarter by calibration."""
    features = full_vector(folded, folded.enrich_with_views(NO_VIEWS))
    rows, half = len(features), len(features) // 2
    chance = np.random.default_rng(3)
    verdicts: list[bytes] = []
    parts = ((0, half, None), (half, 3 * half // 2, calibrations[0]),
             (3 * half // 2, rows, calibrations[1]))  # fmt: skip
    for start, end, calibration in parts:
        anomaly, probability = chance.random(end - start) ** 0.02, chance.random(end - start) ** 3
        evidence, models = Evidence(), ActiveModels()
        if calibration is not None:
            evidence = Evidence(anomaly, probability**2, probability)
            models = cast(
                "ActiveModels",
                SimpleNamespace(
                    anomaly_version="a" * 12, model_version="b" * 12, calibration=calibration
                ),
            )
        whole = folded.rule_input(features)
        part = whole._replace(
            amount_eur_cents=whole.amount_eur_cents[start:end],
            features=whole.features[start:end],
            **{name: getattr(whole, name)[start:end] for name in whole._fields[2:]},
        )
        decided = VerdictInputs(
            assess(part, policy, evidence, bounds_of(policy, calibration)), policy, models,
            evidence, {}, features_version(),
            [""] * (end - start), np.zeros(end - start, np.int64),
            np.arange(start, end), DAYS.until_ms,
        )  # fmt: skip
        verdicts += encode_verdicts(folded.frame[start:end], decided)
    return verdicts, packed(features)


def raw(spark: SparkSession, values: list[bytes], headers: list[Any] | None = None) -> DataFrame:
    at = datetime(2025, 6, 20, tzinfo=UTC)  # history, replayed later
    rows = [
        (0, place, at, "key", value, headers[place] if headers else [], at.date())
        for place, value in enumerate(values)
    ]
    return spark.createDataFrame(rows, RAW)


def headers_of(name: str, version: str) -> list[tuple[str, bytes]]:
    return [(TRANSACTION_ID_HEADER, name.encode()), (FEATURES_VERSION_HEADER, version.encode())]


@pytest.fixture(scope="module")
def world(spark: SparkSession, tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    yield laid_out(spark, tmp_path_factory.mktemp("calibrations"))
    core = (lake.CORE_TRANSACTIONS, lake.CORE_VERDICTS, lake.CORE_FEATURES, lake.CORE_LABELS)
    for table in core:
        spark.sql(f"DELETE FROM {table} WHERE transaction_id LIKE 'bt:%'")  # noqa: S608  our names
    spark.sql(f"DELETE FROM {lake.RAW_FEATURE_TOPIC} WHERE produced_on = DATE'2025-06-20'")  # noqa: S608  our names


def laid_out(spark: SparkSession, folder: Path) -> World:
    messages = bought()
    folded = fold_messages(CustomerState(), messages, np.full(len(messages), NOW_MS))
    names = folded.frame["transaction_id"].to_list()
    assert len(names) == PURCHASES
    calibrations = [
        read_calibration(folder, write_a_calibration(folder, "b" * 64, seed=seed))
        for seed in (1, 2)
    ]
    verdicts, vectors = score(folded, LIVE, calibrations)
    labels = random_labels(names)
    unseen = encode(a_transaction(transaction_id=UNSEEN, event_at_ms=DAYS.from_ms + 5))
    purchases = core_transactions(transactions_of(raw(spark, [*messages, unseen])), FROM_LOG)
    _append(purchases, lake.CORE_TRANSACTIONS)
    _append(core_verdicts(verdicts_of(raw(spark, verdicts))), lake.CORE_VERDICTS)
    _append(archived_vectors(spark, names, vectors), lake.RAW_FEATURE_TOPIC)
    folds = {name: bytes(one) for name, one in zip(names, packed(folded.features), strict=True)}
    rows = [
        (name, 0, 0, folds[name], features_version(), DAYS.first)
        for name in (NO_VECTOR, OTHER, "bt:50")
    ]
    _append(spark.createDataFrame(rows, FEATURES), lake.CORE_FEATURES)
    _append(label_rows(spark, labels), lake.CORE_LABELS)
    by_id = {one["transaction_id"]: one for one in map(json.loads, verdicts)}
    return World(by_id, labels, folder)


def random_labels(names: list[str]) -> dict[str, tuple[str, str]]:
    chance = random.Random(5)
    labels = {}
    for name in names:
        draw = chance.random()
        if draw < 0.1:
            labels[name] = ("fraud", chance.choice(["chargeback", "analyst"]))
        elif draw < 0.25:
            labels[name] = ("genuine", "analyst")
    return labels


def label_rows(spark: SparkSession, labels: dict[str, tuple[str, str]]) -> DataFrame:
    at_ms, on = DAYS.until_ms + 1, date(2025, 6, 13)
    rows = [(name, label, source, "x", at_ms, on) for name, (label, source) in labels.items()]
    # Known only after the backtest began.
    rows.append(("bt:1", "fraud", "chargeback", "x", NOW_MS + 1, date(2025, 7, 13)))
    return spark.createDataFrame(rows, LABELS)


def archived_vectors(spark: SparkSession, names: list[str], vectors: list[bytes]) -> DataFrame:
    values, headers = [], []
    for name, vector in zip(names, vectors, strict=True):
        if name in (NO_VECTOR, NEVER):
            continue
        is_of_others = name in (OTHER, NEVER_OURS)
        values.append(vector[:16] if is_of_others else vector)
        headers.append(headers_of(name, "yesterday" if is_of_others else features_version()))
        if name == "bt:60":  # replayed after a crash
            values.append(vector)
            headers.append(headers_of(name, features_version()))
        if name == "bt:70":  # and of another features version later, after a replay
            values.append(vector[::-1])
            headers.append(headers_of(name, "tomorrow"))
    return raw(spark, values, headers)


def _append(rows: DataFrame, table: str) -> None:
    rows.writeTo(f"{lake.DATABASE}.{table}").append()


@pytest.fixture(scope="module")
def self_backtest(spark: SparkSession, world: World) -> dict[str, Any]:
    """Backtest the live policy as its own candidate."""
    return backtest(spark, DAYS, Candidate("default", LIVE), [world.calibrations], NOW_MS)


def test_the_live_policy_reproduces_its_verdicts(
    self_backtest: dict[str, Any], world: World
) -> None:
    found = self_backtest
    both, coverage, live = found["overlap"], found["coverage"], found["live"]
    # Every outcome, every score, every rule.
    assert (both["judged_by_both"], both["same_outcome_ratio"]) == (PURCHASES - 2, 1.0)
    assert both["alert_overlap_ratio"] == 1.0
    outcomes = Counter(one["outcome"] for one in world.verdicts.values())
    assert live["outcomes"] == dict(outcomes)
    assert outcomes.keys() == set(OUTCOMES)
    assert min(outcomes.values()) > 20, "the world shows every outcome"
    for mark in ("is_control", "is_novel"):
        assert sum(one[mark] for one in world.verdicts.values()) > 5
    assert {one: found["bounds"][one]["review_from"] for one in found["bounds"]} == {
        one["calibration"]: one["review_from_score"]
        for one in world.verdicts.values()
        if one["calibration"]
    }
    for rule in found["rules"].values():
        lost = rule["live"]["hits"] - rule["candidate"]["hits"]
        assert 0 <= lost <= 2, "of the two that can no longer be scored"
    assert found["rules"]["rapid_purchases"]["candidate"]["hits"] > 10
    assert found["rules"]["watch_list_match"]["candidate"]["hits"] == len(LISTED)
    assert coverage["purchases"] == PURCHASES + 1
    assert coverage["judged_by"] == {
        "served_vector": PURCHASES - 4,
        "recomputed_because_no_vector": 1,
        "recomputed_because_other_features": 1,
    }
    assert coverage["not_judged"] == {"no_vector": 2, "other_features": 1, "calibration_gone": 0}
    assert coverage["with_live_verdict"] == PURCHASES
    assert coverage["with_fraud_score"] == coverage["with_anomaly_score"] >= PURCHASES // 2 - 2
    assert found["served_by"] == {
        "policies": {LIVE.version: PURCHASES},
        "models": {f"anomaly {'a' * 12}": PURCHASES // 2, f"fraud {'b' * 12}": PURCHASES // 2},
    }


def test_only_labels_known_by_then_count(self_backtest: dict[str, Any], world: World) -> None:
    found = self_backtest["live"]
    alerts = {name for name, one in world.verdicts.items() if one["outcome"] != "approve"}
    frauds = {name for name, (label, _) in world.labels.items() if label == "fraud"}
    decided = {name for name, (_, who) in world.labels.items() if who == "analyst"}
    assert found["alerts"] == len(alerts)
    assert found["recall"] == pytest.approx(len(alerts & frauds) / len(frauds))
    assert found["precision_of_decided"] == pytest.approx(
        len(alerts & decided & frauds) / len(alerts & decided)
    )
    assert found["precision_of_labelled"] == pytest.approx(
        len(alerts & frauds) / len(alerts & world.labels.keys())
    )
    paid = {n: one for n, one in world.verdicts.items() if one["payment_status"] == "approved"}
    assert found["money"]["missed_eur_cents"] == sum(
        one["amount_eur_cents"] for n, one in paid.items() if n in frauds - alerts
    )
    assert found["money"]["wrongly_blocked_eur_cents"] == sum(
        one["amount_eur_cents"]
        for n, one in paid.items()
        if one["outcome"] == "decline" and world.label(n) == "genuine"
    )


def expected(verdict: dict[str, Any]) -> str:
    """Compute a verdict's outcome with fifty more points, which count only without a model."""
    is_hit = 50_000 <= verdict["amount_eur_cents"] < 100_000
    is_raised = is_hit and verdict["mode"] != "with_model" and verdict["outcome"] == "approve"
    return "review" if is_raised else str(verdict["outcome"])


def test_a_rule_made_stronger_changes_exactly_what_it_hits(
    spark: SparkSession, world: World
) -> None:
    stronger = Candidate("stronger", parse_policy(STRONGER.encode()))
    found = backtest(spark, DAYS, stronger, [world.calibrations], NOW_MS)
    scored = {n: one for n, one in world.verdicts.items() if n not in (NEVER, NEVER_OURS)}
    pairs = Counter((one["outcome"], expected(one)) for one in scored.values())
    assert found["overlap"]["outcomes"] == {
        was: {becomes: pairs[was, becomes] for becomes in OUTCOMES} for was in OUTCOMES
    }
    fresh = {n for n, one in scored.items() if one["outcome"] == "approve" != expected(one)}
    assert len(fresh) > 10
    assert found["overlap"]["only_candidate"]["hits"] == len(fresh)
    assert found["overlap"]["only_live"]["hits"] == 0
    frauds = {n for n in fresh if world.label(n) == "fraud"}
    assert found["overlap"]["only_candidate"]["known_frauds"] == len(frauds)
    hits = found["rules"]["high_amount"]
    assert hits["candidate"]["hits"] == sum(
        one["amount_eur_cents"] >= 50_000 for one in scored.values()
    )


def test_known_frauds_that_the_candidate_loses_are_named(
    spark: SparkSession, world: World, self_backtest: dict[str, Any]
) -> None:
    assert self_backtest["lost_frauds"] == []
    weaker = Candidate(
        "weaker", parse_policy(TEXT.replace("alerts_a_day: 80", "alerts_a_day: 3").encode())
    )
    found = backtest(spark, DAYS, weaker, [world.calibrations], NOW_MS)
    lost = found["lost_frauds"]
    assert len(lost) == found["overlap"]["only_live"]["known_frauds"] > 0
    named = {one["transaction_id"] for one in lost}
    assert len(named) == len(lost)
    for name in named:
        assert world.label(name) == "fraud"
        assert world.verdicts[name]["outcome"] != "approve"
    amounts = [one["amount_eur_cents"] for one in lost]
    assert amounts == sorted(amounts, reverse=True)


def test_an_entry_of_a_draft_counts_until_its_event_time(spark: SparkSession, world: World) -> None:
    merchants = {one["merchant_id"] for one in world.verdicts.values()}
    middle_ms = (DAYS.from_ms + DAYS.until_ms) // 2
    entries = tuple(
        ListEntry(
            name=ListName.DENY, kind=ListKind.MERCHANT, value=merchant, reason="all of them",
            by="lead", added_at_ms=DAYS.from_ms, expires_at_ms=middle_ms,
        )
        for merchant in sorted(merchants)
    )  # fmt: skip
    listed = with_lists(parse_policy(TEXT.encode()), PolicyLists("1" * 8, entries))
    found = backtest(spark, DAYS, Candidate("listed", listed), [world.calibrations], NOW_MS)
    scored = [one for name, one in world.verdicts.items() if name not in (NEVER, NEVER_OURS)]
    before = sum(one["event_at_ms"] < middle_ms for one in scored)
    assert 0 < before < len(scored)
    assert found["rules"]["deny_list"]["candidate"]["hits"] == before
    assert found["policy"]["version"].endswith("+11111111")


def test_purchases_whose_calibration_is_gone_are_not_scored_and_counted(
    spark: SparkSession, world: World, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    [kept, gone] = sorted(CALIBRATION_FILES.in_folder(world.calibrations))
    CALIBRATION_FILES.copy(world.calibrations, tmp_path, kept)
    found = backtest(spark, DAYS, Candidate("default", LIVE), [tmp_path], NOW_MS)
    lost = sum(one["calibration"] == gone[:12] for one in world.verdicts.values())
    assert lost == PURCHASES // 4
    assert found["coverage"]["not_judged"]["calibration_gone"] == lost
    assert list(found["bounds"]) == [kept[:12]]
    assert gone[:12] in caplog.text
    assert found["overlap"]["same_outcome_ratio"] == 1.0


def test_the_job_refuses_a_policy_whose_floors_exceed_the_budget(
    spark: SparkSession,
    world: World,
    lake_settings: LakeSettings,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    set_environment(monkeypatch, lake_settings, world, tmp_path)
    assert spark.version
    floors = STRONGER.replace("high_amount: {", "high_amount: {floor: review, ").replace(
        "alerts_a_day: 80", "alerts_a_day: 1"
    )
    monkeypatch.setattr("sys.argv", ["x", f"--policy-text={floors}", *RANGE])
    assert backtest_policy.main() == backtest_policy.REFUSED
    assert "nothing was scored: under calibration" in capsys.readouterr().err
    assert list(tmp_path.iterdir()) == []


def set_environment(
    monkeypatch: pytest.MonkeyPatch, lake_settings: LakeSettings, world: World, pages: Path
) -> None:
    monkeypatch.setenv("LAKE_FILE_SYSTEM", lake_settings.file_system)
    monkeypatch.setenv("LAKE_JARS", lake_settings.jars)
    monkeypatch.setenv("BACKTEST_FOLDER", str(pages))
    monkeypatch.setenv("BOOKS_MODELS_FOLDER", str(world.calibrations))
    monkeypatch.setenv("BOOKS_DETECTOR_FOLDER", str(world.calibrations / "detector"))


def test_the_job_writes_a_page_a_row_of_the_ledger_and_one_object(
    spark: SparkSession,
    world: World,
    lake_settings: LakeSettings,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    set_environment(monkeypatch, lake_settings, world, tmp_path)
    monkeypatch.setenv("AIRFLOW_CTX_DAG_ID", "backtest_policy")
    monkeypatch.setenv("AIRFLOW_CTX_DAG_RUN_ID", "manual")
    monkeypatch.setenv("AIRFLOW_CTX_TASK_ID", "backtest_policy")
    monkeypatch.setattr("sys.argv", ["x", f"--policy-text={STRONGER}", *RANGE, "--json"])
    assert backtest_policy.main() == 0
    document = json.loads(capsys.readouterr().out.splitlines()[-1])
    assert document["policy"]["name"] == "pasted"
    assert document["coverage"]["purchases"] == len(world.verdicts) + 1
    assert document["purchases_per_second"] > 0
    assert Path(document["page"]).read_text(encoding="utf-8").startswith("<!doctype html>")
    numbers = json.loads(Path(document["numbers"]).read_text(encoding="utf-8"))
    assert numbers["overlap"] == document["overlap"]
    ledger = spark.table(lake.CORE_JOB_OUTCOMES).where("job = 'backtest_policy'")
    [row] = ledger.where("run_id = 'backtest_policy/manual/backtest_policy/1'").collect()
    assert (row.rows_in, row.rows_out) == (PURCHASES + 1, PURCHASES - 2)
    assert json.loads(row.reasons) == {"no_vector": 2, "other_features": 1}
    assert (row.from_ms, row.until_ms) == (DAYS.from_ms, DAYS.until_ms)
