"""Settings of Kafka clients: the connection of all, and what every producer has."""

from __future__ import annotations

from typing import Any

from fraudwatch.settings import KafkaSettings
from fraudwatch.topics import PARTITIONER


def client_config(settings: KafkaSettings) -> dict[str, str]:
    """Return the connection settings of every client."""
    return {
        "bootstrap.servers": settings.bootstrap_servers,
        "security.protocol": settings.security_protocol,
        "sasl.mechanism": "SCRAM-SHA-512",
        "sasl.username": settings.username,
        "sasl.password": settings.password.get_secret_value(),
        "client.id": settings.username,
    }


def producer_config(settings: KafkaSettings, *, linger_ms: int) -> dict[str, Any]:
    """Return the settings of every idempotent producer."""
    return {
        **client_config(settings),
        "enable.idempotence": True,
        "acks": "all",
        "partitioner": PARTITIONER,
        "linger.ms": linger_ms,
        "compression.type": "lz4",
        "queue.buffering.max.messages": 500_000,
    }
