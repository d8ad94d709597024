"""Every component has only the rights it needs, and default logins are gone."""

from __future__ import annotations

import stat
from collections.abc import Callable

import pytest
from cassandra import Unauthorized
from cassandra.cluster import Session
from confluent_kafka import Consumer, KafkaException, Producer, TopicPartition
from pydantic import SecretStr

from fraudwatch.adapters.kafka_log.log import KafkaTopic, client_config, read_range
from fraudwatch.adapters.store.session import LoginRefused, close, connect
from fraudwatch.application.ports import NotDelivered, StoreUnavailable
from fraudwatch.stack.private_stack import PrivateStack
from fraudwatch.topics import (
    AUDIT_TOPIC,
    DEAD_LETTER_TOPIC,
    FRAUD_TOPIC,
    SANDBOX_FRAUD_TOPIC,
    SANDBOX_TRANSACTION_TOPIC,
    TRANSACTION_TOPIC,
)

pytestmark = pytest.mark.engines


@pytest.mark.parametrize(
    ("user", "topic"),
    [
        ("detector", TRANSACTION_TOPIC),
        ("persister", TRANSACTION_TOPIC),
        ("persister", FRAUD_TOPIC),
        ("ingest", FRAUD_TOPIC),
        ("persister", AUDIT_TOPIC),
        ("console", TRANSACTION_TOPIC),
        ("console", FRAUD_TOPIC),
        ("shadow", FRAUD_TOPIC),
        ("shadow", SANDBOX_TRANSACTION_TOPIC),
        ("ingest", SANDBOX_FRAUD_TOPIC),
    ],
)
def test_a_user_cannot_write_a_topic_of_others(stack: PrivateStack, user: str, topic: str) -> None:
    with pytest.raises(NotDelivered, match="did not reach the broker"):
        KafkaTopic(stack.kafka(user), topic).publish([("anna", b"forged", 1)])


@pytest.mark.parametrize(
    ("user", "topic"),
    [
        ("ingest", TRANSACTION_TOPIC),
        ("detector", FRAUD_TOPIC),
        ("detector", DEAD_LETTER_TOPIC),
        ("console", AUDIT_TOPIC),
        ("ingest", AUDIT_TOPIC),
        ("monitor", TRANSACTION_TOPIC),
        ("monitor", AUDIT_TOPIC),
    ],
)
def test_a_user_cannot_read_a_topic_of_others(stack: PrivateStack, user: str, topic: str) -> None:
    consumer = Consumer(client_config(stack.kafka(user)) | {"group.id": user})
    try:
        consumer.assign([TopicPartition(topic, 0, 0)])
        # An error about the consumer group may come first.
        names: set[str] = set()
        while "TOPIC_AUTHORIZATION_FAILED" not in names:
            message = consumer.poll(20)
            assert message is not None, f"no refusal came, only {names}"
            error = message.error()
            assert error is not None, "a message was read"
            names.add(error.name())
    finally:
        consumer.close()


@pytest.mark.parametrize("user", ["tally", "notifier", "webhooks", "shadow"])
def test_a_user_without_a_topic_of_its_own_writes_none(stack: PrivateStack, user: str) -> None:
    # Without idempotence: the broker refuses these even a producer id.
    refused: list[str] = []
    producer = Producer(client_config(stack.kafka(user)) | {"message.timeout.ms": 20_000})
    producer.produce(
        FRAUD_TOPIC,
        b"forged",
        on_delivery=lambda error, _: refused.append(str(error and error.name())),
    )
    assert producer.flush(30) == 0
    assert refused == ["TOPIC_AUTHORIZATION_FAILED"]


@pytest.mark.parametrize(
    ("user", "topic"),
    [
        ("notifier", TRANSACTION_TOPIC),
        ("webhooks", TRANSACTION_TOPIC),
        ("webhooks", AUDIT_TOPIC),
        ("shadow", DEAD_LETTER_TOPIC),
        ("detector", SANDBOX_TRANSACTION_TOPIC),
        ("persister", SANDBOX_TRANSACTION_TOPIC),
        ("persister", SANDBOX_FRAUD_TOPIC),
        ("rest_api", SANDBOX_FRAUD_TOPIC),
    ],
)
def test_a_user_may_not_even_describe_a_topic_of_others(
    stack: PrivateStack, user: str, topic: str
) -> None:
    consumer = Consumer(client_config(stack.kafka(user)) | {"group.id": user})
    try:
        described = consumer.list_topics(topic, timeout=20).topics[topic]
    finally:
        consumer.close()
    assert described.error is not None
    assert described.error.name() == "TOPIC_AUTHORIZATION_FAILED"


def test_a_wrong_password_is_refused(stack: PrivateStack, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("fraudwatch.adapters.kafka_log.log._READ_TIMEOUT_SECONDS", 8.0)
    wrong = stack.kafka("ingest").model_copy(update={"password": SecretStr("x" * 32)})
    with pytest.raises((KafkaException, TimeoutError)):
        list(read_range(wrong, TRANSACTION_TOPIC, {0: 1}))


def test_cassandras_default_superuser_is_gone(stack: PrivateStack) -> None:
    default = stack.cassandra("console").model_copy(
        update={"username": "cassandra", "password": SecretStr("cassandra")}
    )
    with pytest.raises(LoginRefused):
        connect(default)


@pytest.mark.parametrize(
    ("role", "statement"),
    [
        ("console", "DELETE FROM fraudwatch.alert_by_hour WHERE hour_at = 0 AND risk = 'HIGH'"),
        ("console", "TRUNCATE fraudwatch.verdict_by_transaction"),
        ("console", "SELECT * FROM fraudwatch.alert_by_merchant"),
        ("rest_api", "SELECT * FROM fraudwatch.claim"),
        ("rest_api", "SELECT * FROM fraudwatch.audit_by_day"),
        ("rest_api", "DELETE FROM fraudwatch.alert_by_rule WHERE rule = 'r' AND day = 'd'"),
        (
            "rest_api",
            (
                "INSERT INTO fraudwatch.label_by_transaction "
                "(transaction_id, source, known_at, labelled_by) VALUES ('t', 's', 0, 'b')"
            ),
        ),
        (
            "console",
            (
                "DELETE FROM fraudwatch.transaction_by_customer "
                "WHERE customer_token = 'a' AND month = '2026-01'"
            ),
        ),
        ("persister", "SELECT * FROM fraudwatch.claim"),
        ("notifier", "SELECT * FROM fraudwatch.verdict_by_transaction LIMIT 1"),
        (
            "notifier",
            (
                "DELETE FROM fraudwatch.transaction_by_customer "
                "WHERE customer_token = 'a' AND month = '2026-01'"
            ),
        ),
        ("persister", "SELECT * FROM fraudwatch.case_handling"),
        ("persister", "SELECT * FROM fraudwatch.open_review"),
        ("console", "DELETE FROM fraudwatch.open_alert WHERE day = '2026-01-01' AND risk = 'HIGH'"),
        ("console", "SELECT * FROM fraudwatch.open_alert_fill"),
        ("console", "SELECT * FROM fraudwatch.purchase_by_token_fill"),
        ("console", "DELETE FROM fraudwatch.purchase_by_token WHERE bucket = '2026-01-15:07'"),
        ("rest_api", "SELECT * FROM fraudwatch.purchase_by_token LIMIT 1"),
        (
            "rest_api",
            "DELETE FROM fraudwatch.refund_by_transaction WHERE transaction_id = 'shop:1'",
        ),
        (
            "console",
            "DELETE FROM fraudwatch.refund_by_transaction WHERE transaction_id = 'shop:1'",
        ),
        ("notifier", "SELECT * FROM fraudwatch.purchase_by_token LIMIT 1"),
        ("tally", "SELECT * FROM fraudwatch.open_alert"),
        ("console", "SELECT role FROM system_auth.roles"),
        ("console", "DELETE FROM fraudwatch.audit_by_day WHERE day = '2026-11-21'"),
        (
            "console",
            "INSERT INTO fraudwatch.audit_by_day (day, at, record_id) VALUES ('d', 0, 'r')",
        ),
        ("shadow", "SELECT * FROM fraudwatch.verdict_by_transaction"),
        ("shadow", "DELETE FROM fraudwatch.tally_by_day WHERE day = 'd' AND source_partition = 0"),
        (
            "console",
            (
                "DELETE FROM fraudwatch.shadow_outcome "
                "WHERE comparison_id = 'a' AND transaction_id = 'b'"
            ),
        ),
        ("persister", "DROP TABLE fraudwatch.verdict_by_transaction"),
        ("persister", "CREATE ROLE thief"),
    ],
)
def test_a_role_has_no_more_rights_than_it_needs(
    session_of: Callable[[str], Session], role: str, statement: str
) -> None:
    session = session_of(role)
    with pytest.raises((Unauthorized, StoreUnavailable)):
        session.execute(statement)


def test_a_dropped_table_takes_its_rights_with_it(stack: PrivateStack) -> None:
    # Otherwise the next start could not revoke them: there is nothing to name any more.
    admin = stack.cassandra("admin").model_copy(update={"username": "fraudwatch_admin"})
    session = connect(admin, request_timeout_seconds=60)
    try:
        session.execute("CREATE TABLE IF NOT EXISTS fraudwatch.of_a_test (a int PRIMARY KEY)")
        session.execute("GRANT MODIFY ON TABLE fraudwatch.of_a_test TO persister")
        session.execute("DROP TABLE fraudwatch.of_a_test")
        rights = {row["resource"] for row in session.execute("LIST ALL PERMISSIONS OF persister")}
    finally:
        close(session)
    assert "<table fraudwatch.verdict_by_transaction>" in rights
    assert "<table fraudwatch.of_a_test>" not in rights


def test_secrets_are_in_private_files_and_in_no_log(stack: PrivateStack) -> None:
    env_path = stack.folder / ".env"
    assert stat.S_IMODE(env_path.stat().st_mode) == 0o600
    hidden = [v for k, v in stack.settings.items() if k.endswith(("_PASSWORD", "_API_KEY"))]
    assert len(hidden) >= 10
    for log in (stack.folder / "log").iterdir():
        text = log.read_text(encoding="utf-8", errors="replace")
        assert not [secret for secret in hidden if secret in text], log.name
    for private in (stack.folder / "keys").iterdir():
        assert stat.S_IMODE(private.stat().st_mode) & 0o077 == 0, private.name
