"""Read the YAML in ``superset/`` for an import, with the address and password of the lake."""

from __future__ import annotations

from pathlib import Path
from urllib.parse import quote, urlsplit

import yaml

from fraudwatch.settings import HiveSettings

METADATA = "metadata.yaml"


def contents_of(folder: Path, lake: HiveSettings) -> dict[str, str]:
    """Return every file by its path in the folder; databases connect to this lake.

    Raises:
        FileNotFoundError: the folder has no metadata.yaml, so it holds no assets.
    """
    if not (folder / METADATA).is_file():
        raise FileNotFoundError(
            f"{folder} has no {METADATA}, so nothing was imported; run from a complete checkout"
        )
    return {
        name: _connected(text, lake) if name.startswith("databases/") else text
        for path in sorted(folder.rglob("*.yaml"))
        for name, text in [(str(path.relative_to(folder)), path.read_text(encoding="utf-8"))]
    }


def _connected(text: str, lake: HiveSettings) -> str:
    """Add login, password and address, which are this home's own, to a database's URL."""
    database = yaml.safe_load(text)
    url = urlsplit(database["sqlalchemy_uri"])
    password = quote(lake.password.get_secret_value(), safe="")
    login = f"{lake.username}:{password}"
    database["sqlalchemy_uri"] = url._replace(netloc=f"{login}@{lake.host}:{lake.port}").geturl()
    return str(yaml.safe_dump(database, sort_keys=False))
