"""The .env of a home: made once from .env.example, secrets random, private, never overwritten."""

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
from fraudwatch.stack.place import Place, Unusable, write_private

PORT_OFFSET = "FRAUDWATCH_PORT_OFFSET"
JAVA_OPTIONS = "JAVA_OPTIONS"
FERNET_KEY = "AIRFLOW_FERNET_KEY"
# What the stack itself reads, beside what services ask for by {setting.NAME}.
OWN_SETTINGS = frozenset(
    {
        PORT_OFFSET,
        JAVA_OPTIONS,
        "KAFKA_CLUSTER_ID",
        "KAFKA_CONTROLLER_PASSWORD",
        "HIVE_REPORTS_PASSWORD",
        "HIVE_METASTORE_URL",
        "HIVE_METASTORE_USERNAME",
        "HIVE_METASTORE_PASSWORD",
    }
)
_LINE = re.compile(r"([A-Z][A-Z0-9_]*)=(.*)")
# Safe in supervisor's ini, in JAAS, in YAML and in a URL, so that nothing ever needs quoting.
_ALLOWED = re.compile(r"[A-Za-z0-9_./:+=@,-]*")
_FERNET_KEY = re.compile(r"[A-Za-z0-9_-]{43}=")
_CLUSTER_ID = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_-]{21}")


class BadSetting(Unusable):
    """A line of .env may not be used."""


def is_secret(name: str) -> bool:
    """Whether a variable's value must be strong and stay hidden."""
    return name.endswith(("_PASSWORD", "_KEY"))


def parse(text: str) -> dict[str, str]:
    """NAME=value lines; everything else is comment."""
    found = (_LINE.fullmatch(line.strip()) for line in text.splitlines())
    return {line[1]: line[2].strip() for line in found if line}


def ensure(place: Place) -> dict[str, str]:
    """Make or complete the file, refuse what is weak, return its values.

    Raises:
        BadSetting: it names the variable, never its value.
    """
    example = (place.root / ".env.example").read_text(encoding="utf-8")
    path = place.env_file
    text = path.read_text(encoding="utf-8") if path.exists() else ""
    if path.exists():
        _make_private(path)
    complete = completed(text, example)
    if complete != text:
        write_private(path, complete)
    return check(parse(complete), path)


def read(place: Place) -> dict[str, str] | None:
    """The values as they stand, nothing made or checked; None where there is no file."""
    path = place.env_file
    return parse(path.read_text(encoding="utf-8")) if path.exists() else None


def variables(place: Place) -> frozenset[str]:
    """The variables .env.example knows."""
    return frozenset(parse((place.root / ".env.example").read_text(encoding="utf-8")))


def completed(text: str, example: str) -> str:
    """The file with every variable of the example; own lines and values are kept as they are."""
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
        # A leading hyphen would be taken for an option where the id stands on a command line.
        drawn = base64.urlsafe_b64encode(uuid.uuid4().bytes).decode().rstrip("=")
        return _random(name) if drawn.startswith("-") else drawn
    if name == FERNET_KEY:
        return base64.urlsafe_b64encode(secrets.token_bytes(32)).decode()
    # 64 characters are what the strongest signature of a token asks for.
    return secrets.token_hex(32 if name.endswith("_SECRET_KEY") else 24)


def check(values: dict[str, str], path: Path) -> dict[str, str]:
    """Refuse weak secrets and values that an engine's configuration could misread."""
    for name, value in values.items():
        if is_secret(name) and (reason := weakness_of(value)):
            raise BadSetting(
                f"{name} in {path} {reason}, so nothing was started; remove its line and start "
                "again to get a random one"
            )
        if not _ALLOWED.fullmatch(value):
            raise BadSetting(
                f"{name} in {path} holds a character that engines would misread; "
                "use letters, digits and _ . / : + = @ , -"
            )
    if not _CLUSTER_ID.fullmatch(values["KAFKA_CLUSTER_ID"]):
        raise BadSetting(f"KAFKA_CLUSTER_ID in {path} is not 22 characters of URL-safe base64")
    if not _FERNET_KEY.fullmatch(values[FERNET_KEY]):
        raise BadSetting(
            f"{FERNET_KEY} in {path} is not 32 bytes in URL-safe base64, so Airflow could not read "
            "what it sealed; set the old key again, or remove the line to get a new one"
        )
    return values


def port_offset(values: Mapping[str, str], environment: Mapping[str, str] = os.environ) -> int:
    """What is added to every port; the process environment wins over the file."""
    text = environment.get(PORT_OFFSET) or values.get(PORT_OFFSET) or "0"
    if not text.isdecimal():
        raise BadSetting(f"{PORT_OFFSET}={text} is not a whole number of 0 or more")
    return int(text)


def _make_private(path: Path) -> None:
    found = path.stat()
    if found.st_uid != os.getuid():
        raise BadSetting(f"{path} belongs to somebody else, who then knows its secrets; remove it")
    if stat.S_IMODE(found.st_mode) & (stat.S_IRWXG | stat.S_IRWXO):
        path.chmod(0o600)
