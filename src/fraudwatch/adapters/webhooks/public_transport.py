"""HTTP transport to public addresses: a name is resolved once, and only what was checked is used.

A transport that checked a name and let the client resolve it again could be sent elsewhere by the
name's owner in between. Here the address itself is connected to; ``Host``, the server name of TLS
and the check of the certificate keep the name.
"""

from __future__ import annotations

import socket
from collections.abc import Callable, Sequence
from ipaddress import ip_address
from typing import Final

import httpx

from fraudwatch.domain.webhooks.public_address import Address, is_public

_PORTS: Final = {"https": 443, "http": 80}
Resolve = Callable[[str, int], Sequence[str]]


class AddressRefused(Exception):
    """The name has an address that webhooks may not connect to."""


class NameUnresolved(Exception):
    """The name has no address now."""


def resolve(host: str, port: int) -> list[str]:
    """Return the addresses of a name, in the system's order.

    Raises:
        NameUnresolved: it has none.
    """
    try:
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError) as error:
        raise NameUnresolved(f"the name is not resolved ({type(error).__name__})") from error
    return list(dict.fromkeys(str(address[0]) for *_, address in found))


class PublicTransport(httpx.BaseTransport):
    """Connects to checked addresses alone."""

    def __init__(
        self,
        transport: httpx.BaseTransport,
        *,
        allow_loopback: bool,
        resolve: Resolve = resolve,
    ) -> None:
        """Wrap a transport.

        Args:
            transport: makes the connection to the address in the URL that it gets.
            allow_loopback: whether this machine's loopback is permitted, also by plain HTTP.
            resolve: returns the addresses of a name.
        """
        self._transport, self._resolve = transport, resolve
        self._allow_loopback = allow_loopback

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        """Send a request to the first checked address that accepts a connection.

        Raises:
            AddressRefused: one of the addresses is not permitted; no connection was made.
            NameUnresolved: the name has no address.
            httpx.TransportError: the exchange failed.
        """
        url = request.url
        host = url.raw_host.decode("ascii")
        port = url.port or _PORTS.get(url.scheme, 0)
        addresses = [self._permitted(text, url.scheme) for text in self._resolve(host, port)]
        last: httpx.TransportError = httpx.ConnectError("the name has no address")
        for address in addresses:
            pinned = httpx.Request(
                request.method,
                url.copy_with(host=str(address)),
                headers=request.headers,
                stream=request.stream,
                extensions={**request.extensions, "sni_hostname": host},
            )
            try:
                return self._transport.handle_request(pinned)
            except (httpx.ConnectError, httpx.ConnectTimeout) as error:
                last = error
        raise last

    def close(self) -> None:
        """Close its connections."""
        self._transport.close()

    def _permitted(self, text: str, scheme: str) -> Address:
        try:
            address = ip_address(text)  # one with a scope (fe80::1%eth0) is link-local
        except ValueError as error:
            raise AddressRefused("the name has an address that cannot be read") from error
        is_local = self._allow_loopback and address.is_loopback
        if is_local or (scheme == "https" and is_public(address)):
            return address
        raise AddressRefused("the name has an address that is not public")
