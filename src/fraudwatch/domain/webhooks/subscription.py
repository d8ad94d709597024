"""Define subscriptions of webhooks: which events of which sources go to which URL."""

from __future__ import annotations

import enum
from dataclasses import dataclass, replace
from urllib.parse import urlsplit

from fraudwatch.domain.webhooks.public_address import is_public, literal_address


class EventKind(enum.StrEnum):
    """Kind of event that a client can subscribe to."""

    VERDICT = "verdict"  # other than approve
    DECISION = "decision"  # fraud or genuine, by an analyst or a chargeback


class UrlRefused(ValueError):
    """The URL cannot be the target of a webhook."""


@dataclass(frozen=True, slots=True)
class SigningSecret:
    """A secret that signs until it expires; readable, because signing needs its text."""

    text: str
    expires_at_ms: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Subscription:
    """One client's URL; without ``sources`` it gets the events of all of them."""

    subscription_id: str
    client: str
    url: str
    events: tuple[EventKind, ...]
    sources: tuple[str, ...]
    secrets: tuple[SigningSecret, ...]  # the newest first
    created_at_ms: int

    def wants(self, kind: EventKind, source: str) -> bool:
        """Whether events of this kind about purchases of this source are sent to it."""
        return kind in self.events and (not self.sources or source in self.sources)

    def secrets_at(self, now_ms: int) -> list[str]:
        """Return the secrets that sign now: two of them while one replaces the other."""
        return [
            one.text
            for one in self.secrets
            if one.expires_at_ms is None or one.expires_at_ms > now_ms
        ]

    def with_new_secret(self, text: str, now_ms: int, overlap_ms: int) -> Subscription:
        """Return it with another secret; the earlier ones sign for ``overlap_ms`` more at most."""
        ends_ms = now_ms + overlap_ms
        earlier = [
            SigningSecret(one.text, min(ends_ms, one.expires_at_ms or ends_ms))
            for one in self.secrets
            if one.expires_at_ms is None or one.expires_at_ms > now_ms
        ]
        return replace(self, secrets=(SigningSecret(text), *earlier))


def check_url(url: str, *, allow_loopback: bool) -> None:
    """Check the form of a URL; the address of its name is checked again at each attempt.

    Raises:
        UrlRefused: it is not https, or its host is an address that is not public.
    """
    try:
        parts = urlsplit(url)
        host, port = parts.hostname, parts.port
    except ValueError as error:
        raise UrlRefused(f"the URL is invalid ({error}); nothing was changed") from error
    address = literal_address(host or "")
    is_local = allow_loopback and (host == "localhost" or bool(address and address.is_loopback))
    faults = []
    if not host or port == 0 or not url.isascii() or any(c <= " " for c in url):
        faults.append("it needs a host, and ASCII characters without spaces")
    if parts.scheme != "https" and not (parts.scheme == "http" and is_local):
        faults.append("it must begin with https://")
    if parts.username is not None or parts.password is not None or parts.fragment:
        faults.append("it may have neither a user, a password nor a fragment")
    if address and not is_public(address) and not is_local:
        faults.append("its address is not public")
    if faults:
        raise UrlRefused(f"the URL is refused: {'; '.join(faults)}. Nothing was changed.")
