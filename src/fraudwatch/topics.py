"""Names of topics and headers shared by producers and consumers; see ``contracts/topics``."""

from __future__ import annotations

from typing import Final

TRANSACTION_TOPIC: Final = "transaction_topic"
FRAUD_TOPIC: Final = "fraud_topic"
FEATURE_TOPIC: Final = "feature_topic"
LABELS_TOPIC: Final = "labels_topic"
AUDIT_TOPIC: Final = "audit_topic"
DEAD_LETTER_TOPIC: Final = "dead_letter_topic"
CONTROL_TOPIC: Final = "control_topic"
# Purchases of sandbox keys and their verdicts; nothing stores them.
SANDBOX_TRANSACTION_TOPIC: Final = "sandbox_transaction_topic"
SANDBOX_FRAUD_TOPIC: Final = "sandbox_fraud_topic"

# Group in which the archive commits what the lake has; it reads without one.
ARCHIVE_GROUP: Final = "archiver"

# Java's default; librdkafka's own default differs, and a customer must stay in one partition.
PARTITIONER: Final = "murmur2_random"
# As in its contract; fixed at installation. Verdicts are in partitions of the same numbers.
TRANSACTION_PARTITIONS: Final = 2
# When ingest produced the transaction: the start of every reported latency.
PRODUCED_AT_HEADER: Final = "fraudwatch.produced_at_ms"
TRANSACTION_ID_HEADER: Final = "fraudwatch.transaction_id"
FEATURES_VERSION_HEADER: Final = "fraudwatch.features_version"
