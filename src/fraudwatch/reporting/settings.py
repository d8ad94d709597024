"""Settings of the setup of Superset; Superset's own are in ``superset_config.py``."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Annotated

from pydantic import BeforeValidator
from pydantic_settings import BaseSettings, NoDecode

from fraudwatch.domain.messages.purchase import SOURCE_NAME
from fraudwatch.settings import Secret, from_environment

NONE = "auto"


def _sources(listed: str | tuple[str, ...]) -> tuple[str, ...]:
    """Split the names, which become part of a SQL condition."""
    if not isinstance(listed, str):
        return listed
    if listed in {"", NONE}:
        return ()
    names = tuple(name.strip() for name in listed.split(","))
    for name in names:
        if not re.fullmatch(SOURCE_NAME, name):
            raise ValueError(
                f"SUPERSET_SOURCES has {name!r}, which no source can be called, so no role was "
                "made; give the names of sources, separated by commas"
            )
    return names


class SupersetSetupSettings(BaseSettings):
    """Passwords of Superset's logins, the sources that get a role, and its folders."""

    model_config = from_environment("SUPERSET_")
    admin_password: Secret
    viewer_password: Secret
    analyst_password: Secret
    lead_password: Secret
    sources: Annotated[tuple[str, ...], NoDecode, BeforeValidator(_sources)] = ()
    assets_folder: Path
    home: Path
