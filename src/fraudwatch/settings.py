"""Settings: one small frozen class per concern, read from the environment by a process's ``main``.

A process reads only the settings that it uses. Nothing below a composition root reads the
environment. ``.env.example`` documents the settings of an operator; a test compares the two.
"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Final

from pydantic import AfterValidator, BeforeValidator, SecretStr
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict

from fraudwatch.domain.time_units import DAY_MS
from fraudwatch.domain.weak_secret import weakness_of

MAX_LABEL_DELAY_DAYS: Final = 180


class WeakSecret(ValueError):
    """A secret is empty, short, or well known."""


def _strong(secret: SecretStr) -> SecretStr:
    if reason := weakness_of(secret.get_secret_value()):
        raise WeakSecret(f"{reason}; remove its line from .env and start again to get a random one")
    return secret


def _split(listed: str | tuple[str, ...]) -> tuple[str, ...]:
    return tuple(listed.split(",")) if isinstance(listed, str) else listed


def _names(listed: str | frozenset[str]) -> frozenset[str]:
    if not isinstance(listed, str):
        return listed
    return frozenset(name.strip() for name in listed.split(",") if name.strip())


def _delay_days(days: int) -> int:
    if not 1 <= days <= MAX_LABEL_DELAY_DAYS:
        raise ValueError(
            f"LABEL_DELAY_DAYS must be from 1 to {MAX_LABEL_DELAY_DAYS} days, so nothing was "
            "started; correct it in .env (chargebacks take 7 to 120 days)"
        )
    return days


Secret = Annotated[SecretStr, AfterValidator(_strong)]
SourceNames = Annotated[frozenset[str], NoDecode, BeforeValidator(_names)]
"""Names of sources, separated by commas; none: any source."""


def from_environment(prefix: str) -> SettingsConfigDict:
    """Configure a settings class to read variables with this prefix."""
    # A refused value may be a secret: errors never quote it.
    return SettingsConfigDict(
        env_prefix=prefix, frozen=True, extra="ignore", hide_input_in_errors=True
    )


class ListenSettings(BaseSettings):
    """The address on which a process serves: this machine alone, or all of a container's."""

    model_config = from_environment("LISTEN_")
    address: str = "127.0.0.1"


class KafkaSettings(BaseSettings):
    """Kafka connection of one component, with its own user and ACLs."""

    model_config = from_environment("KAFKA_")
    bootstrap_servers: str
    username: str
    password: Secret
    security_protocol: str = "SASL_PLAINTEXT"


class CassandraSettings(BaseSettings):
    """Cassandra connection of one component, with its own role."""

    model_config = from_environment("CASSANDRA_")
    contact_points: Annotated[tuple[str, ...], NoDecode, BeforeValidator(_split)] = ("127.0.0.1",)
    port: int = 9042
    username: str
    password: Secret
    local_datacenter: str = "datacenter1"


class ShopSettings(BaseSettings):
    """The simulated shop: its API and its world."""

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
    """The development mailbox: its ports and its folder of mails."""

    model_config = from_environment("MAILBOX_")
    smtp_port: int = 1025
    port: int = 8025
    folder: Path


class IngestSettings(BaseSettings):
    """Ingest: its API, the feed that it follows, and its keys."""

    model_config = from_environment("INGEST_")
    port: int = 8001
    reveal_api_key: Secret
    keys_folder: Path
    state_folder: Path
    rates_path: Path
    default_rates_path: Path | None = None
    sources_folder: Path
    feed_url: str | None = None
    feed_api_key: Secret | None = None


class ApiKeySettings(BaseSettings):
    """The file of API keys."""

    model_config = from_environment("API_KEYS_")
    path: Path


class DetectorSettings(BaseSettings):
    """The detector: its state, models, views, published states and jars."""

    model_config = from_environment("DETECTOR_")
    metrics_port: int = 9102
    state_folder: Path
    models_folder: Path
    views_folder: Path
    states_folder: Path
    connector_jars: str
    extra_class_path: str
    jmx_agent: Path | None = None
    jmx_arguments: str = ""
    dead_letter_key_path: Path
    master: str = "local[2]"
    max_offsets_per_trigger: int = 50_000
    snapshot_seconds: float = 30.0


class PersisterSettings(BaseSettings):
    """The persister: its metrics, batch size and group instance."""

    model_config = from_environment("PERSISTER_")
    metrics_port: int = 9103
    dead_letter_key_path: Path
    max_poll_records: int = 2_000
    instance: str = "persister-1"


class TallySettings(BaseSettings):
    """The tally: its metrics, read size and group instance."""

    model_config = from_environment("TALLY_")
    metrics_port: int = 9105
    max_poll_records: int = 4_000
    poll_seconds: float = 1.0
    instance: str = "tally-1"


class LakeSettings(BaseSettings):
    """Lake connection of a job. Without a metastore it has its own catalogue, as in tests."""

    model_config = from_environment("LAKE_")
    file_system: str  # hdfs://127.0.0.1:8020, or file:///... in tests
    webhdfs_url: str = ""  # for jobs without Spark
    metastore_uri: str = ""  # thrift://127.0.0.1:9083
    jars: str = ""  # comma list for spark.jars: Delta, and Spark's Kafka connector
    master: str = "local[2]"
    driver_host: str = "127.0.0.1"  # where a cluster's workers find the job
    driver_memory: str = "1g"
    shuffle_partitions: int = 2

    def at(self, folder: str) -> str:
        """Build the URL of a folder of :mod:`fraudwatch.lake`."""
        return f"{self.file_system}{folder}"


class ViewsSettings(BaseSettings):
    """The folder to which risk views are published and from which the detector reads them."""

    model_config = from_environment("VIEWS_")
    folder: Path


class LabelSettings(BaseSettings):
    """The label delay: the age from which a purchase without a label counts as genuine."""

    model_config = from_environment("LABEL_")
    delay_days: Annotated[int, AfterValidator(_delay_days)] = 3

    @property
    def delay_ms(self) -> int:
        """Return the delay in milliseconds."""
        return self.delay_days * DAY_MS


class HiveSettings(BaseSettings):
    """SQL connection to the lake's tables: the Thrift Server and a login there."""

    model_config = from_environment("HIVE_")
    host: str = "127.0.0.1"
    port: int = 10_000
    username: str
    password: Secret


class ConsoleSettings(BaseSettings):
    """The console: its metrics and its accounts.

    The passwords are those of the first accounts, which are created when there is none yet.
    """

    model_config = from_environment("CONSOLE_")
    metrics_port: int = 9104
    accounts_folder: Path
    idle_minutes: float = 30
    analyst_password: Secret
    lead_password: Secret
    admin_password: Secret


class RevealSettings(BaseSettings):
    """The URL of ingest at which the console reveals sealed fields, and the API key for it."""

    model_config = from_environment("REVEAL_")
    url: str
    api_key: Secret
