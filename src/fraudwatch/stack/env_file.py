"""Create a home's .env from .env.example: random secrets, private, lines never overwritten."""

from __future__ import annotations

import base64
import os
import re
import secrets
import stat
import uuid
from collections.abc import Mapping
from pathlib import Path

from fraudwatch.domain.weak_secret import weakness_of
from fraudwatch.stack.home import Home, StackError, write_private

PORT_OFFSET = "FRAUDWATCH_PORT_OFFSET"
JAVA_OPTIONS = "JAVA_OPTIONS"
ALERT_DURATION_RATIO = "ALERT_DURATION_RATIO"
FERNET_KEY = "AIRFLOW_FERNET_KEY"
# Settings that the stack itself reads, besides those that services use as {setting.NAME}.
OWN_SETTINGS = frozenset(
    {
        PORT_OFFSET,
        JAVA_OPTIONS,
        "INGEST_API_KEY",
        ALERT_DURATION_RATIO,
        "KAFKA_CLUSTER_ID",
        "KAFKA_CONTROLLER_PASSWORD",
        "HIVE_REPORTS_PASSWORD",
        "HIVE_METASTORE_URL",
        "HIVE_METASTORE_USERNAME",
        "HIVE_METASTORE_PASSWORD",
        # docker-compose.yml alone reads these.
        "POSTGRES_PASSWORD",
        "AIRFLOW_DATABASE_PASSWORD",
        "MLFLOW_DATABASE_PASSWORD",
        "SUPERSET_DATABASE_PASSWORD",
        "CONSOLE_PORT",
        "INGEST_PORT",
        "REST_API_PORT",
        "SHOP_PORT",
        "AIRFLOW_PORT",
        "THRIFT_SERVER_PORT",
        "MAILBOX_PORT",
        "PROMETHEUS_PORT",
        "ALERTMANAGER_PORT",
        "GRAFANA_PORT",
        "SUPERSET_PORT",
        "COMPOSE_PROFILES",
    }
)
_LINE = re.compile(r"([A-Z][A-Z0-9_]*)=(.*)")
# Safe in supervisor's ini, in JAAS, in YAML and in a URL, so that no value needs quoting.
# A tilde alone would be YAML's null; secrets of providers have one inside.
_ALLOWED = re.compile(r"([A-Za-z0-9_./:+=@,-][A-Za-z0-9_./:+=@,~-]*)?")
_FERNET_KEY = re.compile(r"[A-Za-z0-9_-]{43}=")
_CLUSTER_ID = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_-]{21}")


class BadSetting(StackError):
    """A setting in .env is invalid."""


def is_secret(name: str) -> bool:
    """Whether a variable holds a secret: it must be strong and is never shown."""
    return name.endswith(("_PASSWORD", "_KEY", "_SECRET"))


def parse(text: str) -> dict[str, str]:
    """Parse NAME=value lines; every other line is a comment."""
    found = (_LINE.fullmatch(line.strip()) for line in text.splitlines())
    return {line[1]: line[2].strip() for line in found if line}


def ensure(home: Home) -> dict[str, str]:
    """Create or complete .env, refuse weak secrets, and return its values.

    Raises:
        BadSetting: a value is weak or invalid; the message names the variable, never its value.
    """
    example = (home.root / ".env.example").read_text(encoding="utf-8")
    path = home.env_file
    text = path.read_text(encoding="utf-8") if path.exists() else ""
    if path.exists():
        _make_private(path)
    complete = completed(text, example)
    if complete != text:
        write_private(path, complete)
    return check(parse(complete), path)


def read(home: Home) -> dict[str, str] | None:
    """Read the values of .env without creating or checking it; None if there is no file."""
    path = home.env_file
    return parse(path.read_text(encoding="utf-8")) if path.exists() else None


def variables(home: Home) -> frozenset[str]:
    """Return the variables of .env.example."""
    return frozenset(parse((home.root / ".env.example").read_text(encoding="utf-8")))


def completed(text: str, example: str) -> str:
    """Add the example's missing variables to the text; its own lines and values are kept."""
    if not text:
        return "".join(_filled(line) + "\n" for line in example.splitlines())
    missing = [line for line in example.splitlines() if _is_new(line, parse(text))]
    return text if not missing else "\n".join([text.rstrip("\n"), *map(_filled, missing), ""])


def _is_new(line: str, present: Mapping[str, str]) -> bool:
    found = _LINE.fullmatch(line)
    return bool(found) and found is not None and found[1] not in present


def _filled(line: str) -> str:
    found = _LINE.fullmatch(line)
    if found is None or found[2]:
        return line
    return f"{found[1]}={_random(found[1])}"


def _random(name: str) -> str:
    if name == "KAFKA_CLUSTER_ID":
        # A leading hyphen would be parsed as an option where the id is on a command line.
        cluster_id = base64.urlsafe_b64encode(uuid.uuid4().bytes).decode().rstrip("=")
        return _random(name) if cluster_id.startswith("-") else cluster_id
    if name == FERNET_KEY:
        return base64.urlsafe_b64encode(secrets.token_bytes(32)).decode()
    # 64 characters, because the strongest token signature needs them.
    return secrets.token_hex(32 if name.endswith("_SECRET_KEY") else 24)


def check(values: dict[str, str], path: Path) -> dict[str, str]:
    """Refuse weak secrets, and values that an engine's configuration could misread."""
    for name, value in values.items():
        if is_secret(name) and (reason := weakness_of(value)):
            raise BadSetting(
                f"{name} in {path} {reason}, so nothing was started; remove its line and start "
                "again to get a random one"
            )
        if not _ALLOWED.fullmatch(value):
            raise BadSetting(
                f"{name} in {path} holds a character that engines would misread; "
                "use letters, digits and _ . / : + = @ , - ~"
            )
    if not _CLUSTER_ID.fullmatch(values["KAFKA_CLUSTER_ID"]):
        raise BadSetting(f"KAFKA_CLUSTER_ID in {path} is not 22 characters of URL-safe base64")
    if not _FERNET_KEY.fullmatch(values[FERNET_KEY]):
        raise BadSetting(
            f"{FERNET_KEY} in {path} is not 32 bytes in URL-safe base64, so Airflow could not read "
            "what it encrypted; restore the old key, or remove the line to get a new one"
        )
    return values


def port_offset(values: Mapping[str, str], environment: Mapping[str, str] = os.environ) -> int:
    """Return the port offset; the process environment wins over the file."""
    text = environment.get(PORT_OFFSET) or values.get(PORT_OFFSET) or "0"
    if not text.isdecimal():
        raise BadSetting(f"{PORT_OFFSET}={text} is not a whole number of 0 or more")
    return int(text)


def _make_private(path: Path) -> None:
    found = path.stat()
    if found.st_uid != os.getuid():
        raise BadSetting(f"{path} belongs to another user, who can read its secrets; remove it")
    if stat.S_IMODE(found.st_mode) & (stat.S_IRWXG | stat.S_IRWXO):
        path.chmod(0o600)
