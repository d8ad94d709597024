"""A training on real Spark, from archived messages to the stream's active model."""

from __future__ import annotations

import json
import random
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import UTC, date, datetime
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import functions as F  # noqa: N812  its customary name

from fraudwatch import lake
from fraudwatch.adapters.artefacts.calibration_artefact import read_calibration
from fraudwatch.adapters.artefacts.model_artefact import read_artefact, write_artefact
from fraudwatch.adapters.artefacts.model_folder import ModelFolder
from fraudwatch.adapters.artefacts.model_pointer import POINTER_NAME, parse_pointer
from fraudwatch.adapters.artefacts.reloadable_models import load_models
from fraudwatch.adapters.codecs.json_codec import encode
from fraudwatch.adapters.codecs.log_fold import packed
from fraudwatch.adapters.memory.registry import MemoryRegistry
from fraudwatch.application.promotion.promote import ModelLifecycle, approve, roll_back
from fraudwatch.batch_settings import ChallengerSettings
from fraudwatch.domain.calibration.calibrator import log_odds_of
from fraudwatch.domain.evaluation.ranking import average_precision
from fraudwatch.domain.features.feature_vector import VECTOR_FEATURES
from fraudwatch.domain.features.fold import features_version
from fraudwatch.domain.models.fitted import BrokenModel
from fraudwatch.domain.training.gate import GateDecision
from fraudwatch.domain.training.versions import TrainingRecord
from fraudwatch.domain.views.catalogue import VIEW_FEATURES
from fraudwatch.samples import a_token, a_transaction
from fraudwatch.stack.home import ROOT
from spark_jobs.train import promotion as choosing
from spark_jobs.train.calibrating import calibrate
from spark_jobs.train.dataset import labelled_days, stray_days_sentence
from spark_jobs.train.judging import apply_gate, reference_verdicts
from spark_jobs.train.point_in_time_views import point_in_time_views
from spark_jobs.train.promotion import TrainingOutcome, promote_or_reject
from spark_jobs.train.report import TrainingReport
from spark_jobs.train.run_record import TrainingRun, fold_days, training_record
from spark_jobs.train.train_model import Training, TrainingRequest, print_report
from spark_jobs.train.training_rows import load_label_changes
from spark_jobs.train.trigger_policy import TrainingReason, TrainingState, reason_to_skip

DAY_MS, HOUR_MS = 86_400_000, 3_600_000
FIRST, LAST = date(2003, 3, 1), date(2003, 3, 12)
FIRST_MS = int(datetime(2003, 3, 1, tzinfo=UTC).timestamp() * 1000)
A_DAY, FRAUDS_A_DAY = 90, 8
# Each day's last purchases: three whose payment failed, two that we declined. None has a label on
# the days that are trained on; the day's first purchase, a fraud, is declined and has one.
FAILED, DECLINED = range(85, 88), (0, 88, 89)
STRAY = date(2003, 2, 18)  # one purchase, days before all others
UNLABELLED = (date(2003, 4, 1), date(2003, 4, 4))
ALL_FRAUD = (date(2003, 5, 1), date(2003, 5, 4))
NOW_MS = FIRST_MS + 100 * DAY_MS
WITH_MODEL = ("fraud", "0" * 12)
LABEL_DELAY_DAYS = 1
OF_VERDICTS = ("score", "outcome", "rules")
LAST_MS = FIRST_MS + 12 * DAY_MS


def a_day(chance: random.Random, day: date, frauds: int) -> list[tuple[str, int, int, bool]]:
    """Draw id, time, amount and label: frauds mostly have higher amounts."""
    midnight_ms = int(datetime(day.year, day.month, day.day, tzinfo=UTC).timestamp() * 1000)
    found = []
    for number in range(A_DAY):
        is_fraud = number < frauds
        amount = chance.randrange(15_000, 90_000) if is_fraud else chance.randrange(100, 25_000)
        at_ms = midnight_ms + chance.randrange(DAY_MS)
        found.append((f"t:{day}-{number}", at_ms, amount, is_fraud))
    return found


def days(first: date, last: date) -> list[date]:
    return [date.fromordinal(n) for n in range(first.toordinal(), last.toordinal() + 1)]


def purchases() -> list[tuple[str, int, int, bool]]:
    chance = random.Random(3)
    found = [row for day in days(FIRST, LAST) for row in a_day(chance, day, FRAUDS_A_DAY)]
    found += [row for day in days(*UNLABELLED) for row in a_day(chance, day, 0)]
    found += [row for day in days(*ALL_FRAUD) for row in a_day(chance, day, A_DAY)]
    return sorted(found, key=lambda row: row[1])


def number_of(name: str) -> int:
    return int(name.rsplit("-", 1)[1])


def is_traveller(transaction_id: str) -> bool:
    """Whether the archived verdict names the rule of impossible travel."""
    return transaction_id.endswith("-77")


def outcome_of(transaction_id: str) -> str:
    if number_of(transaction_id) in DECLINED:
        return "decline"
    return "review" if is_traveller(transaction_id) else "approve"


def in_test_days(at_ms: int) -> bool:
    return 9 * DAY_MS <= at_ms - FIRST_MS < 11 * DAY_MS


def append(rows: DataFrame, table: str) -> None:
    wanted = rows.sparkSession.table(table).schema
    missing = {f.name: F.lit(None).cast(f.dataType) for f in wanted if f.name not in rows.columns}
    rows.withColumns(missing).select(wanted.names).writeTo(table).append()


@pytest.fixture(scope="module")
def world(spark: SparkSession) -> Iterator[SparkSession]:
    """Write twelve labelled days, four unlabelled, four of fraud only; served scores are random."""
    listed, chance = purchases(), random.Random(4)
    made = [
        a_transaction(
            transaction_id=name,
            customer_token=a_token("abcdefgh"[number % 8]),
            event_at_ms=at_ms,
            amount_eur_cents=amount,
            merchant_id=f"m-{number % 5}",
        )
        for number, (name, at_ms, amount, _) in enumerate(listed)
    ]
    raw = spark.createDataFrame(
        [
            (77, place, one.event_at_ms, one.customer_token, encode(one))
            for place, one in enumerate(made)
        ],
        "source_partition INT, source_offset BIGINT, ms BIGINT, key STRING, value BINARY",
    )
    at = F.timestamp_millis("ms")
    append(
        raw.withColumns({"produced_at": at, "produced_on": F.to_date(at)}),
        lake.RAW_TRANSACTION_TOPIC,
    )
    core = spark.createDataFrame(
        [
            (
                one.transaction_id, one.event_at_ms, one.customer_token, one.amount_eur_cents,
                "failed" if number_of(one.transaction_id) in FAILED else "approved",
                "present", one.merchant_id, "groceries", "DE", "log", chance.random(),
                outcome_of(one.transaction_id),
                [("impossible_travel", 80)] if is_traveller(one.transaction_id) else [],
            )
            for one in made
        ],
        "transaction_id string, event_at_ms bigint, customer_token string, amount_eur_cents bigint,"
        " payment_status string, channel string, merchant_id string, category string,"
        " merchant_country string, origin string, score double, outcome string,"
        " rules array<struct<rule: string, points: bigint>>",
    ).withColumn("event_on", F.to_date(F.timestamp_millis("event_at_ms")))  # fmt: skip
    append(core.drop(*OF_VERDICTS), lake.CORE_TRANSACTIONS)
    stray = core.where("transaction_id = 't:2003-03-12-1'").drop(*OF_VERDICTS)
    append(
        stray.withColumns(
            {
                "transaction_id": F.lit("t:stray"),
                "event_at_ms": F.lit(FIRST_MS - 11 * DAY_MS),
                "event_on": F.lit(STRAY),
            }
        ),
        lake.CORE_TRANSACTIONS,
    )
    extracted = core.where("transaction_id LIKE 't:2003-03-12-1%'").drop(*OF_VERDICTS)
    append(
        extracted.withColumns(
            {"transaction_id": F.concat(F.lit("x:"), "transaction_id"), "origin": F.lit("extract")}
        ),
        lake.CORE_TRANSACTIONS,
    )
    append(core.drop("origin"), lake.CORE_VERDICTS)
    labels = spark.createDataFrame(
        [
            (name, "fraud", "chargeback", "bank", at_ms + 12 * HOUR_MS)
            for name, at_ms, _, is_fraud in listed
            if is_fraud
        ],
        "transaction_id string, verdict string, source string, by string, known_at_ms bigint",
    ).withColumn("known_on", F.to_date(F.timestamp_millis("known_at_ms")))
    append(labels, lake.CORE_LABELS)
    yield spark
    spark.sql(f"DELETE FROM {lake.RAW_TRANSACTION_TOPIC} WHERE source_partition = 77")  # noqa: S608  our own names
    for table in (lake.CORE_TRANSACTIONS, lake.CORE_VERDICTS, lake.CORE_FEATURES):
        spark.sql(f"DELETE FROM {table} WHERE event_on BETWEEN '2003-02-01' AND '2003-06-01'")  # noqa: S608
    spark.sql(f"DELETE FROM {lake.CORE_LABELS} WHERE transaction_id LIKE 't:2003%'")  # noqa: S608


def unknown_views(
    bought: DataFrame, _changes: object, _span_ms: object, _delay_ms: object
) -> DataFrame:
    """Return unknown view features, as in the stream's first hour."""
    names = bought.select("transaction_id").toArrow().column("transaction_id")
    values = pa.array(packed(np.full((len(names), len(VIEW_FEATURES)), np.nan)), pa.binary())
    table = pa.table({"transaction_id": names, "view_features": values})
    return bought.sparkSession.createDataFrame(table)


def settings_of(folder: Path) -> ChallengerSettings:
    return ChallengerSettings(
        models_folder=folder / "models",
        train_days=5,
        test_days=2,
        folds=1,
        fewest_frauds=10,
        alerts_a_day=10,
        sample_rows=300,
        policy_path=ROOT / "contracts/policies/default.yaml",
    )


def models_in(folder: Path) -> ModelLifecycle:
    return ModelLifecycle(
        MemoryRegistry(folder / "registry"),
        ModelFolder(folder / "models", LABEL_DELAY_DAYS),
        lambda: NOW_MS,
    )


def a_training(
    spark: SparkSession, models: ModelLifecycle, settings: ChallengerSettings
) -> Training:
    return Training(spark, models, settings, LABEL_DELAY_DAYS, unknown_views)


class First:
    """First training on the data, with all baselines."""

    def __init__(self, spark: SparkSession, folder: Path) -> None:
        self.models, self.settings = models_in(folder), settings_of(folder)
        self.training = a_training(spark, self.models, self.settings)
        self.report = self.training.run(TrainingRequest(first=FIRST, last=LAST))


@pytest.fixture(scope="module")
def first(world: SparkSession, tmp_path_factory: pytest.TempPathFactory) -> First:
    return First(world, tmp_path_factory.mktemp("first"))


@pytest.fixture(scope="module")
def measured(first: First) -> TrainingRun:
    """Measure a second challenger, from days that hold a stray purchase on."""
    kept: list[TrainingRun] = []

    class Looking(Training):
        def _measured(self, *given: Any) -> TrainingRun:
            kept.append(super()._measured(*given))
            return kept[0]

    looking = Looking(
        first.training.spark, first.models, first.settings, LABEL_DELAY_DAYS, unknown_views
    )
    looking.run(TrainingRequest(first=date(2003, 2, 10), last=LAST, baselines=False))
    return kept[0]


def test_the_first_champion_comes_from_history(first: First) -> None:
    report = first.report
    assert (report.outcome, report.version) == (TrainingOutcome.PROMOTED, 1), report.because
    [version] = first.models.registry.versions()
    assert pointer_of(first.models) == {
        "xgboost": report.sha256,
        "calibration": version.calibration,
    }
    pointer = (first.models.model_store.folder / POINTER_NAME).read_bytes()
    found = load_models(first.models.model_store.folder, parse_pointer(pointer))
    assert found.fraud is not None
    assert found.calibration is not None
    assert found.fraud.about.features_version == features_version()
    assert found.fraud.about.label_delay_days == LABEL_DELAY_DAYS
    assert version.tags["label_delay_days"] == str(LABEL_DELAY_DAYS)
    assert "amount_eur_cents" in found.fraud.about.features
    # No view was valid, so no view feature was used.
    assert not {one.name for one in VIEW_FEATURES} & set(found.fraud.about.features)
    rows = np.full((2, len(VECTOR_FEATURES)), np.nan)
    amount = [one.name for one in VECTOR_FEATURES].index("amount_eur_cents")
    rows[:, amount] = (500, 80_000)
    low, high = found.fraud.probability(rows)
    assert low < 0.1
    assert high > 0.5


def test_every_baseline_is_in_the_run_record(first: First) -> None:
    models = first.report.details["models"]
    assert set(models) == {
        "xgboost", "random_forest", "isolation_forest", "one_class_svm", "autoencoder",
        "served_verdicts",
    }  # fmt: skip
    for name in ("xgboost", "random_forest"):
        assert models[name]["average_precision"]["mean"] > 0.6, name
    # Unsupervised baselines may rank this data badly; the record shows it.
    for name in ("isolation_forest", "one_class_svm", "autoencoder"):
        assert 0.0 < models[name]["auc"]["mean"] < 1.0, name
    assert models["served_verdicts"]["average_precision"]["mean"] < 0.3
    [fold] = first.report.details["folds"]
    assert fold == {
        "train_from": "2003-03-04", "train_until": "2003-03-08", "test_from": "2003-03-10",
        "test_until": "2003-03-11", "is_prequential": True,
    }  # fmt: skip
    [version] = first.models.registry.versions()
    assert version.aliases == ("champion",)
    assert version.promoted_at_ms == NOW_MS
    assert version.tags["gate"] == "better"
    for tag in ("features", "features_version", "views_version", "code_version", "best_model"):
        assert version.tags[tag]
    for table in ("core_features", "core_transactions", "core_labels", "core_verdicts"):
        assert int(version.tags[f"table.{table}"]) > 0
    assert version.metrics["alerts_a_day"] <= 10
    assert 0 < version.metrics["gate.challenger.alerts_a_day"] < A_DAY
    assert first.report.counted.rows_in == 5 * (A_DAY - 5)
    assert first.report.counted.rejected == {"without_features": 11}


def test_what_cannot_be_complained_of_is_left_out_and_named(
    first: First, measured: TrainingRun, tmp_path: Path
) -> None:
    """Five training days and two test days: on each, two declined and three failed purchases."""
    training = {"unsure": 0, "declined_unlabelled": 10, "failed_unlabelled": 15}
    test = {"unsure": 0, "declined_unlabelled": 4, "failed_unlabelled": 6}
    assert first.report.details["left_out"] == {"training": training, "test": test}
    declines = first.report.details["declines"]
    assert (declines["declined"], declines["labelled"], declines["precision"]) == (6, 2, 1.0)
    data, tested = measured.data, measured.folds[-1].tested
    assert len(tested.labelled.is_fraud) == 2 * (A_DAY - 5)
    assert len(tested.days.log_odds) == 2 * A_DAY
    record = record_of(models_in(tmp_path), measured)
    assert record.metrics["left_out.declined_unlabelled"] == 14
    assert record.metrics["left_out.failed_unlabelled"] == 21
    assert record.documents["left_out.json"]["test"] == test
    counted = record.documents["labels.json"]
    assert counted == data.labels_by_source
    assert counted["chargeback fraud"] > 0
    assert record.documents["declines.json"]["sentence"].startswith("precision of declines: 1.000")
    planned = labelled_days(data, 10)
    whole = range(data.first, data.today - 1)  # labels of the last day are not all known yet
    assert {planned.others[day] for day in whole} == {A_DAY - FRAUDS_A_DAY - 5}
    assert {planned.frauds[day] for day in whole} == {FRAUDS_A_DAY}


def test_the_report_is_one_json_object(first: First, capsys: pytest.CaptureFixture[str]) -> None:
    print_report(first.report, 1.0, as_json=True)
    [line] = capsys.readouterr().out.splitlines()
    document = json.loads(line)
    assert document["outcome"] == "promoted"
    assert document["models"]["xgboost"]["auc"]["std"] is None
    print_report(first.report, 1.0, as_json=False)
    assert "promoted version 1" in capsys.readouterr().out


def test_a_stray_purchase_changes_no_fold_and_is_named(
    first: First, measured: TrainingRun, tmp_path: Path
) -> None:
    strays = measured.data.stray_days
    assert stray_days_sentence(strays).endswith("left out: 2003-02-18 (1 purchase)")
    assert [fold_days(measured.folds[-1].fold)] == first.report.details["folds"]
    documents = record_of(models_in(tmp_path), measured).documents
    assert documents["stray_days.json"] == {"2003-02-18": 1}
    assert first.report.details["stray_days"] == {}


def test_a_champion_that_served_nothing_yet_stays(first: First, measured: TrainingRun) -> None:
    assert measured
    assert first.models.model_store.current() == first.report.sha256
    assert len(first.models.registry.versions()) == 1


def test_the_first_calibration_is_cross_fitted_and_counts_the_days_since(
    first: First, measured: TrainingRun
) -> None:
    [version] = first.models.registry.versions()
    found = read_calibration(first.models.model_store.folder, version.calibration or "")
    assert found.folds == "cross-fitted within the training days, 3 parts by customer"
    assert version.tags["calibrated_on"] == found.folds
    assert found.model_sha256 == version.sha256
    assert found.label_delay_days == LABEL_DELAY_DAYS
    assert found.novelty_curve is None  # no forest is active
    # The newest days are the model's own, and need no labels.
    assert found.alert_curve.days == 4
    assert found.alert_curve.alerts_a_day(0.0, frozenset()) == A_DAY
    since = [one for one in purchases() if one[1] >= FIRST_MS + 8 * DAY_MS and one[1] < LAST_MS]
    traveller = sum(is_traveller(one[0]) for one in since)
    assert found.alert_curve.floors_a_day({"impossible_travel"}) == traveller / 4
    # All rows of the training days are scored, each by a booster of other customers.
    assert found.labelled_curve.fraud[-1] == 5 * FRAUDS_A_DAY
    assert found.labelled_curve.honest[-1] == 5 * (A_DAY - 5 - FRAUDS_A_DAY)
    before = measured.challenger.calibration
    # Those without a label are alerts too.
    assert before.alert_curve.days == 5
    assert before.alert_curve.alerts_a_day(0.0, frozenset()) == A_DAY
    assert np.array_equal(before.calibrator.calibrated, found.calibrator.calibrated)


def test_older_folds_calibrate_the_newest(first: First, measured: TrainingRun) -> None:
    folds = measured.folds[-1], measured.folds[-1]
    found = calibrate(measured.data, folds, first.settings, None)
    tested = measured.folds[-1].tested
    assert found.folds == "prequential, 1 fold"
    assert found.labelled_curve.fraud[-1] == tested.labelled.is_fraud.sum()
    assert found.alert_curve.alerts_a_day(0.0, frozenset()) == A_DAY
    is_fraud, probability = tested.labelled.is_fraud, tested.scores["xgboost"]
    score = found.score(log_odds_of(probability))
    assert score.mean() == pytest.approx(is_fraud.mean(), abs=0.03)
    assert average_precision(score, is_fraud) == average_precision(probability, is_fraud)


def test_the_run_record_explains_the_final_verdicts(measured: TrainingRun, tmp_path: Path) -> None:
    record = record_of(models_in(tmp_path), measured)
    document = json.loads(json.dumps(record.documents["verdict.json"], allow_nan=False))
    assert document["policy"] == measured.policy.version
    assert document["calibration"] == record.tags["calibrated_on"]
    assert 0 < document["bounds"]["review_from"] < 1
    assert document["bounds"]["decline_from"] is None  # 400 purchases prove no low share
    assert document["budget_a_day"] == pytest.approx(A_DAY * 0.1 + 2)
    ours, theirs = document["challenger"], document["reference"]
    assert 0 < ours["alerts_a_day"] <= 1.5 * document["budget_a_day"] + 13
    assert ours["brier"] < ours["brier_of_base_rate"] < theirs["brier"]
    assert sum(one["purchases"] for one in theirs["reliability"]) > A_DAY
    for side in ("challenger", "reference"):
        for name in ("brier", "alerts_a_day", "honest_declined_ratio"):
            assert record.metrics[f"gate.{side}.{name}"] == document[side][name]
    shares = [one["gain_ratio"] for one in record.documents["importance.json"]]
    assert shares == sorted(shares, reverse=True)
    assert 0 < sum(shares) <= 1 + 1e-9
    # What was served is as recorded, of all purchases of a day.
    served = [one for one in purchases() if in_test_days(one[1])]
    assert theirs["alerts_a_day"] == sum(outcome_of(one[0]) != "approve" for one in served) / 2


@pytest.fixture
def with_champion(
    measured: TrainingRun, tmp_path: Path
) -> Callable[[np.ndarray], tuple[ModelLifecycle, TrainingRun]]:
    """Build a home where the first champion is active and served these scores on the test days."""

    def served(scores: np.ndarray) -> tuple[ModelLifecycle, TrainingRun]:
        models = models_in(tmp_path)
        settled(models, measured, approval=False)
        sha256, recent = models.model_store.current() or "", measured.challenger.recent
        served_score = recent.served_score.copy()
        served_score[recent.rows_of(measured.folds[-1].tested.labelled.transaction)] = scores
        versions = np.full(len(served_score), sha256[:12], dtype=np.object_)
        newer = replace(recent, served_score=served_score, model_version=versions)
        return models, replace(measured, challenger=replace(measured.challenger, recent=newer))

    return served


def record_of(models: ModelLifecycle, run: TrainingRun) -> TrainingRecord:
    decision = apply_gate(models, run.challenger, run.policy, run.settings)
    return training_record(run, "0" * 64, "1" * 64, decision)


def settled(
    models: ModelLifecycle, run: TrainingRun, *, approval: bool
) -> choosing.PromotionResult:
    decision = apply_gate(models, run.challenger, run.policy, run.settings)
    return promote_or_reject(
        models, run.challenger, decision, record=partial(training_record, run), approval=approval
    )


def test_a_worse_challenger_never_replaces_a_better_one(
    with_champion: Callable[..., tuple[ModelLifecycle, TrainingRun]], measured: TrainingRun
) -> None:
    models, run = with_champion(truth_of(measured))
    before = models.model_store.current()
    result = settled(models, run, approval=False)
    assert result.outcome is TrainingOutcome.NOT_BETTER
    assert "average precision" in result.because
    assert models.model_store.current() == before
    newest, champion = models.registry.versions()
    assert (newest.aliases, champion.aliases) == ((), ("champion",))
    assert newest.tags["gate"] == GateDecision.NOT_BETTER


def test_a_better_challenger_is_promoted_and_can_be_rolled_back(
    with_champion: Callable[..., tuple[ModelLifecycle, TrainingRun]], measured: TrainingRun
) -> None:
    models, run = with_champion(chance_of(measured))
    models = replace(models, now_ms=lambda: NOW_MS + 1)
    before = models.model_store.current()
    result = settled(models, run, approval=False)
    assert result.outcome is TrainingOutcome.PROMOTED
    assert models.model_store.current() == result.sha256 != before
    newest = models.registry.versions()[0]
    assert pointer_of(models) == {"xgboost": newest.sha256, "calibration": newest.calibration}
    former = roll_back(models)
    assert former.version == 1
    assert pointer_of(models) == {"xgboost": before, "calibration": former.calibration}


def test_a_champion_that_the_stream_leaves_out_is_replaced_by_the_rules(
    with_champion: Callable[..., tuple[ModelLifecycle, TrainingRun]], measured: TrainingRun
) -> None:
    """It served the test days perfectly, with a label delay that is no longer the setting."""
    truth = truth_of(measured)
    models, run = with_champion(truth)
    name, served = reference_verdicts(models, run.challenger, run.policy)
    assert name.startswith("champion ")
    np.testing.assert_array_equal(served.score, truth)
    assert set(served.alerts.values()) == {len(DECLINED) + 1}
    other = replace(models, model_store=ModelFolder(models.model_store.folder, 30))
    name, rules = reference_verdicts(other, run.challenger, run.policy)
    assert name == "the rules alone (the champion cannot be used)"
    tested = measured.folds[-1].tested.labelled
    assert (rules.score > 0.8).sum() == 2  # one traveller a day; amounts alone are below .01
    assert (rules.score > 0.01).sum() == 2
    assert set(rules.alerts.values()) == {1}
    assert len(rules.score) == len(tested.is_fraud)


def test_with_approval_promotion_waits(
    with_champion: Callable[..., tuple[ModelLifecycle, TrainingRun]], measured: TrainingRun
) -> None:
    models, run = with_champion(chance_of(measured))
    before = models.model_store.current()
    result = settled(models, run, approval=True)
    assert result.outcome is TrainingOutcome.WAITS
    assert models.model_store.current() == before
    approve(models, result.version)
    assert models.model_store.current() == result.sha256


def truth_of(run: TrainingRun) -> np.ndarray:
    return run.folds[-1].tested.labelled.is_fraud.astype(np.float64)


def chance_of(run: TrainingRun) -> np.ndarray:
    return np.random.default_rng(1).random(len(truth_of(run)))


def pointer_of(models: ModelLifecycle) -> dict[str, str]:
    found: dict[str, str] = json.loads((models.model_store.folder / POINTER_NAME).read_bytes())
    return found


def test_a_corrupt_artefact_leaves_everything_as_it_was(
    with_champion: Callable[..., tuple[ModelLifecycle, TrainingRun]],
    measured: TrainingRun,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    models, run = with_champion(chance_of(measured))
    before = models.model_store.current()

    def spoiled(folder: Path, artefact: object) -> str:
        sha256 = write_artefact(folder, artefact)  # type: ignore[arg-type]
        path = folder / f"{sha256}.npz"
        path.write_bytes(path.read_bytes()[:-9])
        return sha256

    monkeypatch.setattr(choosing, "write_artefact", spoiled)
    with pytest.raises(BrokenModel, match="was altered"):
        settled(models, run, approval=False)
    assert models.model_store.current() == before
    assert len(models.registry.versions()) == 1
    monkeypatch.undo()
    assert settled(models, run, approval=False).outcome is TrainingOutcome.PROMOTED


def test_the_measured_model_is_the_promoted_one(first: First, measured: TrainingRun) -> None:
    artefact = read_artefact(first.models.model_store.folder, first.report.sha256 or "")
    fitted = measured.folds[-1]
    # The same lake and seed give the same trees in every run.
    with_champion = choosing.artefact_of(fitted, artefact.about.fitted_at_ms)
    assert with_champion.arrays["booster"].tobytes() == artefact.arrays["booster"].tobytes()
    assert with_champion.about == artefact.about


def test_view_features_are_point_in_time(world: SparkSession) -> None:
    pytest.importorskip("fraudwatch.domain.views.as_of")
    bought = world.table(lake.CORE_TRANSACTIONS).where(
        "event_on BETWEEN '2003-03-01' AND '2003-03-12'"
    )
    changes = load_label_changes(world.table(lake.CORE_LABELS), FIRST_MS + 30 * DAY_MS)
    span_ms = (FIRST_MS + 11 * DAY_MS, FIRST_MS + 12 * DAY_MS)
    found = {
        row.transaction_id: np.frombuffer(row.view_features)
        for row in point_in_time_views(bought, changes, span_ms, 3 * DAY_MS).collect()
    }
    assert len(found) == A_DAY + 11  # including the extract's purchases
    names = [one.name for one in VIEW_FEATURES]
    features = np.array(list(found.values()))
    purchases_30d = features[:, names.index("merchant_purchases_30d")]
    assert np.nanmin(purchases_30d) > 11 * A_DAY / 5 * 0.7
    ratio = features[:, names.index("merchant_fraud_ratio_30d")]
    assert 0.02 < np.nanmean(ratio) < 0.3
    age = features[:, names.index("customer_account_age_days")]
    assert 10 < np.nanmax(age) < 12.1


@pytest.mark.parametrize(
    ("span", "words"),
    [
        (UNLABELLED, "0 known frauds"),
        (ALL_FRAUD, "0 other purchases"),
        ((FIRST, FIRST), "not two days"),
    ],
    ids=["no labels", "one class", "one day"],
)
def test_too_little_data_is_reported_and_changes_nothing(
    world: SparkSession, tmp_path: Path, span: tuple[date, date], words: str
) -> None:
    models = models_in(tmp_path)
    training = a_training(world, models, settings_of(tmp_path))
    report: TrainingReport = training.run(
        TrainingRequest(first=span[0], last=span[1], baselines=False)
    )
    assert report.outcome is TrainingOutcome.NOT_ENOUGH
    assert words in report.because
    assert "nothing was changed" in report.because
    assert models.model_store.current() is None
    assert list(models.registry.versions()) == []


def test_the_trigger_policy() -> None:
    state = TrainingState(
        trained_at_ms=NOW_MS - 2 * DAY_MS, promoted_at_ms=NOW_MS - DAY_MS, new_frauds=5
    )

    def why_not(reason: TrainingReason, **changes: int | None) -> str:
        return reason_to_skip(reason, replace(state, **changes), now_ms=NOW_MS, new_frauds=200)

    assert "3 days at the earliest" in why_not(TrainingReason.DRIFT)
    assert "5 frauds were labelled" in why_not(TrainingReason.SCHEDULE)
    assert not why_not(TrainingReason.PERSON)
    assert not why_not(TrainingReason.DRIFT, promoted_at_ms=NOW_MS - 4 * DAY_MS)
    assert not why_not(TrainingReason.DRIFT, promoted_at_ms=None)
    assert not why_not(TrainingReason.SCHEDULE, new_frauds=200)
    assert not why_not(TrainingReason.SCHEDULE, trained_at_ms=NOW_MS - 8 * DAY_MS)
    assert not why_not(TrainingReason.SCHEDULE, trained_at_ms=None)
    for reason in TrainingReason:
        assert not why_not(reason, is_champion_unusable=True)
