"""Open a Cassandra session, and translate driver errors to those of the application."""

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
CONNECT_SECONDS = 5.0
RECONNECT_SECONDS = 1.0
# All errors that the driver raises for a failed request; they have no common base class.
DRIVER_ERRORS = (
    DriverException,
    NoHostAvailable,
    NoConnectionsAvailable,
    ConnectionException,
    ConnectionBusy,
    ErrorMessage,
)


class LoginRefused(StoreUnavailable):
    """Cassandra refuses this role and password."""


def connect(settings: CassandraSettings, *, request_timeout_seconds: float = 5.0) -> Session:
    """Open a session without a keyspace: every statement names its table in full.

    Reads and writes are LOCAL_QUORUM, so that the guarantees of one replica also hold with three.

    Raises:
        StoreUnavailable: Cassandra does not answer, or (:class:`LoginRefused`) refuses the login.
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
        # Who waits long for an answer waits as long for a connection: at its first start on a busy
        # machine Cassandra needs more than the driver's own 5 s to greet.
        connect_timeout=max(CONNECT_SECONDS, request_timeout_seconds),
        execution_profiles={EXEC_PROFILE_DEFAULT: profile},  # type: ignore[has-type]  # untyped
        reconnection_policy=ConstantReconnectionPolicy(RECONNECT_SECONDS, max_attempts=None),
    )
    try:
        with translate_driver_errors():
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
def translate_driver_errors() -> Iterator[None]:
    """Translate the driver's errors to :class:`StoreUnavailable`.

    A revoked right or a missing table counts as unavailable as well: setup fixes it, and no row is
    the cause. Any other invalid request passes unchanged: the caller knows which row it was.
    """
    try:
        yield
    except InvalidRequest as error:
        if not is_schema_error(error):
            raise
        raise StoreUnavailable(f"Cassandra lacks a table: {error}; run its setup") from error
    except DRIVER_ERRORS as error:
        if _is_refused_login(error):
            raise LoginRefused("Cassandra refuses this role and password") from error
        raise StoreUnavailable(
            f"Cassandra does not answer: {type(error).__name__} {error}"
        ) from error


def is_schema_error(error: InvalidRequest) -> bool:
    """Return whether a table or column is missing, so that no row is the cause."""
    text = str(error).lower()
    return any(word in text for word in ("unconfigured table", "does not exist", "undefined"))


def _is_refused_login(error: Exception) -> bool:
    # NoHostAvailable names an error by host, or the hosts alone: their pools were shut down.
    errors = getattr(error, "errors", None)
    causes = errors.values() if isinstance(errors, Mapping) else ()
    return any(isinstance(cause, AuthenticationFailed) for cause in (error, *causes))
