"""Settings of the Operations page."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any

from pydantic import BeforeValidator
from pydantic_settings import BaseSettings, NoDecode

from fraudwatch.settings import from_environment


def _addresses(listed: Any) -> Any:
    """Parse ``name=address,name=address``."""
    if not isinstance(listed, str):
        return listed
    return dict(pair.split("=", 1) for pair in listed.split(",") if pair)


class OperationsSettings(BaseSettings):
    """Addresses of the exporters that the page reads, by service."""

    model_config = from_environment("OPERATIONS_")
    exporters: Annotated[Mapping[str, str], NoDecode, BeforeValidator(_addresses)]
