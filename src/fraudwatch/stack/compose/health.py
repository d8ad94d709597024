"""Build the health check of a container from the catalogue's probe."""

from __future__ import annotations

import re
from typing import Any

from fraudwatch.stack.catalogue import CatalogueError, Service
from fraudwatch.stack.compose.addresses import between_containers
from fraudwatch.stack.compose.overlay import Adjustment
from fraudwatch.stack.compose.paths import values_of

INTERVAL_SECONDS = 10
TIMEOUT_SECONDS = 8
RETRIES = 6
_PORT = re.compile(r"\{(port\.\w+\.\w+)\}")


def health_check(service: Service, adjustment: Adjustment) -> dict[str, Any]:
    """Return the `healthcheck` entry; an image with a check of its own keeps it."""
    if service.oneshot or adjustment.health == "":
        return {}
    return {
        "healthcheck": {
            "test": _test(service, adjustment),
            "interval": f"{INTERVAL_SECONDS}s",
            "timeout": f"{TIMEOUT_SECONDS}s",
            "retries": RETRIES,
            "start_period": f"{service.ready_seconds}s",
        }
    }


def _test(service: Service, adjustment: Adjustment) -> list[str]:
    values = values_of(service, adjustment)

    def ports(text: str) -> str:
        return _PORT.sub(lambda found: values[found[1]], text)

    if adjustment.health is not None:
        line = " ".join(adjustment.health.split("\n  "))
        # Compose would take a dollar for a variable of its own.
        return ["CMD", adjustment.shell, "-c", ports(line).replace("$", "$$")]
    probe = adjustment.probe or service.probe
    if probe is None or ":" not in probe:
        raise CatalogueError(
            f"compose.toml, [service.{service.name}] needs `health` or `probe`: "
            f"{probe} asks the engine natively"
        )
    address = ports(between_containers(probe, service.name))
    return ["CMD", "python", "-m", "fraudwatch.stack.compose.answers", address]
