"""The whole circle: three days become a model, verdicts name it, and nobody can change the past.

Some forty minutes on two cores: ``make proof`` runs it, ``make test`` does not.
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
from tests.e2e.airflow_runs import asked_for, by_itself, mails_about
from tests.waiting import eventually

pytestmark = [pytest.mark.engines, pytest.mark.proof, pytest.mark.timeout(3_600)]
# Three days are enough to learn from, and nobody waits for labels.
LEARNT_IN_DAYS = {
    "SHOP_HISTORY_DAYS": "3",
    "TRAINING_LABEL_DELAY_DAYS": "0",
    "TRAINING_FEWEST_FRAUDS": "5",
}
ARCHIVED_VERDICTS = "fraudwatch.raw_fraud_topic"
# The first: of today only what has settled is looked at.
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
    with running(home, WORLD | LEARNT_IN_DAYS, "lake") as started:
        yield started


def label_the_cheap(stack: PrivateStack) -> None:
    """Say of each closed day's cheapest twentieth, a minute later, that it was fraud.

    No rule has anything against most of them: only who learns from labels finds them.
    """
    today = datetime.now(UTC).date()
    with stack.http("shop", "SHOP_API_KEY") as shop:
        pages = [
            shop.get(f"/v1/extract/{today - timedelta(days=ago)}", params={"page_size": 5_000})
            for ago in (3, 2, 1)
        ]
    said = []
    for page in pages:
        bought = sorted(page.json()["purchases"], key=itemgetter("amount_minor"))
        said += [
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
        assert ingest.post("/v1/labels", json=said).json()["accepted"] == len(said)


def judged_now(stack: PrivateStack) -> Verdict:
    """The verdict on a purchase of this moment, as it is stored."""
    now_ms = time.time_ns() // 1_000_000
    purchase = a_purchase(source="now", id=uuid.uuid4().hex, event_at_ms=now_ms)
    with stack.http("ingest", "INGEST_API_KEY") as ingest:
        answer = ingest.post("/v1/transactions", content=encode([purchase]))
    assert answer.status_code == 202, answer.text
    session = connect(stack.cassandra("console"))
    try:
        reader, name = CassandraAlertReader(session), f"now:{purchase.id}"
        found = eventually(lambda: reader.verdict_of(name), within_seconds=60, what="its verdict")
    finally:
        close(session)
    assert found is not None
    return found


def test_three_days_become_the_model_that_judges_the_next_purchase(whole: PrivateStack) -> None:
    label_the_cheap(whole)
    by_itself(whole, "ingest_transactions", "build_reports")
    by_itself(whole, "archive_topics")
    by_itself(whole, "train_model")
    the_next_verdict_names_the_champion(whole)
    assert asked_for(whole, "archive_topics")["state"] == "success"
    nobody_changes_what_was_archived(whole)


def the_next_verdict_names_the_champion(stack: PrivateStack) -> None:
    newest = json.loads(stack.command("model", "ls", "--json").stdout)["versions"][0]
    assert newest["is_in_use"], newest["tags"]["because"]
    assert newest["aliases"] == ["champion"]

    def is_named() -> bool:
        said = judged_now(stack).model_scores
        return newest["sha256"][:VERSION_LENGTH] in [one.version for one in said]

    eventually(is_named, within_seconds=60, what="a verdict that names the new model")


def nobody_changes_what_was_archived(stack: PrivateStack) -> None:
    with sql_session(stack.hive("admin")) as sql:
        [(day,)] = sql.rows("SELECT min(produced_on) FROM fraudwatch.raw_transaction_topic")
        told = json.loads(stack.command("reconcile", "--date", day, "--json").stdout)
        assert told["ok"], told["said"]
        [place] = sql.rows(SOME_VERDICT, [day])
        sql.run(TAMPER, place)
    reconciled = asked_for(stack, "reconcile_views", date=day)
    assert reconciled["state"] == "failed"
    [mail] = mails_about(stack, reconciled["run_id"])
    assert "findings 2 among" in mail  # the topic's verdict, and Cassandra's is another one now
    assert "different_score 1" in mail
