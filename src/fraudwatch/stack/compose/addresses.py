"""Turn the catalogue's addresses into those between containers.

Natively every address is on 127.0.0.1. In containers ``127.0.0.1:{port.X.Y}`` becomes the host X, a
service listens on every address of its own container, and links for people stay on the machine.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable

from fraudwatch.stack.compose.overlay import Overlay
from fraudwatch.stack.home import EVERY_ADDRESS, LOOPBACK

_LOOPBACK = re.escape(LOOPBACK)
_TO_SERVICE = re.compile(_LOOPBACK + r":\{port\.(\w+)\.(\w+)\}")
_OWN_LISTENER = r"(?<!/)" + _LOOPBACK + r":(\{{port\.{name}\.\w+\}})"
_ALONE = re.compile(_LOOPBACK + r"(?!:)")


def between_containers(text: str, service: str) -> str:
    """Rewrite the addresses in a command or variable of this service."""
    listening = re.sub(_OWN_LISTENER.format(name=service), EVERY_ADDRESS + r":\1", text)
    return _ALONE.sub(EVERY_ADDRESS, _TO_SERVICE.sub(_host_of(service), listening))


def _host_of(service: str) -> Callable[[re.Match[str]], str]:
    def replaced(found: re.Match[str]) -> str:
        host = LOOPBACK if found[1] == service else found[1]
        return f"{host}:{{port.{found[1]}.{found[2]}}}"

    return replaced


def variable(overlay: Overlay, service: str, name: str, value: str) -> str:
    """Rewrite a variable's addresses, unless it is one that stays on loopback."""
    if name in overlay.inside:
        return value
    if name in overlay.links:
        public = overlay.links[name]
        port = _default_port(overlay, public)
        return _TO_SERVICE.sub(f"{LOOPBACK}:${{{public}:-{port}}}", value)
    return between_containers(value, service)


def _default_port(overlay: Overlay, public: str) -> int:
    service, name = overlay.published[public].split(".")
    return overlay.services[service].ports[name]


def named_services(texts: Iterable[str]) -> frozenset[str]:
    """Return the services whose ports these texts name."""
    return frozenset(found for text in texts for found in re.findall(r"\{port\.(\w+)\.", text))
