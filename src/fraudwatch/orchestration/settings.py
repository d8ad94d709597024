"""Settings of code inside Airflow: read by a task or a callback, never while parsing."""

from __future__ import annotations

from pathlib import Path

from pydantic import SecretStr
from pydantic_settings import BaseSettings, SettingsConfigDict


class JobSettings(BaseSettings):
    """The checkout with the jobs, and the interpreter of their environment."""

    model_config = SettingsConfigDict(frozen=True, extra="ignore")
    fraudwatch_root: Path
    fraudwatch_lake_python: Path

    @property
    def spark_submit(self) -> Path:
        """Return the spark-submit of the same environment."""
        return self.fraudwatch_lake_python.parent / "spark-submit"


class MailSettings(BaseSettings):
    """Recipient and server of failure mails. Without a user name there is no login."""

    model_config = SettingsConfigDict(
        env_prefix="AIRFLOW_EMAIL_", frozen=True, extra="ignore", hide_input_in_errors=True
    )
    recipient: str
    smtp_host: str
    smtp_port: int = 25
    smtp_username: str = ""
    smtp_password: SecretStr = SecretStr("")
    smtp_from: str
    smtp_tls: bool = False
    """STARTTLS; on port 465 the connection is TLS from its first byte."""
