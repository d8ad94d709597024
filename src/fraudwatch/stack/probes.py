"""Probe whether a service is ready, in its own protocol."""

from __future__ import annotations

import logging
import socket
import time
from collections.abc import Callable, Mapping
from functools import cache, partial
from pathlib import Path
from typing import TYPE_CHECKING

from fraudwatch.stack.catalogue import Launch

if TYPE_CHECKING:
    import httpx

Probe = Callable[[], bool]
KAFKA_TIMEOUT_SECONDS = 3.0
CASSANDRA_TIMEOUT_SECONDS = 10.0
HTTP_TIMEOUT_SECONDS = 3.0
TCP_TIMEOUT_SECONDS = 2.0
THRIFT_TIMEOUT_SECONDS = 20.0
FRESH_SECONDS = 120.0
_FILE_SYSTEM = "Hadoop:service=NameNode,name=FSNamesystemState"
ADMIN = "fraudwatch_admin"
DEFAULT_LOGIN = ("cassandra", "cassandra")  # of a Cassandra at its first start


def probe_for(launch: Launch, settings: Mapping[str, str]) -> Probe:
    """Return the probe of the catalogue; a service without one is ready when it runs."""
    match launch.probe:
        case None:
            return lambda: True
        case engine if engine in _ENGINES:
            return _ENGINES[engine](launch.ports, settings)
        case url if "#" in url:
            page, component = url.split("#")
            return lambda: airflow_component_is_healthy(page, component)
        case url if url.startswith("file://"):
            return partial(file_is_fresh, Path(url.removeprefix("file://")))
        case url:
            return partial(tcp_answers if url.startswith("tcp://") else http_answers, url)


@cache
def http_client() -> httpx.Client:
    """Return the one HTTP client of all probes of this process.

    A client of its own would load the certificates of every authority at each probe: 33 ms of
    processor time, five times a second for every service that is waited for. It keeps no
    connection, because a service that was restarted would have closed it.
    """
    import httpx

    limits = httpx.Limits(max_keepalive_connections=0)
    return httpx.Client(timeout=HTTP_TIMEOUT_SECONDS, trust_env=False, limits=limits)


def http_answers(url: str) -> bool:
    """Whether a GET answers with 2xx."""
    import httpx

    try:
        return http_client().get(url).is_success
    except httpx.HTTPError:
        return False


def airflow_component_is_healthy(health_page: str, component: str) -> bool:
    """Whether Airflow's health page reports a component as healthy."""
    import httpx

    try:
        answer = http_client().get(health_page)
        return bool(answer.is_success and answer.json()[component]["status"] == "healthy")
    except (httpx.HTTPError, ValueError, KeyError):
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
    """Whether Cassandra accepts our superuser, or the default one before ours is created."""
    logins = ((ADMIN, admin_password), DEFAULT_LOGIN)
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


def tcp_answers(url: str) -> bool:
    """Whether a process listens at tcp://HOST:PORT."""
    host, _, port = url.removeprefix("tcp://").rpartition(":")
    try:
        socket.create_connection((host, int(port)), TCP_TIMEOUT_SECONDS).close()
    except OSError:
        return False
    return True


def file_is_fresh(path: Path) -> bool:
    """Whether a process that writes a file at every check did so lately."""
    try:
        return time.time() - path.stat().st_mtime < FRESH_SECONDS
    except FileNotFoundError:
        return False


def namenode_serves(port: int) -> bool:
    """Whether the NameNode has left safe mode and has a live DataNode."""
    import httpx

    url = f"http://127.0.0.1:{port}/jmx"
    try:
        page = http_client().get(url, params={"qry": _FILE_SYSTEM})
        [state] = page.raise_for_status().json()["beans"]
    except (httpx.HTTPError, ValueError, KeyError):
        return False
    return bool(state.get("FSState") == "Operational" and state.get("NumLiveDataNodes", 0) > 0)


def thrift_server_answers(port: int, admin_password: str) -> bool:
    """Whether the Thrift Server accepts its admin and answers a query."""
    from pydantic import SecretStr

    from fraudwatch.adapters.lake.hive_sql import (
        StatementRefused,
        ThriftServerUnavailable,
        sql_session,
    )
    from fraudwatch.settings import HiveSettings

    login = HiveSettings(port=port, username="admin", password=SecretStr(admin_password))
    logging.getLogger("thrift").setLevel(logging.CRITICAL)
    try:
        with sql_session(login, timeout_seconds=THRIFT_TIMEOUT_SECONDS) as session:
            return session.rows("SELECT 1") == [(1,)]
    except (ThriftServerUnavailable, StatementRefused):
        return False


def _silent() -> logging.Logger:
    logger = logging.getLogger("fraudwatch.probes.kafka")
    logger.setLevel(logging.CRITICAL)
    return logger


_ENGINES: Mapping[str, Callable[[Mapping[str, int], Mapping[str, str]], Probe]] = {
    "kafka": lambda ports, settings: partial(
        kafka_answers, ports["broker"], settings["KAFKA_ADMIN_PASSWORD"]
    ),
    "cassandra": lambda ports, settings: partial(
        cassandra_answers, ports["cql"], settings["CASSANDRA_ADMIN_PASSWORD"]
    ),
    "namenode": lambda ports, _settings: partial(namenode_serves, ports["http"]),
    "thrift_server": lambda ports, settings: partial(
        thrift_server_answers, ports["thrift"], settings["HIVE_ADMIN_PASSWORD"]
    ),
}
