"""Check the addresses of webhooks and gateways: https, or plain HTTP on loopback."""

from __future__ import annotations

from urllib.parse import urlsplit

NONE = "none"
# Without a local mailbox for such messages, as in containers.
_AUTOMATIC = "auto"
_LOOPBACK = frozenset({"127.0.0.1", "localhost", "::1"})


def checked_url(url: str, setting: str) -> str | None:
    """Return the URL, or None for ``none`` and for an ``auto`` that nothing has replaced.

    Raises:
        ValueError: it is neither https nor on loopback; the URL, a secret, is not quoted.
    """
    if url in {NONE, _AUTOMATIC}:
        return None
    parts = urlsplit(url)
    is_local = parts.scheme == "http" and parts.hostname in _LOOPBACK
    if (parts.scheme == "https" or is_local) and parts.hostname:
        return url
    raise ValueError(
        f"{setting} must be an https address, plain http on this machine, or none; messages would "
        "cross the network in clear text, so nothing was started"
    )
