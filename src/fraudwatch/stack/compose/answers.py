"""Answer a container's health check: ``python -m fraudwatch.stack.compose.answers ADDRESS``.

With the standard library alone: it runs in every environment, every few seconds.
"""

from __future__ import annotations

import json
import socket
import sys
import urllib.error
import urllib.request

TIMEOUT_SECONDS = 5.0


def answers(address: str) -> bool:
    """Whether an address answers.

    It is tcp://HOST:PORT, a page (200), or a page and the component that it must report as healthy:
    http://HOST/PAGE#COMPONENT.
    """
    try:
        if address.startswith("tcp://"):
            host, _, port = address.removeprefix("tcp://").rpartition(":")
            socket.create_connection((host, int(port)), TIMEOUT_SECONDS).close()
            return True
        page, _, component = address.partition("#")
        with urllib.request.urlopen(page, timeout=TIMEOUT_SECONDS) as answer:  # noqa: S310  from the catalogue
            return not component or json.load(answer)[component]["status"] == "healthy"
    except (OSError, urllib.error.URLError, ValueError, KeyError):
        return False


if __name__ == "__main__":
    sys.exit(0 if answers(sys.argv[1]) else 1)
