"""A session with Cassandra, and its errors in the application's words."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from cassandra import AuthenticationFailed, ConsistencyLevel, DriverException, InvalidRequest
from cassandra.auth import PlainTextAuthProvider
from cassandra.cluster import (
    EXEC_PROFILE_DEFAULT,
    Cluster,
    ExecutionProfile,
    NoHostAvailable,
    Session,
)
from cassandra.connection import ConnectionBusy, ConnectionException
from cassandra.policies import (
    ConstantReconnectionPolicy,
    DCAwareRoundRobinPolicy,
    TokenAwarePolicy,
)
from cassandra.pool import NoConnectionsAvailable
from cassandra.protocol import ErrorMessage
from cassandra.query import dict_factory

from fraudwatch.application.ports import StoreUnavailable
from fraudwatch.settings import CassandraSettings

KEYSPACE = "fraudwatch"
PROTOCOL_VERSION = 5
RECONNECT_SECONDS = 1.0
# Everything that the driver raises when a request did not succeed: it has no common ancestor.
DRIVER_ERRORS = (
    DriverException,
    NoHostAvailable,
    NoConnectionsAvailable,
    ConnectionException,
    ConnectionBusy,
    ErrorMessage,
)


class LoginRefused(StoreUnavailable):
    """Cassandra answers, but not to this role and password."""


def connect(settings: CassandraSettings, *, request_timeout_seconds: float = 5.0) -> Session:
    """Open a session without a keyspace: every statement names its table in full.

    Reads and writes are LOCAL_QUORUM, so that three copies keep the promise that one makes.

    Raises:
        StoreUnavailable: nobody answers, or (:class:`LoginRefused`) the login is refused.
    """
    profile = ExecutionProfile(
        load_balancing_policy=TokenAwarePolicy(DCAwareRoundRobinPolicy(settings.local_datacenter)),
        consistency_level=ConsistencyLevel.LOCAL_QUORUM,
        request_timeout=request_timeout_seconds,
        row_factory=dict_factory,
    )
    cluster = Cluster(
        settings.contact_points,
        port=settings.port,
        auth_provider=PlainTextAuthProvider(
            settings.username, settings.password.get_secret_value()
        ),
        protocol_version=PROTOCOL_VERSION,
        execution_profiles={EXEC_PROFILE_DEFAULT: profile},  # type: ignore[has-type]  # untyped
        reconnection_policy=ConstantReconnectionPolicy(RECONNECT_SECONDS, max_attempts=None),
    )
    try:
        with driver_errors_translated():
            session: Session = cluster.connect()
    except StoreUnavailable:
        cluster.shutdown()
        raise
    return session


def close(session: Session) -> None:
    """Close the session and the connections below it."""
    cluster: Any = session.cluster  # type: ignore[has-type]  # the driver is untyped
    cluster.shutdown()


@contextmanager
def driver_errors_translated() -> Iterator[None]:
    """Let the driver's errors out as :class:`StoreUnavailable`.

    A withdrawn right or a missing table counts as unavailable as well: setup mends it, and no row
    is to blame. Any other invalid request passes unchanged: the caller knows which row it was.
    """
    try:
        yield
    except InvalidRequest as error:
        if not blames_the_schema(error):
            raise
        raise StoreUnavailable(f"Cassandra lacks a table: {error}; run its setup") from error
    except DRIVER_ERRORS as error:
        if _is_refused_login(error):
            raise LoginRefused("Cassandra refuses this role and password") from error
        raise StoreUnavailable(
            f"Cassandra does not answer: {type(error).__name__} {error}"
        ) from error


def blames_the_schema(error: InvalidRequest) -> bool:
    """Is it invalid because a table or column is missing, so that no row is to blame?"""
    said = str(error).lower()
    return any(word in said for word in ("unconfigured table", "does not exist", "undefined"))


def _is_refused_login(error: Exception) -> bool:
    by_host: Mapping[Any, Exception] = getattr(error, "errors", None) or {}
    return any(isinstance(cause, AuthenticationFailed) for cause in (error, *by_host.values()))
