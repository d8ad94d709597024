"""Reconciliation of days that the real detector scored, clean and with every kind of fault."""

from __future__ import annotations

import json
import random
import shutil
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime
from hashlib import sha256
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import xgboost as xgb
from pyspark.sql import SparkSession
from pyspark.sql import functions as F  # noqa: N812  its customary name

from fraudwatch import lake
from fraudwatch.adapters.artefacts.model_artefact import write_artefact
from fraudwatch.adapters.artefacts.model_pointer import Pointer
from fraudwatch.adapters.artefacts.policy_file import load_policy
from fraudwatch.adapters.artefacts.reloadable_models import load_named
from fraudwatch.adapters.artefacts.sklearn_forest import ForestShape, all_features, fit_forest
from fraudwatch.adapters.artefacts.view_artefact import VIEW_FILES, view_of
from fraudwatch.adapters.artefacts.view_publication import publish
from fraudwatch.adapters.artefacts.xgboost_model import xgboost_artefact
from fraudwatch.adapters.codecs.json_codec import decode, encode
from fraudwatch.adapters.codecs.log_fold import fold_messages, full_vector, packed
from fraudwatch.adapters.codecs.state_snapshots import Restored, SnapshotFolder, newest_usable
from fraudwatch.adapters.lake.outcomes import append_outcomes
from fraudwatch.adapters.lake.spark_stream import MicroBatch
from fraudwatch.adapters.memory.chosen_verdicts import MemoryChosenVerdicts
from fraudwatch.adapters.memory.verdict_store import (
    MemoryDeadLetters,
    MemoryVerdictLog,
    MemoryVerdictStore,
)
from fraudwatch.domain.features.feature_vector import VECTOR_FEATURES
from fraudwatch.domain.features.fold import features_version
from fraudwatch.domain.features.state import CustomerState
from fraudwatch.domain.instants import epoch_ms_of
from fraudwatch.domain.lake.job_outcome import JobOutcome
from fraudwatch.domain.messages.verdict import Outcome, Verdict
from fraudwatch.domain.models.active_models import ActiveModels
from fraudwatch.domain.models.fitted import ModelKind, ModelMetadata, normal_of
from fraudwatch.domain.reconciliation.day_cut import Ends
from fraudwatch.domain.reconciliation.reconciled import Note, Reconciled
from fraudwatch.domain.reconciliation.records import Finding
from fraudwatch.domain.time_units import DAY_MS, HOUR_MS, MINUTE_MS
from fraudwatch.domain.views.catalogue import Entity, view_columns
from fraudwatch.domain.views.published import NO_VIEWS, Published, RiskViews
from fraudwatch.domain.views.view import RiskView, table_of
from fraudwatch.samples import a_token, a_transaction
from fraudwatch.stack.home import ROOT
from fraudwatch.topics import FEATURES_VERSION_HEADER, TRANSACTION_ID_HEADER
from spark_jobs.reconcile.artefact_resolver import ArtefactFolders
from spark_jobs.reconcile.build_states import ArchiveTruncated, StateBuild
from spark_jobs.reconcile.day import DayReconciliation
from spark_jobs.reconcile.outcome_rows import document_of, save_reconciliation
from spark_jobs.reconcile.sources import NEEDED, NotArchived, reconcilable_until_ms
from spark_jobs.refine.topic_refining import REFINED, refine_batch
from streaming.detector.scoring import Detector

# Before the days of all other tests: a day begins where all before it ended.
FIRST, DAY, NEXT, EMPTY = (date(2015, 3, number) for number in (1, 2, 3, 4))
FIRST_MS = epoch_ms_of(datetime(2015, 3, 1, tzinfo=UTC))
TODAY = date(2015, 3, 5)
MESSAGES = 150  # a day
CUSTOMERS = "abcdefghij"
POLICY_FILE = ROOT / "contracts/policies/default.yaml"
RAW = """source_partition INT, source_offset BIGINT, ms BIGINT, key STRING, value BINARY,
  headers ARRAY<STRUCT<key: STRING, value: BINARY>>"""
RAW_TOPICS = (lake.RAW_TRANSACTION_TOPIC, lake.RAW_FRAUD_TOPIC, lake.RAW_FEATURE_TOPIC)
Message = tuple[int, int, int, str, bytes]  # partition, offset, produced, key, value


@dataclass(frozen=True)
class World:
    messages: list[Message]
    verdicts: list[Verdict]
    store: MemoryVerdictStore
    folders: ArtefactFolders

    @property
    def states_folder(self) -> Path:
        """Folder of published states."""
        return self.folders.policies[0].parents[1] / "states"

    def reconciled(self, spark: SparkSession, day: date, **changes: Any) -> Reconciled:
        usual: dict[str, Any] = {
            "spark": spark,
            "folders": self.folders,
            "store": MemoryChosenVerdicts(self.store),
            "splits": 2,
            "today": TODAY,
            "states_folder": self.states_folder,
        }
        return DayReconciliation(**usual | changes).of(day)

    def of_day(self, day: date) -> list[Verdict]:
        """Select the day's verdicts; after each day's first message the clock steps back a day."""
        number = (day - FIRST).days
        first, last = number * MESSAGES + bool(number), (number + 1) * MESSAGES
        names = {f"r:{place}" for place in range(first, last + 1)}
        return [one for one in self.verdicts if one.transaction_id in names]


class NoSnapshots:
    def offer(self, state: CustomerState, ends: dict[int, int]) -> None:
        """Store nothing."""


def messages() -> list[Message]:
    """Build three days in two partitions: repeats, late, invalid, a clock that steps back."""
    chance = random.Random(11)
    customers = [chance.choice(CUSTOMERS) for _ in range(3 * MESSAGES)]
    found: list[Message] = []
    ends = [0, 0]
    for number in range(3 * MESSAGES):
        name = number - 9 if number % 50 == 49 else number
        customer = customers[name]
        partition = CUSTOMERS.index(customer) % 2
        produced_at_ms = FIRST_MS + number * DAY_MS // MESSAGES + 1_000
        if number in (MESSAGES, 2 * MESSAGES):
            produced_at_ms -= 5_000  # of the day before, behind a message of that day
        event_at_ms = produced_at_ms - chance.randrange(0, 5 * HOUR_MS)
        value = encode(
            a_transaction(
                transaction_id=f"r:{name}",
                customer_token=a_token(customer),
                event_at_ms=event_at_ms - (40 * DAY_MS if number % 60 == 59 else 0),
                amount_eur_cents=chance.choice([999, 4_200, 250_000]),
                merchant_id=f"m-{chance.randrange(4)}",
            )
        )
        if number % 71 == 70:
            value = b'{"schema":"nonsense"}'
        found.append((partition, ends[partition], produced_at_ms, a_token(customer), value))
        ends[partition] += 1
    return found


def models_in(folder: Path, listed: list[Message]) -> ActiveModels:
    """Fit an isolation forest, and a model that scores high amounts as fraud."""
    ordered = sorted(listed)
    at_ms = np.array([one[2] for one in ordered])
    folded = fold_messages(CustomerState(), [one[4] for one in ordered], at_ms)
    rows = full_vector(folded, folded.enrich_with_views(NO_VIEWS))
    about = ModelMetadata(
        kind=ModelKind.ISOLATION_FOREST, features=all_features(), fitted_at_ms=1, rows=len(rows),
        features_version=features_version(), from_ms=0, until_ms=1,
    )  # fmt: skip
    forest = write_artefact(folder, fit_forest(rows, about, ForestShape(trees=10, seed=1)))
    described = replace(about, kind=ModelKind.XGBOOST, features=("amount_eur_cents", "item_count"))
    values = rows[:, described.columns]
    data = xgb.DMatrix(values, (values[:, 0] > 100_000).astype(float))
    booster = xgb.train({"objective": "binary:logistic", "nthread": 1}, data, num_boost_round=5)
    boosted = write_artefact(folder, xgboost_artefact(booster, described, normal_of(values)))
    pointer = {ModelKind.ISOLATION_FOREST: forest, ModelKind.XGBOOST: boosted}
    return load_named(folder, Pointer(pointer))


def views_in(folder: Path) -> RiskViews:
    """Build two views: an hour before the first day begins, and in the middle of the second."""
    published = []
    for until_ms in (FIRST_MS - HOUR_MS, FIRST_MS + 36 * HOUR_MS):
        tables = {
            entity: table_of([], np.empty((0, len(view_columns(entity))))) for entity in Entity
        }
        width = len(view_columns(Entity.MERCHANT))
        values = np.array([[0.01 * n, 10.0 + n, *[5.0] * (width - 2)] for n in range(3)])
        tables[Entity.MERCHANT] = table_of(["m-0", "m-1", "m-2"], values)
        view = RiskView(until_ms, tables, 3 * DAY_MS)
        published.append(Published(publish(folder, view), view.valid_from_ms))
    return RiskViews(tuple(published), lambda sha: view_of(VIEW_FILES.read(folder, sha)))


def score(listed: list[Message], models: ActiveModels, views: RiskViews) -> MemoryVerdictLog:
    """Score as the stream does: in batches of any size, partitions interleaved."""
    log, policy, chance = MemoryVerdictLog(), load_policy(POLICY_FILE), random.Random(3)
    detector = Detector(
        lambda _: policy, lambda _: models, log, MemoryDeadLetters(), NoSnapshots(), lambda _: views
    )
    start = 0
    while start < len(listed):
        some = sorted(listed[start : (start := start + chance.randrange(1, 40))])
        detector.score(
            MicroBatch(
                batch_id=start, is_rerun=False, decided_at_ms=max(one[2] for one in some) + 50,
                values=[one[4] for one in some],
                partition=np.array([one[0] for one in some]),
                offset=np.array([one[1] for one in some]),
                produced_at_ms=np.array([one[2] for one in some]),
            )
        )  # fmt: skip
    return log


def archive(spark: SparkSession, table: str, rows: list[tuple[Any, ...]]) -> None:
    frame = spark.createDataFrame(rows, RAW).selectExpr(
        "source_partition", "source_offset", "timestamp_millis(ms) AS produced_at", "key", "value",
        "headers", "to_date(timestamp_millis(ms)) AS produced_on",
    )  # fmt: skip
    frame.writeTo(f"{lake.DATABASE}.{table}").append()


@pytest.fixture(scope="module")
def world(spark: SparkSession, tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    for table in RAW_TOPICS:
        # A fold from the beginning reads it all, and other tests' messages belong to no customer.
        spark.sql(f"DELETE FROM {table}")  # noqa: S608  our names
    home = tmp_path_factory.mktemp("books")
    policies = home / "detector/policies"
    policies.mkdir(parents=True)
    content = POLICY_FILE.read_bytes()
    (policies / f"{sha256(content).hexdigest()}.yaml").write_bytes(content)
    listed = messages()
    log = score(listed, models_in(home / "models", listed), views_in(home / "views"))
    archive(spark, lake.RAW_TRANSACTION_TOPIC, [(*one, []) for one in listed])
    verdicts = [(key, value, at_ms) for key, value, at_ms in log.verdicts]
    verdicts += [one for one in log.verdicts if b'"r:200"' in one[1]]  # repeated, as after a crash
    archive(
        spark, lake.RAW_FRAUD_TOPIC,
        [(0, n, at_ms, key, value, []) for n, (key, value, at_ms) in enumerate(verdicts)],
    )  # fmt: skip
    archive(
        spark, lake.RAW_FEATURE_TOPIC,
        [
            (0, n, at_ms, key, value, headers(name))
            for n, ((key, name, value), (_, _, at_ms)) in enumerate(
                zip(log.features, log.verdicts, strict=True)
            )
        ],
    )  # fmt: skip
    for what in REFINED[:2]:
        ours = spark.table(what.raw).where(F.col("produced_on") <= F.lit(TODAY))
        refine_batch(ours, what)
    archived_ms = FIRST_MS + 3 * DAY_MS + HOUR_MS
    append_outcomes(spark, [an_outcome(job, archived_ms) for job in NEEDED])
    verdicts = [decode(Verdict, value) for _, value, _ in log.verdicts]
    store = MemoryVerdictStore()
    store.write(verdicts, [])
    folders = ArtefactFolders(
        policies=(policies,), models=(home / "models",), views=(home / "views",)
    )
    yield World(listed, verdicts, store, folders)
    forget(spark)


def headers(name: str) -> list[tuple[str, bytes]]:
    version = features_version().encode()
    return [(TRANSACTION_ID_HEADER, name.encode()), (FEATURES_VERSION_HEADER, version)]


def an_outcome(job: str, began_at_ms: int) -> JobOutcome:
    return JobOutcome(
        run_id="reconcile-test", job=job, from_ms=0, until_ms=0, rows_in=0, rows_out=0,
        rows_rejected=0, began_at_ms=began_at_ms, ended_at_ms=began_at_ms, code_version="test",
    )  # fmt: skip


def forget(spark: SparkSession) -> None:
    for table in (*RAW_TOPICS, lake.CORE_RECONCILIATION):
        spark.sql(f"DELETE FROM {table} WHERE produced_on < '2016-01-01'")  # noqa: S608  our names
    for table in (lake.CORE_TRANSACTIONS, lake.CORE_VERDICTS):
        spark.sql(f"DELETE FROM {table} WHERE transaction_id LIKE 'r:%'")  # noqa: S608  our names
    spark.sql(f"DELETE FROM {lake.CORE_CUSTOMER_STATES}")  # noqa: S608  our names
    spark.sql(f"DELETE FROM {lake.CORE_JOB_OUTCOMES} WHERE run_id = 'reconcile-test'")  # noqa: S608  our names


def states(spark: SparkSession, day: date) -> dict[str, bytes]:
    rows = spark.table(lake.CORE_CUSTOMER_STATES).where(F.col("state_on") == F.lit(day)).collect()
    found = {row.customer_token: bytes(row.state) for row in rows}
    assert len(found) == len(rows)
    return found


def faults(done: Reconciled) -> dict[Finding, list[str]]:
    assert all(done.counts[one] == len(some) for one, some in done.examples.items())
    return {one: [each.transaction_id for each in some] for one, some in done.examples.items()}


def test_a_day_is_clean_and_its_state_is_that_of_a_fold_from_the_beginning(
    spark: SparkSession, world: World
) -> None:
    forget_states(spark)
    first = world.reconciled(spark, FIRST)
    assert (faults(first), first.state_from) == ({}, "the beginning of the archive")
    second = world.reconciled(spark, DAY)
    assert (faults(second), second.state_from) == ({}, str(FIRST))
    assert second.purchases == len(world.of_day(DAY)) > MESSAGES * 0.9
    assert {note: count for note, count in second.notes.items() if count} == {Note.REPEATED: 1}
    assert len({one.risk_view for one in world.of_day(DAY)}) >= 2
    assert {one.outcome for one in world.of_day(DAY)} > {Outcome.APPROVE}

    continued = states(spark, DAY)
    forget_states(spark)
    alone = world.reconciled(spark, DAY)
    assert (faults(alone), alone.state_from) == ({}, "the beginning of the archive")
    assert states(spark, DAY) == continued
    assert len(continued) == len(CUSTOMERS)
    skipped = world.reconciled(spark, NEXT)
    assert (faults(skipped), skipped.state_from) == ({}, str(DAY))


def forget_states(spark: SparkSession) -> None:
    spark.sql(f"DELETE FROM {lake.CORE_CUSTOMER_STATES}")  # noqa: S608  our names


class Faults:
    """Faults injected into the archive by hand."""

    def __init__(self, spark: SparkSession) -> None:
        self._spark, self._offset = spark, 100_000

    def add(self, verdict: Verdict) -> None:
        self._offset += 1
        row = (0, self._offset, verdict.decided_at_ms, verdict.customer_token, encode(verdict), [])
        archive(self._spark, lake.RAW_FRAUD_TOPIC, [row])

    def delete_verdict(self, name: str) -> None:
        is_its = f"get_json_object(cast(value AS STRING), '$.transaction_id') = '{name}'"
        self._spark.sql(f"DELETE FROM {lake.RAW_FRAUD_TOPIC} WHERE {is_its}")  # noqa: S608  our names

    def remove(self, table: str, name: str) -> None:
        self._spark.sql(f"DELETE FROM {table} WHERE transaction_id = '{name}'")  # noqa: S608  our names

    def restate(self, table: str, name: str, change: str) -> None:
        self._spark.sql(f"UPDATE {table} SET {change} WHERE transaction_id = '{name}'")  # noqa: S608  our names

    def of_vector(self, name: str, statement: str) -> None:
        is_its = f"cast(try_element_at(headers, 1).value AS STRING) = '{name}'"
        self._spark.sql(f"{statement} WHERE {is_its}")


def inject_faults(spark: SparkSession, world: World, ours: list[Verdict]) -> MemoryVerdictStore:
    """Inject one fault of each finding, in the order expected below; return the faulty store."""
    injected, ids = Faults(spark), [one.transaction_id for one in ours]
    injected.delete_verdict(ids[0])
    injected.remove(lake.CORE_VERDICTS, ids[0])
    injected.of_vector(ids[2], f"DELETE FROM {lake.RAW_FEATURE_TOPIC}")  # noqa: S608  our names
    injected.add(replace(ours[0], transaction_id="r:nobody"))
    injected.add(replace(ours[0], transaction_id="r:nowhere", source_offset=9**9))
    injected.add(replace(ours[3], score=0.9, decided_at_ms=ours[3].decided_at_ms - 1))
    other = "concat(substring(value, 1, 8), X'0000000000001440', substring(value, 17))"
    injected.of_vector(ids[4], f"UPDATE {lake.RAW_FEATURE_TOPIC} SET value = {other}")  # noqa: S608  our names
    injected.restate(lake.CORE_VERDICTS, ids[5], "score = 0.25")
    injected.delete_verdict(ids[6])
    injected.add(replace(ours[6], outcome=Outcome.DECLINE))
    injected.restate(lake.CORE_TRANSACTIONS, ids[7], "amount_eur_cents = 1")
    stored = {name: one for name, one in world.store.verdicts.items() if name != ids[1]}
    stored["r:stored"] = replace(ours[0], transaction_id="r:stored")
    stored[ids[8]] = replace(ours[8], route="elsewhere")
    store = MemoryVerdictStore()
    store.write(list(stored.values()), [])
    return store


@pytest.fixture
def restored_tables(spark: SparkSession) -> Iterator[None]:
    """Restore the tables that a test changes."""
    tables = (*RAW_TOPICS, lake.CORE_VERDICTS, lake.CORE_TRANSACTIONS)
    before = {one: spark.sql(f"DESCRIBE HISTORY {one} LIMIT 1").first() for one in tables}
    yield
    for table, newest in before.items():
        assert newest is not None
        spark.sql(f"RESTORE TABLE {table} TO VERSION AS OF {newest.version}")


@pytest.mark.usefixtures("restored_tables")
def test_every_fault_is_found_and_stored(spark: SparkSession, world: World) -> None:
    ours = [one for one in world.of_day(DAY) if one.outcome is Outcome.APPROVE]
    ids = [one.transaction_id for one in ours]
    store = inject_faults(spark, world, ours)
    done = world.reconciled(spark, DAY, store=MemoryChosenVerdicts(store))
    assert faults(done) == {
        Finding.MISSING_IN_ARCHIVE: [ids[0]] * 2,
        Finding.MISSING_IN_STORE: [ids[1]],
        Finding.MISSING_FEATURES: [ids[2]],
        Finding.EXTRA_IN_ARCHIVE: ["r:nobody", "r:nowhere"],
        Finding.EXTRA_IN_STORE: ["r:stored"],
        Finding.DUPLICATE: [ids[3]],
        Finding.DIFFERENT_FEATURES: [ids[4]],
        Finding.DIFFERENT_SCORE: [ids[5]],
        Finding.DIFFERENT_OUTCOME: [ids[6]],
        Finding.DIFFERENT_AMOUNT: [ids[7]],
        Finding.DIFFERENT_IN_STORE: sorted([ids[6], ids[8]]),
    }
    examples = {one: some[0] for one, some in done.examples.items()}
    assert examples[Finding.DIFFERENT_FEATURES].actual == f"{VECTOR_FEATURES[1].name} 5.0"
    score = examples[Finding.DIFFERENT_SCORE]
    assert (score.actual, score.source) == ("score 0.25", "core_verdicts")
    assert score.expected == f"score {ours[5].score!r}"
    assert examples[Finding.DIFFERENT_OUTCOME].actual == "decline LOW"
    assert done.is_over(0)
    assert not done.is_over(done.different)
    expect_stored(spark, done)


def expect_stored(spark: SparkSession, done: Reconciled) -> None:
    for _ in range(2):
        save_reconciliation(spark, done, began_at_ms=1)
    rows = spark.table(lake.CORE_RECONCILIATION).where(F.col("produced_on") == F.lit(DAY)).collect()
    assert len(rows) == len(Finding) + len(Note)
    by_name = {row.finding: row for row in rows}
    assert by_name["extra_in_archive"].rows == 2
    duplicates = done.examples[Finding.DUPLICATE]
    stored = json.loads(by_name["duplicate"].examples)
    assert [one["transaction_id"] for one in stored] == [one.transaction_id for one in duplicates]
    document = document_of(done, 0)
    assert document["ok"] is False
    assert document["findings"]["different_score"]["count"] == 1
    assert json.loads(json.dumps(document)) == document


def test_purchases_without_artefacts_are_counted(spark: SparkSession, world: World) -> None:
    empty = ArtefactFolders(policies=(), models=(), views=())
    done = world.reconciled(spark, FIRST, folders=empty, today=date(2015, 7, 1))
    assert faults(done) == {}
    assert done.notes[Note.POLICY_UNKNOWN] == done.purchases
    assert done.notes[Note.STORE_EXPIRED] == done.purchases
    named = [one for one in world.of_day(FIRST) if one.risk_view]
    assert done.notes[Note.VIEWS_UNKNOWN] == len(named) > 0
    assert "not_recomputed_policy_unknown" in done.sentence(0)


def test_a_day_that_is_not_archived_is_not_compared(spark: SparkSession, world: World) -> None:
    with pytest.raises(NotArchived, match="archive_topics"):
        world.reconciled(spark, date(2099, 1, 1))


def test_a_day_without_messages_is_stored_as_such(spark: SparkSession, world: World) -> None:
    empty = world.reconciled(spark, EMPTY, today=EMPTY)
    assert (empty.messages, empty.purchases, faults(empty)) == (0, 0, {})
    assert "nothing was produced on this day" in empty.sentence(0)
    save_reconciliation(spark, empty, began_at_ms=1)
    rows = spark.table(lake.CORE_RECONCILIATION).where(F.col("produced_on") == F.lit(EMPTY))
    assert {row.finding: row.rows for row in rows.collect()}[Note.NOTHING_PRODUCED] == 1
    from_ms = FIRST_MS + 3 * DAY_MS
    outcome = spark.table(lake.CORE_JOB_OUTCOMES).where(F.col("from_ms") == F.lit(from_ms)).first()
    assert outcome is not None
    assert (outcome.rows_in, outcome.rows_rejected) == (0, 0)
    assert json.loads(outcome.reasons) == {Note.NOTHING_PRODUCED: 0}


def test_archived_messages_that_are_not_refined_yet_are_excluded(spark: SparkSession) -> None:
    """Regression: on a full stack the archive had run once more and refining had not."""
    day = date(2015, 3, 7)
    noon_ms = epoch_ms_of(datetime(2015, 3, 7, 12, tzinfo=UTC))
    archives = [job for job in NEEDED if job.startswith("archive")]
    refines = [job for job in NEEDED if job.startswith("refine")]

    def settled(*runs: tuple[list[str], int, int]) -> int:
        rows = [
            (job, noon_ms + began * MINUTE_MS, noon_ms + ended * MINUTE_MS, day)
            for jobs, began, ended in runs
            for job in jobs
        ]
        columns = "job STRING, began_at_ms BIGINT, ended_at_ms BIGINT, ended_on DATE"
        until_ms = reconcilable_until_ms(spark.createDataFrame(rows, columns), day, day)
        return (until_ms - noon_ms) // MINUTE_MS

    once = (archives, 10, 12), (refines, 13, 14)
    assert settled(*once) == 10 - 1
    assert settled(*once, (archives, 20, 22)) == 10 - 1
    assert settled(*once, (archives, 20, 22), (refines, 21, 23)) == 10 - 1  # beside each other
    assert settled(*once, (archives, 20, 22), (refines, 23, 24)) == 20 - 1
    with pytest.raises(NotArchived, match="refine_topics"):
        settled((archives, 10, 12), (refines, 11, 13))


def test_the_vectors_are_those_of_one_fold(world: World) -> None:
    """Check the fixture itself: the scored purchases are those that a plain fold accepts."""
    ordered = sorted(world.messages)
    at_ms = np.array([one[2] for one in ordered])
    folded = fold_messages(CustomerState(), [one[4] for one in ordered], at_ms)
    assert folded.repeats > 0
    assert len(folded.refused) > 5
    assert len(packed(folded.features)) == len(world.verdicts)


def published(world: World) -> Restored:
    found = newest_usable(SnapshotFolder(world.states_folder).newest_first(), lambda _: True)
    assert found is not None
    return found


def folded_until(world: World, ends: Ends, first_offset: int = 0) -> CustomerState:
    """Fold the log up to these offsets as the detector does."""
    listed = [one for one in sorted(world.messages) if first_offset <= one[1] < ends[one[0]]]
    state = CustomerState()
    fold_messages(state, [one[4] for one in listed], np.array([one[2] for one in listed]))
    return state


def by_customer(state: CustomerState) -> dict[int, tuple[bytes, ...]]:
    copy = state.copied()
    return {
        int(key): tuple(values.tobytes() for values in copy.rows.chosen([row]))
        for row, key in enumerate(copy.keys)
    }


@pytest.fixture
def nothing_published(spark: SparkSession, world: World) -> None:
    forget_states(spark)
    shutil.rmtree(world.states_folder, ignore_errors=True)


@pytest.mark.usefixtures("nothing_published")
def test_the_state_at_a_days_end_is_published_for_a_detector_to_fold_on(
    spark: SparkSession, world: World
) -> None:
    world.reconciled(spark, FIRST)
    world.reconciled(spark, DAY)
    found = published(world)
    assert found.snapshot.covered.features_version == features_version()
    ends = found.snapshot.covered.ends
    assert sum(ends.values()) == 2 * MESSAGES + 1  # the next day's first message is of this day
    assert by_customer(found.state) == by_customer(folded_until(world, ends))


def state_build(spark: SparkSession, world: World, **changes: Any) -> StateBuild:
    usual: dict[str, Any] = {
        "spark": spark, "states_folder": world.states_folder, "splits": 2, "today": TODAY,
    }  # fmt: skip
    return StateBuild(**usual | changes)


@pytest.mark.usefixtures("nothing_published")
def test_the_state_is_built_without_a_reconciliation(spark: SparkSession, world: World) -> None:
    world.reconciled(spark, DAY)
    reconciled = states(spark, DAY)
    forget_states(spark)
    assert state_build(spark, world).of(DAY) == len(CUSTOMERS)
    assert states(spark, DAY) == reconciled
    assert by_customer(published(world).state) == by_customer(
        folded_until(world, published(world).snapshot.covered.ends)
    )


@pytest.mark.usefixtures("nothing_published", "restored_tables")
def test_an_archive_that_begins_late_is_folded_only_on_request_and_then_by_all(
    spark: SparkSession, world: World
) -> None:
    first = 7
    spark.sql(f"DELETE FROM {lake.RAW_TRANSACTION_TOPIC} WHERE source_offset < {first}")  # noqa: S608  our names
    message = r"has \d+ of the \d+ messages from offset 0.*nothing was stored.*--from-archive-start"
    with pytest.raises(ArchiveTruncated, match=message):
        state_build(spark, world).of(DAY)
    assert states(spark, DAY) == {}
    state_build(spark, world, is_from_archive_start=True).of(DAY)
    ends = published(world).snapshot.covered.ends
    assert by_customer(published(world).state) == by_customer(folded_until(world, ends, first))
    assert world.reconciled(spark, NEXT).state_from == str(DAY)
