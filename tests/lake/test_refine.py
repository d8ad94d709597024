"""Refining of raw bytes to core rows: accepted, rejected, and each counted once."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import threading
import time
from dataclasses import asdict
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import pytest
from pyspark.sql import DataFrame, SparkSession

from fraudwatch.adapters.codecs.json_codec import encode
from fraudwatch.adapters.edge.tink_vault import TinkVault
from fraudwatch.adapters.lake.commit import LakeBusy, commit
from fraudwatch.adapters.lake.core_rows import FROM_EXTRACT, FROM_LOG
from fraudwatch.adapters.lake.outcomes import append_outcomes, code_version, run_id
from fraudwatch.application.intake.admit import Edge
from fraudwatch.domain.lake.counted_rows import CountedRows
from fraudwatch.domain.lake.day_extract import MANIFEST_NAME, REJECTED_NAME, ExtractManifest
from fraudwatch.domain.lake.job_outcome import JobOutcome
from fraudwatch.domain.messages.label import LABEL_SCHEMA, Label, LabelValue, Source
from fraudwatch.domain.messages.purchase import PaymentStatus
from fraudwatch.domain.money import RateTable
from fraudwatch.lake import (
    CORE_JOB_OUTCOMES,
    CORE_LABELS,
    CORE_REFUNDS,
    CORE_REJECTED_PURCHASES,
    CORE_TRANSACTIONS,
    CORE_VERDICTS,
    DATABASE,
    RAW_FRAUD_TOPIC,
    RAW_LABELS_TOPIC,
    RAW_TRANSACTION_TOPIC,
    WAREHOUSE_FOLDER,
    extract_folder,
)
from fraudwatch.samples import NOON_MS, a_purchase, a_refund, a_transaction, a_verdict
from fraudwatch.settings import LakeSettings
from fraudwatch.stack.home import ROOT
from spark_jobs.refine.extract_reading import ExtractUnusable
from spark_jobs.refine.refine_day import run
from spark_jobs.refine.topic_refining import REFINED, checkpoint_of, refine

TRANSACTIONS, VERDICTS, LABELS, REFUNDS = REFINED
DAY_MS = 86_400_000
RAW = (
    "source_partition INT, source_offset BIGINT, produced_at TIMESTAMP, key STRING, value BINARY, "
    "headers ARRAY<STRUCT<key: STRING, value: BINARY>>, produced_on DATE"
)


@pytest.fixture(scope="module", autouse=True)
def _others_messages_are_refined(spark: SparkSession, lake_settings: LakeSettings) -> None:
    for what in REFINED:
        refine(spark, lake_settings, what)


def day_ms(day: str) -> int:
    return int(datetime.fromisoformat(day).replace(tzinfo=UTC).timestamp()) * 1000


def archived(spark: SparkSession, table: str, *values: bytes | None, first: int = 0) -> DataFrame:
    """Append messages to a raw table, as the archive does."""
    at = datetime.now(UTC)
    rows = [
        (0, first + place, at, key_of(value), value, [], at.date())
        for place, value in enumerate(values)
    ]
    frame = spark.createDataFrame(rows, RAW)
    frame.write.format("delta").mode("append").saveAsTable(f"{DATABASE}.{table}")
    return frame


def key_of(value: bytes | None) -> str:
    """Return a message's key as ingest sends it: a purchase's customer, else anything.

    Other tests of this Spark fold the whole archive, and refuse a purchase with another key.
    """
    try:
        return str(json.loads(value or b"").get("customer_token"))
    except ValueError:
        return "key"


def rows_of(spark: SparkSession, table: str, day: str) -> list[dict[str, Any]]:
    column = {CORE_LABELS: "known_on", CORE_REFUNDS: "purchased_on"}.get(table, "event_on")
    found = spark.table(f"{DATABASE}.{table}").where(f"{column} = DATE'{day}'").collect()
    return [row.asDict(recursive=True) for row in found]


def bought(id_: str, day: str, **more: Any) -> bytes:
    return encode(a_transaction(transaction_id=id_, event_at_ms=day_ms(day) + 1_000, **more))


def test_the_log_is_refined_once_and_rejected_messages_are_counted(
    spark: SparkSession, lake_settings: LakeSettings
) -> None:
    day = "2024-03-01"
    erase = json.dumps({"schema": "transaction.v1", "kind": "erase", "customer_token": "x"})
    archived(
        spark,
        RAW_TRANSACTION_TOPIC,
        bought("l:1", day, amount_minor=100),
        bought("l:2", day, category=None, item_count=None),
        bought("l:1", day, amount_minor=999),
        erase.encode(),
        b"{no json",
        b'{"schema": "transaction.v1", "kind": "transaction"}',
        bought("l:3", day, merchant_country="Germany"),
        None,
    )
    counted = refine(spark, lake_settings, TRANSACTIONS)
    assert counted == CountedRows(
        rows_in=8,
        rows_out=2,
        rejected={"erase": 1, "not_json": 2, "out_of_bounds": 1, "repeated": 1, "wrong_schema": 1},
        from_ms=day_ms(day) + 1_000,
        until_ms=day_ms(day) + 1_001,
    )
    rows = {row["transaction_id"]: row for row in rows_of(spark, CORE_TRANSACTIONS, day)}
    assert set(rows) == {"l:1", "l:2"}
    assert rows["l:1"]["amount_minor"] == 100, "the first offset stands"
    assert (rows["l:2"]["category"], rows["l:2"]["item_count"]) == (None, None)
    assert rows["l:1"]["payment_status"] == PaymentStatus.APPROVED
    assert rows["l:1"]["origin"] == FROM_LOG

    assert refine(spark, lake_settings, TRANSACTIONS) == CountedRows(), "nothing is new"
    archived(spark, RAW_TRANSACTION_TOPIC, bought("l:1", day, amount_minor=7), first=8)
    again = refine(spark, lake_settings, TRANSACTIONS)
    assert (again.rows_out, again.rejected) == (0, {"repeated": 1})
    assert len(rows_of(spark, CORE_TRANSACTIONS, day)) == 2


def test_refunds_are_refined_once_and_are_no_purchases(
    spark: SparkSession, lake_settings: LakeSettings
) -> None:
    day = "2024-03-05"
    at_ms = day_ms(day) + 1_000

    def given_back(id_: str, **more: Any) -> bytes:
        times = {"purchased_at_ms": at_ms, "refunded_at_ms": at_ms + 40 * DAY_MS}
        return encode(a_refund(refund_id=id_, transaction_id="f:1", **times, **more))

    archived(
        spark,
        RAW_TRANSACTION_TOPIC,
        bought("f:1", day),
        given_back("f:back-1", amount_eur_cents=700),
        given_back("f:back-1", amount_eur_cents=999),
        given_back("f:back-2", amount_minor=0),
        given_back("f:back-3", amount_eur_cents=300),
        None,
        first=100,
    )
    bought_rows = refine(spark, lake_settings, TRANSACTIONS)
    assert (bought_rows.rows_in, bought_rows.rows_out) == (2, 1)
    assert bought_rows.rejected == {"not_json": 1}
    counted = refine(spark, lake_settings, REFUNDS)
    assert counted == CountedRows(
        rows_in=4,
        rows_out=2,
        rejected={"out_of_bounds": 1, "repeated": 1},
        from_ms=at_ms,
        until_ms=at_ms + 1,
    )
    rows = {row["refund_id"]: row for row in rows_of(spark, CORE_REFUNDS, day)}
    assert {name: row["amount_eur_cents"] for name, row in rows.items()} == {
        "f:back-1": 700, "f:back-3": 300,
    }  # fmt: skip
    assert rows["f:back-1"]["transaction_id"] == "f:1"
    assert rows["f:back-1"]["reason"] == "refund"
    assert refine(spark, lake_settings, REFUNDS) == CountedRows(), "nothing is new"


def test_rows_deleted_by_retention_are_ignored(
    spark: SparkSession, lake_settings: LakeSettings
) -> None:
    archived(spark, RAW_LABELS_TOPIC, b"{}", first=900)
    refine(spark, lake_settings, LABELS)
    table = f"{DATABASE}.{RAW_LABELS_TOPIC}"
    spark.sql(f"DELETE FROM {table} WHERE source_offset = 900")  # noqa: S608  no outside text
    assert refine(spark, lake_settings, LABELS) == CountedRows()


def test_the_latest_verdict_is_stored(spark: SparkSession, lake_settings: LakeSettings) -> None:
    day = "2024-03-02"
    at = day_ms(day)

    def a_verdict_message(decided: int, **more: Any) -> bytes:
        return encode(
            a_verdict(transaction_id="v:1", event_at_ms=at, decided_at_ms=at + decided, **more)
        )

    archived(
        spark,
        RAW_FRAUD_TOPIC,
        a_verdict_message(20, source_offset=7),
        a_verdict_message(10),
        a_verdict_message(20, source_offset=7),
    )
    counted = refine(spark, lake_settings, VERDICTS)
    assert (counted.rows_in, counted.rows_out, counted.rejected) == (3, 1, {"repeated": 2})
    archived(spark, RAW_FRAUD_TOPIC, a_verdict_message(15), first=3)
    assert refine(spark, lake_settings, VERDICTS).rows_out == 0
    (row,) = rows_of(spark, CORE_VERDICTS, day)
    assert (row["decided_at_ms"], row["source_offset"]) == (at + 20, 7)
    assert row["rules"] == [{"rule": "high_amount", "points": 50}]


def test_labels_are_only_ever_added(spark: SparkSession, lake_settings: LakeSettings) -> None:
    day = "2024-03-03"

    def a_label(verdict: LabelValue, at: int, by: str = "bank") -> bytes:
        return encode(
            Label(
                schema=LABEL_SCHEMA,
                transaction_id="b:1",
                verdict=verdict,
                source=Source.CHARGEBACK,
                by=by,
                known_at_ms=day_ms(day) + at,
            )
        )

    fraud, genuine = a_label(LabelValue.FRAUD, 1), a_label(LabelValue.GENUINE, 2)
    archived(spark, RAW_LABELS_TOPIC, fraud, genuine, fraud, first=10)
    counted = refine(spark, lake_settings, LABELS)
    assert (counted.rows_out, counted.rejected) == (2, {"repeated": 1})
    found = {(row["verdict"], row["known_at_ms"]) for row in rows_of(spark, CORE_LABELS, day)}
    assert found == {("fraud", day_ms(day) + 1), ("genuine", day_ms(day) + 2)}


def test_a_replayed_batch_changes_nothing(spark: SparkSession, lake_settings: LakeSettings) -> None:
    day = "2024-03-04"
    archived(spark, RAW_TRANSACTION_TOPIC, bought("r:1", day), bought("r:2", day), first=20)
    refine(spark, lake_settings, TRANSACTIONS)
    before = rows_of(spark, CORE_TRANSACTIONS, day)
    # As after a crash between the merge and Spark's own commit.
    checkpoint = Path(lake_settings.at(checkpoint_of(RAW_TRANSACTION_TOPIC)).removeprefix("file:"))
    last = max((checkpoint / "commits").glob("[0-9]*"), key=lambda path: int(path.name))
    last.unlink()
    (last.parent / f".{last.name}.crc").unlink(missing_ok=True)
    counted = refine(spark, lake_settings, TRANSACTIONS)
    assert (counted.rows_in, counted.rows_out) == (2, 0)
    assert rows_of(spark, CORE_TRANSACTIONS, day) == before


def lay_extract(
    lake: LakeSettings,
    day: str,
    lines: list[bytes],
    /,
    *,
    rejected: dict[str, int] | None = None,
    **changes: Any,
) -> Path:
    folder = Path(lake.at(extract_folder(date.fromisoformat(day))).removeprefix("file://"))
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "transactions-00001.jsonl").write_bytes(b"".join(line + b"\n" for line in lines))
    notes = [
        {"origin": f"extract:{day}:{place}", "code": code, "reason": "amount_minor is missing"}
        for code, count in (rejected or {}).items()
        for place in range(count)
    ]
    (folder / REJECTED_NAME).write_text("".join(json.dumps(one) + "\n" for one in notes))
    manifest = ExtractManifest(
        **{
            "day": day,
            "purchases": len(lines) + len(notes),
            "amount_minor_by_currency": {"EUR": 1},
            "checksum_sha256": "0" * 64,
            "pages": 1,
            "accepted": len(lines),
            "rejected": rejected or {},
            "files": ("transactions-00001.jsonl",),
            "run_id": f"run-{day}",
            "began_at_ms": NOON_MS,
            "ended_at_ms": NOON_MS + 5,
            "code_version": "test",
        }
        | changes
    )
    (folder / MANIFEST_NAME).write_bytes(encode(manifest))
    return folder


def test_the_extract_fills_what_the_log_lacks(
    spark: SparkSession, lake_settings: LakeSettings
) -> None:
    day = "2024-04-01"
    archived(spark, RAW_TRANSACTION_TOPIC, bought("e:1", day, amount_minor=1), first=30)
    refine(spark, lake_settings, TRANSACTIONS)
    lines = [bought(f"e:{n}", day, amount_minor=50 + n) for n in (1, 2, 3)]
    lay_extract(lake_settings, day, lines, rejected={"wrong_schema": 2})
    extracted, refined = run(spark, lake_settings, date.fromisoformat(day))
    assert (extracted.run_id, extracted.rows_in, extracted.rows_out) == (f"run-{day}", 5, 3)
    assert json.loads(extracted.reasons) == {"wrong_schema": 2}
    assert (refined.rows_in, refined.rows_out) == (3, 2)
    assert (refined.from_ms, refined.until_ms) == (day_ms(day), day_ms(day) + DAY_MS)

    def standing() -> dict[str, tuple[int, str]]:
        rows = rows_of(spark, CORE_TRANSACTIONS, day)
        return {row["transaction_id"]: (row["amount_minor"], row["origin"]) for row in rows}

    whole = {"e:1": (1, FROM_LOG), "e:2": (52, FROM_EXTRACT), "e:3": (53, FROM_EXTRACT)}
    assert standing() == whole
    assert len(rows_of(spark, CORE_REJECTED_PURCHASES, day)) == 2

    run(spark, lake_settings, date.fromisoformat(day))
    assert standing() == whole, "twice is as once"
    assert len(rows_of(spark, CORE_REJECTED_PURCHASES, day)) == 2

    # The source took one back, and what it refused is known better.
    lay_extract(lake_settings, day, lines[:2], rejected={"not_json": 1})
    run(spark, lake_settings, date.fromisoformat(day))
    assert set(standing()) == {"e:1", "e:2"}
    assert [r["code"] for r in rows_of(spark, CORE_REJECTED_PURCHASES, day)] == ["not_json"]

    # And the log wins over what the extract brought.
    archived(spark, RAW_TRANSACTION_TOPIC, bought("e:2", day, amount_minor=2), first=31)
    assert refine(spark, lake_settings, TRANSACTIONS).rows_out == 1
    assert standing()["e:2"] == (2, FROM_LOG)
    ledger = spark.table(f"{DATABASE}.{CORE_JOB_OUTCOMES}").where(f"run_id = 'run-{day}'")
    assert ledger.count() == 1, "one row a run, however often it is recorded"


@pytest.mark.parametrize(
    ("day", "changes", "says"),
    [
        ("2024-04-02", {"accepted": 3}, "holds 2 lines, not 3"),
        ("2024-04-03", {"rejected": {"not_json": 1}}, "rejected"),
        ("2024-04-04", {"day": "2024-04-05"}, "is of 2024-04-05"),
        ("2024-04-06", {"files": ("transactions-00002.jsonl",)}, "is missing"),
    ],
)
def test_an_extract_that_differs_from_its_manifest_changes_nothing(
    spark: SparkSession, lake_settings: LakeSettings, day: str, changes: dict[str, Any], says: str
) -> None:
    folder = lay_extract(lake_settings, day, [bought("m:1", day), bought("m:2", day)], **changes)
    (folder / REJECTED_NAME).write_text("")
    with pytest.raises(ExtractUnusable, match=says):
        run(spark, lake_settings, date.fromisoformat(day))
    assert rows_of(spark, CORE_TRANSACTIONS, day) == []


def test_lines_of_another_day_change_nothing(
    spark: SparkSession, lake_settings: LakeSettings
) -> None:
    day = "2024-04-07"
    lay_extract(lake_settings, day, [bought("m:1", day), bought("m:2", "2024-04-08")])
    with pytest.raises(ExtractUnusable, match="another day"):
        run(spark, lake_settings, date.fromisoformat(day))
    lay_extract(lake_settings, day, [bought("m:1", day), b'{"half a li'])
    with pytest.raises(ExtractUnusable, match="no valid message"):
        run(spark, lake_settings, date.fromisoformat(day))
    assert rows_of(spark, CORE_TRANSACTIONS, day) == []


def test_a_day_without_extract_is_reported(
    spark: SparkSession, lake_settings: LakeSettings
) -> None:
    with pytest.raises(ExtractUnusable, match=r"never extracted completely.*batch\.extract_day"):
        run(spark, lake_settings, date(2024, 4, 9))


def test_concurrent_runs_store_the_day_once(
    spark: SparkSession, lake_settings: LakeSettings
) -> None:
    day = "2024-04-10"
    lay_extract(lake_settings, day, [bought(f"t:{n}", day) for n in range(50)])
    failed: list[Exception] = []

    def refine_it(session: SparkSession) -> None:
        try:
            session.sql(f"USE {DATABASE}")
            run(session, lake_settings, date.fromisoformat(day))
        except LakeBusy as error:  # an allowed end, with a sentence
            failed.append(error)

    runs = [threading.Thread(target=refine_it, args=(spark.newSession(),)) for _ in range(2)]
    for one in runs:
        one.start()
    for one in runs:
        one.join()
    assert len(failed) < 2
    rows = rows_of(spark, CORE_TRANSACTIONS, day)
    assert sorted(row["transaction_id"] for row in rows) == sorted(f"t:{n}" for n in range(50))


def test_a_lost_race_is_retried_once_and_then_raised(spark: SparkSession) -> None:
    """Provoke a real conflict: the table changes between another writer's read and its commit."""
    table = f"{DATABASE}.{CORE_TRANSACTIONS}"
    tries: list[int] = []

    def lose() -> None:
        tries.append(1)
        spark.sql("SELECT raise_error('[DELTA_CONCURRENT_APPEND] others were quicker')").collect()

    with pytest.raises(LakeBusy, match="run this again"):
        commit(lose, table)
    assert len(tries) == 2


_KILLED = """
import sys
from datetime import date
from fraudwatch.adapters.lake.session import open_lake
from fraudwatch.settings import LakeSettings
from spark_jobs.refine.refine_day import run
lake = LakeSettings()
spark = open_lake(lake, "killed")
spark.sql("CREATE DATABASE IF NOT EXISTS fraudwatch")
for table in ("core_transactions", "core_rejected_purchases", "core_job_outcomes"):
    where = lake.at(f"/fraudwatch/warehouse/fraudwatch.db/{table}")
    spark.sql(f"CREATE TABLE fraudwatch.{table} USING delta LOCATION '{where}'")
run(spark, lake, date.fromisoformat(sys.argv[1]))
"""


def test_a_job_killed_while_it_writes_leaves_the_table_as_it_was(
    spark: SparkSession, lake_settings: LakeSettings
) -> None:
    day = "2024-04-11"
    lay_extract(lake_settings, day, [bought(f"k:{n}", day) for n in range(20_000)])
    warehouse = Path(lake_settings.at(WAREHOUSE_FOLDER).removeprefix("file://"))
    files = warehouse / f"{DATABASE}.db" / CORE_TRANSACTIONS / f"event_on={day}"
    log = files.parent / "_delta_log"
    before = len(list(log.glob("*.json")))
    job = subprocess.Popen(
        [sys.executable, "-c", _KILLED, day],
        cwd=ROOT,
        env={
            **os.environ,
            "LAKE_FILE_SYSTEM": lake_settings.file_system,
            "LAKE_JARS": lake_settings.jars,
            "LAKE_MASTER": "local[1]",
        },
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        start_new_session=True,
    )
    deadline = time.monotonic() + 240
    while not list(files.glob("*")):
        assert job.poll() is None, (job.stderr.read() if job.stderr else b"")[-2_000:]
        assert time.monotonic() < deadline
        time.sleep(0.005)
    os.killpg(job.pid, signal.SIGKILL)
    job.communicate()
    assert len(list(log.glob("*.json"))) == before, "it was killed before its commit"
    assert rows_of(spark, CORE_TRANSACTIONS, day) == []
    run(spark, lake_settings, date.fromisoformat(day))
    assert len(rows_of(spark, CORE_TRANSACTIONS, day)) == 20_000


def test_no_table_has_personal_data(
    spark: SparkSession, lake_settings: LakeSettings, tmp_path: Path
) -> None:
    day = "2024-04-12"
    planted = {
        "name": "Zebulon Quisling",
        "email": "zebulon@quisling.example",
        "card_number": "4929000000006",
        "ip": "198.51.100.73",
        "customer_id": "zebulon-the-customer",
        "device_id": "zebulons-telephone",
    }
    edge = Edge(TinkVault(tmp_path), RateTable({}))
    purchase = a_purchase(id="personal", event_at_ms=day_ms(day) + 1, **planted)
    line = encode(edge.admit(purchase, now_ms=day_ms(day) + 2))
    archived(spark, RAW_TRANSACTION_TOPIC, line, first=40)
    refine(spark, lake_settings, TRANSACTIONS)
    other = encode(
        edge.admit(
            a_purchase(id="personal2", event_at_ms=day_ms(day) + 1, **planted),
            now_ms=day_ms(day) + 2,
        )
    )
    lay_extract(lake_settings, day, [line, other], rejected={"not_json": 1})
    run(spark, lake_settings, date.fromisoformat(day))
    names = [row["tableName"] for row in spark.sql(f"SHOW TABLES IN {DATABASE}").collect()]
    checked = [name for name in names if name.startswith(("raw_", "core_"))]
    texts = {
        name: "\n".join(str(row) for row in spark.table(f"{DATABASE}.{name}").collect())
        for name in checked
        if name != CORE_TRANSACTIONS
    }
    texts[CORE_TRANSACTIONS] = str(rows_of(spark, CORE_TRANSACTIONS, day))
    assert "shop:personal" in texts[RAW_TRANSACTION_TOPIC], "raw bytes are unchanged"
    assert "shop:personal2" in texts[CORE_TRANSACTIONS]
    for name, text in texts.items():
        assert [field for field, value in planted.items() if value in text] == [], name


def test_there_is_one_job_outcome_a_run_and_job(spark: SparkSession) -> None:
    one = JobOutcome(
        run_id="ledger-1", job="check_day", from_ms=1, until_ms=2, rows_in=3, rows_out=2,
        rows_rejected=1, began_at_ms=NOON_MS, ended_at_ms=NOON_MS + 1, code_version=code_version(),
    )  # fmt: skip
    other = JobOutcome(**asdict(one) | {"job": "extract_day"})
    append_outcomes(spark, [one, other])
    append_outcomes(spark, [one])
    rows = spark.table(f"{DATABASE}.{CORE_JOB_OUTCOMES}").where("run_id = 'ledger-1'").collect()
    found = [{k: v for k, v in row.asDict().items() if k != "ended_on"} for row in rows]
    assert sorted(found, key=lambda row: row["job"]) == [asdict(one), asdict(other)]
    assert {str(row["ended_on"]) for row in rows} == {"2026-01-15"}


def test_a_run_id_is_airflows_or_a_uuid() -> None:
    context = {
        "AIRFLOW_CTX_DAG_ID": "ingest",
        "AIRFLOW_CTX_DAG_RUN_ID": "manual__1",
        "AIRFLOW_CTX_TASK_ID": "refine",
        "AIRFLOW_CTX_TRY_NUMBER": "2",
    }
    assert run_id(context) == "ingest/manual__1/refine/2"
    assert run_id(context | {"AIRFLOW_CTX_MAP_INDEX": "-1"}) == "ingest/manual__1/refine/2"
    assert run_id(context | {"AIRFLOW_CTX_MAP_INDEX": "3"}) == "ingest/manual__1/refine/3/2"
    assert run_id({}) != run_id({})


def test_the_code_version_has_a_hash_of_the_sources() -> None:
    assert code_version().startswith("0.1.0+")
    assert code_version() == code_version.__wrapped__()
