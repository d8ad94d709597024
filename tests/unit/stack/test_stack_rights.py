from __future__ import annotations

from pathlib import Path

import pytest

from fraudwatch.stack import topic_contracts
from fraudwatch.stack.home import ROOT, StackError
from fraudwatch.stack.kafka_setup import passwords_from
from fraudwatch.stack.topic_contracts import AclRight

TOPICS = topic_contracts.read(ROOT / "contracts/topics")


def test_every_user_has_exactly_the_acls_of_its_contracts() -> None:
    found = topic_contracts.rights(TOPICS)
    assert {r for r in found if r.user == "ingest"} == {
        AclRight("ingest", operation, "TOPIC", topic)
        for operation in ("WRITE", "DESCRIBE")
        for topic in (
            "transaction_topic",
            "labels_topic",
            "dead_letter_topic",
            "audit_topic",
            "control_topic",
            "sandbox_transaction_topic",
        )
    } | {
        *(
            AclRight("ingest", operation, "TOPIC", topic)
            for operation in ("READ", "DESCRIBE")
            for topic in ("fraud_topic", "sandbox_fraud_topic")
        ),
        AclRight("ingest", "READ", "GROUP", "ingest", prefixed=True),
    }
    # The console may only write: it can neither read nor overwrite labels and audit records.
    assert {r for r in found if r.user == "console"} == {
        AclRight("console", operation, "TOPIC", topic)
        for operation in ("WRITE", "DESCRIBE")
        for topic in ("labels_topic", "audit_topic")
    }
    assert {r for r in found if r.user == "rest_api"} == {
        AclRight("rest_api", "WRITE", "TOPIC", "labels_topic"),
        AclRight("rest_api", "DESCRIBE", "TOPIC", "labels_topic"),
        *(
            AclRight("rest_api", operation, "TOPIC", topic)
            for operation in ("READ", "DESCRIBE")
            for topic in ("fraud_topic", "feature_topic")
        ),
        AclRight("rest_api", "READ", "GROUP", "rest_api", prefixed=True),
    }
    assert AclRight("persister", "READ", "GROUP", "persister", prefixed=True) in found
    assert AclRight("persister", "WRITE", "TOPIC", "fraud_topic") not in found
    assert AclRight("detector", "READ", "TOPIC", "transaction_topic") in found
    assert {r for r in found if r.user == "tally"} == {
        AclRight("tally", "READ", "TOPIC", "fraud_topic"),
        AclRight("tally", "DESCRIBE", "TOPIC", "fraud_topic"),
        # Its id alone.
        AclRight("tally", "DESCRIBE", "TOPIC", "transaction_topic"),
        AclRight("tally", "READ", "GROUP", "tally", prefixed=True),
    }
    assert {r for r in found if r.user == "notifier"} == {
        AclRight("notifier", "READ", "TOPIC", "fraud_topic"),
        AclRight("notifier", "DESCRIBE", "TOPIC", "fraud_topic"),
        AclRight("notifier", "READ", "GROUP", "notifier", prefixed=True),
    }
    assert {r for r in found if r.user == "webhooks"} == {
        *(
            AclRight("webhooks", operation, "TOPIC", topic)
            for operation in ("READ", "DESCRIBE")
            for topic in ("fraud_topic", "labels_topic")
        ),
        AclRight("webhooks", "READ", "GROUP", "webhooks", prefixed=True),
    }
    # Lag is measured without reading a message or joining a group.
    monitoring = {r for r in found if r.user == "monitor"}
    assert {r.operation for r in monitoring} == {"DESCRIBE", "DESCRIBE_CONFIGS"}
    assert {r.name for r in monitoring} == {*(topic.name for topic in TOPICS), "*"}
    assert {r.kind for r in monitoring if r.name == "*"} == {"GROUP"}
    assert "monitor" in topic_contracts.users(TOPICS)


def test_sandbox_topics_have_one_producer_and_one_consumer_and_are_short() -> None:
    sandbox = {topic.name: topic for topic in TOPICS if topic.name.startswith("sandbox_")}
    assert {name: (one.producers, one.consumers) for name, one in sandbox.items()} == {
        "sandbox_transaction_topic": (("ingest",), ("shadow",)),
        "sandbox_fraud_topic": (("shadow",), ("ingest",)),
    }
    # Those who store, archive or train could never read them, whatever their code does.
    found = topic_contracts.rights(TOPICS)
    readers = {r.user for r in found if r.name in sandbox and r.operation == "READ"}
    assert readers == {"ingest", "shadow"}
    for topic in sandbox.values():
        limits = {name: int(value) for name, value in topic.configuration}
        assert limits["retention.ms"] == 86_400_000
        # Retention removes closed segments alone, and a segment is open for days by default.
        assert limits["segment.ms"] <= 3_600_000


def test_limits_and_partitions_are_those_of_the_contract(tmp_path: Path) -> None:
    (tmp_path / "t.yaml").write_text(
        "{topic: t, partitions: 3, producers: [a], consumers: [],"
        " retention_ms: 1000, retention_bytes: 2000, max_message_bytes: 3000}"
    )
    (topic,) = topic_contracts.read(tmp_path)
    assert (topic.name, topic.partitions) == ("t", 3)
    assert dict(topic.configuration) == {
        "retention.ms": "1000",
        "retention.bytes": "2000",
        "max.message.bytes": "3000",
    }


def test_a_user_without_a_strong_password_gets_no_login() -> None:
    with pytest.raises(StackError, match="KAFKA_PERSISTER_PASSWORD is empty"):
        passwords_from({"KAFKA_INGEST_PASSWORD": "0123456789abcdef0"}, ["ingest", "persister"])
