"""Settings: one small frozen class per concern, read from the environment by a process's ``main``.

A process asks only for what it uses. Nothing below a composition root reads the environment.
``.env.example`` documents what a person may set; a test keeps the two in step.
"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Self

from pydantic import AfterValidator, BeforeValidator, SecretStr, model_validator
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict

from fraudwatch.domain.weak_secret import weakness_of


class WeakSecret(ValueError):
    """A secret is empty, short, or one that everybody knows."""


def _strong(secret: SecretStr) -> SecretStr:
    if reason := weakness_of(secret.get_secret_value()):
        raise WeakSecret(f"{reason}; remove its line from .env and start again to get a random one")
    return secret


def _split(listed: str | tuple[str, ...]) -> tuple[str, ...]:
    return tuple(listed.split(",")) if isinstance(listed, str) else listed


Secret = Annotated[SecretStr, AfterValidator(_strong)]


def from_environment(prefix: str) -> SettingsConfigDict:
    """How a class reads its variables, whose names begin so."""
    # A refused value may be a secret: errors never quote it.
    return SettingsConfigDict(
        env_prefix=prefix, frozen=True, extra="ignore", hide_input_in_errors=True
    )


class KafkaSettings(BaseSettings):
    """How one component reaches the broker: its own user, its own rights."""

    model_config = from_environment("KAFKA_")
    bootstrap_servers: str
    username: str
    password: Secret
    security_protocol: str = "SASL_PLAINTEXT"


class CassandraSettings(BaseSettings):
    """How one component reaches Cassandra: its own role."""

    model_config = from_environment("CASSANDRA_")
    contact_points: Annotated[tuple[str, ...], NoDecode, BeforeValidator(_split)] = ("127.0.0.1",)
    port: int = 9042
    username: str
    password: Secret
    local_datacenter: str = "datacenter1"


class ShopSettings(BaseSettings):
    """The world that the demo's shop makes up."""

    model_config = from_environment("SHOP_")
    port: int = 8000
    api_key: Secret
    state_folder: Path
    seed: int = 7
    customers: int = 2_000
    history_days: int = 7
    history_purchases: int = 100_000
    live_purchases_per_second: float = 2.0
    chargeback_delay_days: float = 3.0
    epoch: str = "auto"


class MailboxSettings(BaseSettings):
    """The demo's mailbox: where it listens and keeps what it takes."""

    model_config = from_environment("MAILBOX_")
    smtp_port: int = 1025
    port: int = 8025
    folder: Path


class IngestSettings(BaseSettings):
    """The edge: where purchases come from and where its keys lie."""

    model_config = from_environment("INGEST_")
    port: int = 8001
    api_key: Secret
    reveal_api_key: Secret
    keys_folder: Path
    state_folder: Path
    rates_path: Path
    feed_url: str | None = None
    feed_api_key: Secret | None = None

    @model_validator(mode="after")
    def _shops_do_not_reveal(self) -> Self:
        if self.reveal_api_key == self.api_key:
            raise ValueError(
                "INGEST_API_KEY and REVEAL_API_KEY are the same, so that every shop could look "
                "behind tokens; remove one line from .env and start again to get a random one"
            )
        return self


class DetectorSettings(BaseSettings):
    """The judge: where its checkpoint, policy and jars lie."""

    model_config = from_environment("DETECTOR_")
    metrics_port: int = 9102
    state_folder: Path
    policy_path: Path
    models_folder: Path
    views_folder: Path
    connector_jars: str
    extra_class_path: str = ""
    dead_letter_key_path: Path
    master: str = "local[2]"
    max_offsets_per_trigger: int = 50_000
    snapshot_seconds: float = 30.0


class PersisterSettings(BaseSettings):
    """The writer of both topics into Cassandra."""

    model_config = from_environment("PERSISTER_")
    metrics_port: int = 9103
    dead_letter_key_path: Path
    max_poll_records: int = 2_000
    instance: str = "persister-1"


class TallySettings(BaseSettings):
    """The counter of verdicts by day."""

    model_config = from_environment("TALLY_")
    metrics_port: int = 9105
    max_poll_records: int = 4_000
    poll_seconds: float = 1.0
    instance: str = "tally-1"


class TrainingSettings(BaseSettings):
    """The jobs that fit models: what they draw on and where they write."""

    model_config = from_environment("TRAINING_")
    models_folder: Path
    sample_rows: int = 200_000
    minimum_rows: int = 2_000
    seed: int = 7


class LakeSettings(BaseSettings):
    """How a job reaches the lake. Without a metastore it keeps its tables itself, as in tests."""

    model_config = from_environment("LAKE_")
    file_system: str  # hdfs://127.0.0.1:8020, or file:///... in tests
    webhdfs_url: str = ""  # for jobs without Spark
    metastore_uri: str = ""  # thrift://127.0.0.1:9083
    jars: str = ""  # comma list for spark.jars: Delta, and Spark's Kafka connector
    master: str = "local[2]"
    driver_memory: str = "1g"
    shuffle_partitions: int = 2

    def at(self, folder: str) -> str:
        """The address of a folder of :mod:`fraudwatch.lake`."""
        return f"{self.file_system}{folder}"


class ExtractSettings(BaseSettings):
    """The daily extract: whose books are read, and the keys that the edge has as well."""

    model_config = from_environment("EXTRACT_")
    source_url: str
    source_api_key: Secret
    keys_folder: Path
    rates_path: Path
    page_purchases: int = 5_000
    timeout_seconds: float = 30.0


class ViewsSettings(BaseSettings):
    """Where risk views are published: the folder that the detector reads."""

    model_config = from_environment("VIEWS_")
    folder: Path


class HiveSettings(BaseSettings):
    """How the lake's tables are reached by SQL: the Thrift Server and a login there."""

    model_config = from_environment("HIVE_")
    host: str = "127.0.0.1"
    port: int = 10_000
    username: str
    password: Secret


class ConsoleSettings(BaseSettings):
    """Where the console keeps its accounts and tells of itself.

    The passwords are those that its first accounts are made with, when there is none yet.
    """

    model_config = from_environment("CONSOLE_")
    metrics_port: int = 9104
    accounts_folder: Path
    analyst_password: Secret
    lead_password: Secret
    admin_password: Secret


class RevealSettings(BaseSettings):
    """Where the console asks the edge to look behind a token, and the key that allows it."""

    model_config = from_environment("REVEAL_")
    url: str
    api_key: Secret
