"""One-shot: Airflow's tables, its three logins, the Spark slot, the ways out. May be repeated.

What .env says is brought about at every start, so a password forgotten or changed by hand is the
one of .env again.
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
        """Who may log in, and as what."""
        return (
            Login("admin", "Admin", self.admin_password.get_secret_value()),
            Login("operator", "Op", self.operator_password.get_secret_value()),
            Login("viewer", "Viewer", self.viewer_password.get_secret_value()),
        )


@dataclass(frozen=True, slots=True)
class Login:
    """One account of Airflow's, with one of the roles that it ships."""

    name: str
    role: str
    password: str


def main() -> int:
    """Bring everything about; 1 and one line on failure."""
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(message)s")
    try:
        logins, kafka = LoginSettings().logins(), KafkaSettings()
    except ValidationError as wrong:
        problems = "; ".join(f"{e['loc'][0]}: {e['msg']}" for e in wrong.errors())
        return _fail(f"settings are missing or weak ({problems}); set them in .env")
    done = subprocess.run([sys.executable, "-m", "airflow", "db", "migrate"], check=False)
    if done.returncode:
        return _fail(
            "Airflow's tables could not be made or renewed (see above), so it is not started; see "
            "whether AIRFLOW_DATABASE_URL in .env is right and that database answers"
        )
    make_logins(logins)
    make_pool()
    make_connections({KAFKA_CONNECTION: to_kafka(kafka), SPARK_CONNECTION: to_spark()})
    logger.info("logins, the pool %s and the connections are as .env says", SPARK_POOL)
    return 0


def to_kafka(settings: KafkaSettings) -> dict[str, Any]:
    """The watchers' way to Kafka, which begins where their group stopped."""
    extra = {
        "bootstrap.servers": settings.bootstrap_servers,
        "security.protocol": settings.security_protocol,
        "sasl.mechanism": "SCRAM-SHA-512",
        "sasl.username": settings.username,
        "sasl.password": settings.password.get_secret_value(),
        # Rights on groups follow the user's name.
        "group.id": settings.username,
        # An event counts as read once Airflow has taken it.
        "enable.auto.commit": False,
        "auto.offset.reset": "earliest",
    }
    return {"conn_type": "kafka", "extra": json.dumps(extra)}


def to_spark() -> dict[str, Any]:
    """Spark inside the job's own process; as a URI the same would silently become YARN."""
    return {"conn_type": "spark", "host": "local[2]"}


def make_logins(logins: tuple[Login, ...]) -> None:
    """Create the accounts, or give them the passwords of .env again."""
    from airflow.providers.fab.auth_manager.cli_commands.utils import get_application_builder
    from werkzeug.security import check_password_hash

    # The builder prints what it adds to the menu.
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


def make_pool() -> None:
    """The pool that every Spark job waits in for its turn."""
    from airflow.models.pool import Pool

    Pool.create_or_update_pool(
        SPARK_POOL, SPARK_SLOTS, "One Spark job at a time", include_deferred=False
    )


def make_connections(wanted: Mapping[str, Mapping[str, Any]]) -> None:
    """Write these connections, sealed by the Fernet key; others are left alone."""
    from airflow.models.connection import Connection
    from airflow.utils.session import create_session
    from sqlalchemy import delete

    with create_session() as session:
        session.execute(delete(Connection).where(Connection.conn_id.in_(wanted)))
        session.add_all(Connection(conn_id=name, **values) for name, values in wanted.items())


def _fail(problem: str) -> int:
    logger.error("%s", problem)
    return 1


if __name__ == "__main__":
    sys.exit(main())
