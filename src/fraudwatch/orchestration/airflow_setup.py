"""Set up Airflow: migrate its tables, create its three logins, the Spark pool and connections.

Idempotent: every start applies .env again, so a password that was forgotten or changed by hand is
reset to the one in .env.
"""

from __future__ import annotations

import json
import logging
import subprocess
import sys
from collections.abc import Mapping
from contextlib import redirect_stdout
from dataclasses import dataclass
from typing import Any, Final

from pydantic import ValidationError
from pydantic_settings import BaseSettings, SettingsConfigDict

from fraudwatch.settings import KafkaSettings, Secret

SPARK_POOL: Final = "spark"
# Two Spark drivers at once would starve the stream on a small machine.
SPARK_SLOTS: Final = 1
KAFKA_CONNECTION: Final = "control_topic"
SPARK_CONNECTION: Final = "spark_default"
logger = logging.getLogger("airflow_setup")


class LoginSettings(BaseSettings):
    """The passwords of the three logins."""

    model_config = SettingsConfigDict(
        env_prefix="AIRFLOW_", frozen=True, extra="ignore", hide_input_in_errors=True
    )
    admin_password: Secret
    operator_password: Secret
    viewer_password: Secret

    def logins(self) -> tuple[Login, ...]:
        """Return the accounts with their roles."""
        return (
            Login("admin", "Admin", self.admin_password.get_secret_value()),
            Login("operator", "Op", self.operator_password.get_secret_value()),
            Login("viewer", "Viewer", self.viewer_password.get_secret_value()),
        )


@dataclass(frozen=True, slots=True)
class Login:
    """One account of Airflow, with one of its built-in roles."""

    name: str
    role: str
    password: str


def main() -> int:
    """Run the whole setup; returns 1 and logs one line on failure."""
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(message)s")
    try:
        logins, kafka = LoginSettings().logins(), KafkaSettings()
    except ValidationError as error:
        problems = "; ".join(f"{e['loc'][0]}: {e['msg']}" for e in error.errors())
        return _fail(f"settings are missing or weak ({problems}); set them in .env")
    if not (has_current_tables() or migrate_tables()):
        return _fail(
            "Airflow's tables could not be created or migrated (see above), so Airflow was not "
            "started; check AIRFLOW_DATABASE_URL in .env, and that the database is running"
        )
    create_logins(logins)
    create_pool()
    write_connections(
        {KAFKA_CONNECTION: kafka_connection(kafka), SPARK_CONNECTION: spark_connection()}
    )
    logger.info("logins, the pool %s and the connections are set up from .env", SPARK_POOL)
    return 0


def has_current_tables() -> bool:
    """Whether the database has every migration; so a second start need not run the command.

    The command imports Airflow once more, which is half of this setup's processor time.
    """
    from airflow.utils.db import check_migrations
    from sqlalchemy.exc import SQLAlchemyError

    try:
        check_migrations(timeout=1)
    except (TimeoutError, SQLAlchemyError):
        return False  # the command migrates, or reports what is wrong
    return True


def migrate_tables() -> bool:
    """Create or migrate the tables by Airflow's own command; its output goes to the log."""
    command = [sys.executable, "-m", "airflow", "db", "migrate"]
    return subprocess.run(command, check=False).returncode == 0


def kafka_connection(settings: KafkaSettings) -> dict[str, Any]:
    """Build the watchers' Kafka connection, which starts at their group's committed offsets."""
    extra = {
        "bootstrap.servers": settings.bootstrap_servers,
        "security.protocol": settings.security_protocol,
        "sasl.mechanism": "SCRAM-SHA-512",
        "sasl.username": settings.username,
        "sasl.password": settings.password.get_secret_value(),
        # ACLs on groups follow the user's name.
        "group.id": settings.username,
        # An event is committed once Airflow has stored it.
        "enable.auto.commit": False,
        "auto.offset.reset": "earliest",
    }
    return {"conn_type": "kafka", "extra": json.dumps(extra)}


def spark_connection() -> dict[str, Any]:
    """Build the connection to a local Spark; as a URI the same would silently become YARN."""
    return {"conn_type": "spark", "host": "local[2]"}


def create_logins(logins: tuple[Login, ...]) -> None:
    """Create the accounts, or reset their passwords to those of .env."""
    from airflow.providers.fab.auth_manager.cli_commands.utils import get_application_builder
    from werkzeug.security import check_password_hash

    # The builder prints the menu items that it adds.
    with redirect_stdout(sys.stderr), get_application_builder() as builder:
        manager = builder.sm
        for login in logins:
            known = manager.find_user(login.name)
            if known is None:
                role = manager.find_role(login.role)
                address = f"{login.name}@fraudwatch.test"
                manager.add_user(
                    login.name, login.name, "Fraudwatch", address, role, login.password
                )
            elif not check_password_hash(known.password, login.password):
                manager.reset_password(known.id, login.password)


def create_pool() -> None:
    """Create the pool in which Spark jobs queue."""
    from airflow.models.pool import Pool

    Pool.create_or_update_pool(
        SPARK_POOL, SPARK_SLOTS, "One Spark job at a time", include_deferred=False
    )


def write_connections(connections: Mapping[str, Mapping[str, Any]]) -> None:
    """Write these connections, encrypted by the Fernet key; others are unchanged."""
    from airflow.models.connection import Connection
    from airflow.utils.session import create_session
    from sqlalchemy import delete

    with create_session() as session:
        session.execute(delete(Connection).where(Connection.conn_id.in_(connections)))
        session.add_all(Connection(conn_id=name, **values) for name, values in connections.items())


def _fail(problem: str) -> int:
    logger.error("%s", problem)
    return 1


if __name__ == "__main__":
    sys.exit(main())
