"""Whether a service is ready, asked in its own protocol."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping

from fraudwatch.stack.catalogue import Launch

Probe = Callable[[], bool]
KAFKA_TIMEOUT_SECONDS = 3.0
CASSANDRA_TIMEOUT_SECONDS = 10.0
HTTP_TIMEOUT_SECONDS = 3.0
ADMIN = "fraudwatch_admin"
SHIPPED = ("cassandra", "cassandra")  # the login of a Cassandra on its very first start


def probe_for(launch: Launch, settings: Mapping[str, str]) -> Probe:
    """The probe the catalogue asks for; a service without one is ready when it runs."""
    match launch.probe:
        case None:
            return lambda: True
        case "kafka":
            port, password = launch.ports["broker"], settings["KAFKA_ADMIN_PASSWORD"]
            return lambda: kafka_answers(port, password)
        case "cassandra":
            port, password = launch.ports["cql"], settings["CASSANDRA_ADMIN_PASSWORD"]
            return lambda: cassandra_answers(port, password)
        case url:
            return lambda: http_answers(url)


def http_answers(url: str) -> bool:
    """Whether a GET gives 2xx."""
    import httpx

    try:
        return httpx.get(url, timeout=HTTP_TIMEOUT_SECONDS, trust_env=False).is_success
    except httpx.HTTPError:
        return False


def kafka_answers(port: int, admin_password: str) -> bool:
    """Whether the broker lists topics to its administrator."""
    from confluent_kafka import KafkaException
    from confluent_kafka.admin import AdminClient

    client = AdminClient(
        {
            "bootstrap.servers": f"127.0.0.1:{port}",
            "security.protocol": "SASL_PLAINTEXT",
            "sasl.mechanism": "SCRAM-SHA-512",
            "sasl.username": "admin",
            "sasl.password": admin_password,
            "log_level": 0,
            "reconnect.backoff.max.ms": 200,
        },
        logger=_silent(),
    )
    try:
        client.list_topics(timeout=KAFKA_TIMEOUT_SECONDS)
    except KafkaException:
        return False
    return True


def cassandra_answers(port: int, admin_password: str) -> bool:
    """Whether CQL lets our superuser in, or the shipped one where ours is not made yet."""
    logins = ((ADMIN, admin_password), SHIPPED)
    return any(_cql_login(port, user, password) for user, password in logins)


def _cql_login(port: int, user: str, password: str) -> bool:
    from cassandra.auth import PlainTextAuthProvider
    from cassandra.cluster import Cluster, NoHostAvailable
    from cassandra.connection import ConnectionException

    logging.getLogger("cassandra").setLevel(logging.CRITICAL)
    cluster = Cluster(
        ["127.0.0.1"],
        port=port,
        auth_provider=PlainTextAuthProvider(user, password),
        protocol_version=5,
        connect_timeout=CASSANDRA_TIMEOUT_SECONDS,
        control_connection_timeout=CASSANDRA_TIMEOUT_SECONDS,
    )
    try:
        cluster.connect()
    except (NoHostAvailable, ConnectionException, OSError):
        return False
    finally:
        cluster.shutdown()
    return True


def _silent() -> logging.Logger:
    logger = logging.getLogger("fraudwatch.probes.kafka")
    logger.setLevel(logging.CRITICAL)
    return logger
