"""Train a model on three days, use it, and detect a changed verdict by reconciliation.

Takes about forty minutes on two cores: ``make proof`` runs it, ``make test`` does not.
"""

from __future__ import annotations

import json
import time
import uuid
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from operator import itemgetter

import pytest

from fraudwatch.adapters.codecs.json_codec import encode
from fraudwatch.adapters.lake.hive_sql import sql_session
from fraudwatch.adapters.store.alerts import CassandraAlertReader
from fraudwatch.adapters.store.session import close, connect
from fraudwatch.domain.messages.verdict import Verdict
from fraudwatch.domain.models.fitted import VERSION_LENGTH
from fraudwatch.samples import a_purchase
from fraudwatch.stack.private_stack import PrivateStack, running
from tests.conftest import WORLD
from tests.e2e.airflow_runs import mails_about, run_automatically, trigger
from tests.waiting import eventually

pytestmark = [pytest.mark.engines, pytest.mark.proof, pytest.mark.timeout(3_600)]
# Three days are enough to train on; the newest fourth one is younger than the label delay.
TRAIN_ON_THREE_DAYS = {
    "SHOP_HISTORY_DAYS": "4",
    "LABEL_DELAY_DAYS": "1",
    "TRAINING_FEWEST_FRAUDS": "5",
}
ARCHIVED_VERDICTS = "fraudwatch.raw_fraud_topic"
# The first verdict: of today only the older ones are reconciled.
SOME_VERDICT = (
    f"SELECT source_partition, source_offset FROM {ARCHIVED_VERDICTS} "  # noqa: S608  our name
    "WHERE produced_on = %s ORDER BY source_offset LIMIT 1"
)
TAMPER = (
    f"UPDATE {ARCHIVED_VERDICTS} SET value = CAST(regexp_replace(CAST(value AS STRING), "  # noqa: S608  our name
    """'"score":[0-9.e-]+', '"score":0.999') AS BINARY) """
    "WHERE source_partition = %s AND source_offset = %s"
)


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Iterator[PrivateStack]:
    home = tmp_path_factory.mktemp("whole_home")
    with running(home, WORLD | TRAIN_ON_THREE_DAYS, "lake") as started:
        yield started


def label_low_amounts(stack: PrivateStack) -> None:
    """Label the lowest twentieth of each closed day's amounts as fraud, a minute after the event.

    Hardly any rule hits them, so only a model trained on labels detects them.
    """
    today = datetime.now(UTC).date()
    with stack.http("shop", "SHOP_API_KEY") as shop:
        pages = [
            shop.get(f"/v1/extract/{today - timedelta(days=ago)}", params={"page_size": 5_000})
            for ago in (4, 3, 2, 1)
        ]
    labels = []
    for page in pages:
        bought = sorted(page.json()["purchases"], key=itemgetter("amount_minor"))
        labels += [
            {
                "source": one["source"],
                "id": one["id"],
                "verdict": "fraud",
                "by": "issuer",
                "known_at_ms": one["event_at_ms"] + 60_000,
            }
            for one in bought[: len(bought) // 20]
        ]
    with stack.http("ingest", "INGEST_API_KEY") as ingest:
        assert ingest.post("/v1/labels", json=labels).json()["accepted"] == len(labels)


def new_stored_verdict(stack: PrivateStack) -> Verdict:
    """Post a purchase and return its stored verdict."""
    now_ms = time.time_ns() // 1_000_000
    purchase = a_purchase(source="now", id=uuid.uuid4().hex, event_at_ms=now_ms)
    with stack.http("ingest", "INGEST_API_KEY") as ingest:
        response = ingest.post("/v1/transactions", content=encode([purchase]))
    assert response.status_code == 202, response.text
    session = connect(stack.cassandra("console"))
    try:
        reader, name = CassandraAlertReader(session), f"now:{purchase.id}"
        verdict = eventually(lambda: reader.verdict_of(name), within_seconds=60, what="its verdict")
    finally:
        close(session)
    assert verdict is not None
    return verdict


def test_three_days_become_the_model_that_scores_the_next_purchase(whole: PrivateStack) -> None:
    label_low_amounts(whole)
    run_automatically(whole, "ingest_transactions", "build_reports")
    run_automatically(whole, "archive_topics")
    run_automatically(whole, "train_model")
    expect_the_champion_in_the_next_verdict(whole)
    assert trigger(whole, "archive_topics")["state"] == "success"
    expect_a_changed_archived_verdict_to_be_detected(whole)


def expect_the_champion_in_the_next_verdict(stack: PrivateStack) -> None:
    newest = json.loads(stack.command("model", "ls", "--json").stdout)["versions"][0]
    assert newest["is_in_use"], newest["tags"]["because"]
    assert newest["aliases"] == ["champion"]

    def is_named() -> bool:
        scores = new_stored_verdict(stack).model_scores
        return newest["sha256"][:VERSION_LENGTH] in [one.version for one in scores]

    eventually(is_named, within_seconds=60, what="a verdict that names the new model")


def expect_a_changed_archived_verdict_to_be_detected(stack: PrivateStack) -> None:
    with sql_session(stack.hive("admin")) as sql:
        [(day,)] = sql.rows("SELECT min(produced_on) FROM fraudwatch.raw_transaction_topic")
        result = json.loads(stack.command("reconcile", "--date", day, "--json").stdout)
        assert result["ok"], result["said"]
        [origin] = sql.rows(SOME_VERDICT, [day])
        sql.run(TAMPER, origin)
    reconciled = trigger(stack, "reconcile_views", date=day)
    assert reconciled["state"] == "failed"
    [mail] = mails_about(stack, reconciled["run_id"])
    assert "findings 2 among" in mail  # the topic's verdict, and Cassandra's, which now differs
    assert "different_score 1" in mail
