"""Read a container's settings: the variables that compose gave it, or the example's values."""

from __future__ import annotations

import os
from collections.abc import Sequence

from fraudwatch.stack import catalogue, env_file
from fraudwatch.stack.catalogue import Launch
from fraudwatch.stack.home import Home


def settings_here(home: Home) -> dict[str, str]:
    """Return every setting of .env.example, with this container's values where it has them."""
    example = env_file.parse((home.root / ".env.example").read_text(encoding="utf-8"))
    return {name: os.environ.get(name, value) for name, value in example.items()}


def launch_of(name: str, command: Sequence[str]) -> Launch:
    """Return the launch of a service whose command compose has filled."""
    service = catalogue.load().services[name]
    return Launch(
        service=service,
        argv=tuple(command),
        environment=dict(os.environ),
        probe=None,
        ports=dict(service.ports),
    )
