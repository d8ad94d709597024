"""Sending by HTTP: which address is connected to, what is signed, what counts as delivered."""

from __future__ import annotations

import ssl
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from ipaddress import ip_address

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st

from fraudwatch.adapters.webhooks.http_sender import HttpWebhookSender
from fraudwatch.adapters.webhooks.public_transport import (
    AddressRefused,
    NameUnresolved,
    PublicTransport,
    resolve,
)
from fraudwatch.application.webhooks.ports import DeliveryFailed, QueuedEvent
from fraudwatch.domain.webhooks.delivery_state import FailureReason
from fraudwatch.domain.webhooks.public_address import is_public
from fraudwatch.domain.webhooks.signature import secret_text, signature_headers
from fraudwatch.domain.webhooks.subscription import EventKind, SigningSecret, Subscription
from fraudwatch.samples import NOON_MS

SECRET = secret_text(bytes(32))
EVENT = QueuedEvent(webhook_id="w-1", body=b'{"type":"verdict"}', attempts=0, queued_at_ms=NOON_MS)
SHOP = Subscription(
    subscription_id="5f0c9a1e",
    client="shop",
    url="https://shop.example/hooks",
    events=(EventKind.VERDICT,),
    sources=(),
    secrets=(SigningSecret(SECRET),),
    created_at_ms=NOON_MS,
)


@dataclass
class Network:
    """A network in which every connection is recorded, and some fail."""

    unreachable: frozenset[str] = frozenset()
    requests: list[httpx.Request] = field(default_factory=list)

    def transport(self) -> httpx.MockTransport:
        return httpx.MockTransport(self._answer)

    def _answer(self, request: httpx.Request) -> httpx.Response:
        self.requests.append(request)
        if request.url.host in self.unreachable:
            raise httpx.ConnectError("unreachable")
        return httpx.Response(204)

    @property
    def hosts(self) -> list[str]:
        return [request.url.host for request in self.requests]


def transport_to(
    network: Network, addresses: Sequence[str], *, allow_loopback: bool = False
) -> PublicTransport:
    return PublicTransport(
        network.transport(), allow_loopback=allow_loopback, resolve=lambda *_: addresses
    )


def post(transport: httpx.BaseTransport, url: str = SHOP.url) -> httpx.Response:
    with httpx.Client(transport=transport) as client:
        return client.post(url, content=b"{}")


def test_the_checked_address_is_connected_to_and_the_name_is_kept() -> None:
    network = Network()
    post(transport_to(network, ["93.184.215.14"]), "https://shop.example:8443/hooks?a=1")
    [request] = network.requests
    assert str(request.url) == "https://93.184.215.14:8443/hooks?a=1"
    assert request.headers["host"] == "shop.example:8443"
    assert request.extensions["sni_hostname"] == "shop.example"
    assert request.read() == b"{}"


def test_a_name_is_resolved_once_an_attempt() -> None:
    answers = [["93.184.215.14"], ["127.0.0.1"]]
    network = Network()
    transport = PublicTransport(
        network.transport(), allow_loopback=False, resolve=lambda *_: answers.pop(0)
    )
    post(transport)
    assert network.hosts == ["93.184.215.14"]
    assert answers == [["127.0.0.1"]]
    # The name's owner changes the address: the next attempt checks the new one.
    with pytest.raises(AddressRefused):
        post(transport)
    assert network.hosts == ["93.184.215.14"]


def test_one_private_address_among_public_ones_refuses_the_name() -> None:
    network = Network()
    with pytest.raises(AddressRefused):
        post(transport_to(network, ["93.184.215.14", "10.0.0.1"]))
    assert network.requests == []


def test_the_next_address_is_used_if_one_does_not_connect() -> None:
    network = Network(unreachable=frozenset({"2606:4700::1111"}))
    assert post(transport_to(network, ["2606:4700::1111", "93.184.215.14"])).status_code == 204
    assert network.hosts == ["2606:4700::1111", "93.184.215.14"]
    with pytest.raises(httpx.ConnectError):
        post(transport_to(network, ["2606:4700::1111"]))
    with pytest.raises(httpx.ConnectError):
        post(transport_to(network, []))


@given(
    addresses=st.lists(st.ip_addresses().map(str), min_size=1, max_size=4),
    scheme=st.sampled_from(["http", "https"]),
    allow_loopback=st.booleans(),
)
def test_no_address_that_is_not_public_is_ever_connected_to(
    addresses: list[str], scheme: str, *, allow_loopback: bool
) -> None:
    network = Network()
    transport = transport_to(network, addresses, allow_loopback=allow_loopback)
    try:
        post(transport, f"{scheme}://shop.example/")
    except AddressRefused:
        assert network.requests == []
    for host in network.hosts:
        address = ip_address(host)
        is_local = allow_loopback and address.is_loopback
        assert is_local or (scheme == "https" and is_public(address))


@pytest.mark.parametrize(
    "host", ["127.0.0.1", "2130706433", "0x7f.1", "0177.0.0.1", "127.1", "localhost", "0"]
)
def test_no_way_of_writing_an_address_reaches_this_machine(host: str) -> None:
    network = Network()
    with pytest.raises((AddressRefused, NameUnresolved, httpx.InvalidURL)):
        post(PublicTransport(network.transport(), allow_loopback=False), f"https://{host}/")
    assert network.requests == []


def test_a_name_without_an_address_is_reported() -> None:
    with pytest.raises(NameUnresolved):
        resolve("name-without-an-address.invalid", 443)


def sender_to(answer: httpx.Response | Exception) -> tuple[HttpWebhookSender, list[httpx.Request]]:
    requests: list[httpx.Request] = []

    def handle(request: httpx.Request) -> httpx.Response:
        requests.append(request)
        if isinstance(answer, Exception):
            raise answer
        return answer

    sender = HttpWebhookSender(
        allow_loopback=False,
        tls=ssl.create_default_context(),
        transport=httpx.MockTransport(handle),
    )
    return sender, requests


def test_an_event_is_posted_with_its_signature() -> None:
    requests: list[httpx.Request] = []

    def handle(request: httpx.Request) -> httpx.Response:
        requests.append(request)
        return httpx.Response(
            200, stream=httpx.ByteStream(b"thanks"), headers={"set-cookie": "a=b"}
        )

    sender = HttpWebhookSender(
        allow_loopback=False,
        tls=ssl.create_default_context(),
        transport=httpx.MockTransport(handle),
    )
    sender.send(SHOP, EVENT, NOON_MS)
    sender.send(SHOP, EVENT, NOON_MS)
    first, second = requests
    assert first.read() == EVENT.body
    assert first.headers["content-type"] == "application/json"
    expected = signature_headers([SECRET], "w-1", NOON_MS // 1_000, EVENT.body)
    assert expected.items() <= dict(first.headers).items()
    assert "cookie" not in second.headers


@pytest.mark.parametrize(
    ("answer", "reason"),
    [
        (httpx.Response(302, headers={"location": "http://127.0.0.1/"}), FailureReason.REDIRECT),
        (httpx.Response(400), FailureReason.CLIENT_ERROR),
        (httpx.Response(410), FailureReason.CLIENT_ERROR),
        (httpx.Response(503), FailureReason.SERVER_ERROR),
        (httpx.ReadTimeout("secret-path"), FailureReason.TIMEOUT),
        (httpx.ConnectError("secret-path"), FailureReason.CONNECTION),
        (httpx.RemoteProtocolError("secret-path"), FailureReason.CONNECTION),
        (AddressRefused("not public"), FailureReason.ADDRESS_REFUSED),
        (NameUnresolved("no address"), FailureReason.NAME_UNRESOLVED),
    ],
)
def test_a_failure_has_a_reason_and_no_secret(
    answer: httpx.Response | Exception, reason: FailureReason
) -> None:
    sender, requests = sender_to(answer)
    subscription = replace(SHOP, url="https://shop.example/secret-path")
    with pytest.raises(DeliveryFailed) as found:
        sender.send(subscription, EVENT, NOON_MS)
    assert found.value.reason is reason
    assert "secret-path" not in str(found.value)
    assert len(requests) == 1, "a redirect must not be followed"


def test_without_a_valid_secret_nothing_is_sent() -> None:
    sender, requests = sender_to(httpx.Response(200))
    with pytest.raises(DeliveryFailed) as found:
        sender.send(replace(SHOP, secrets=()), EVENT, NOON_MS)
    assert found.value.reason is FailureReason.UNSIGNED
    assert requests == []


@pytest.mark.parametrize(
    ("text", "seconds"), [("7", 7.0), ("999999", 3_600.0), ("soon", 0.0), ("-1", 0.0), ("", 0.0)]
)
def test_the_pause_that_a_client_asks_for_is_respected_within_limits(
    text: str, seconds: float
) -> None:
    sender, _ = sender_to(httpx.Response(429, headers={"retry-after": text}))
    with pytest.raises(DeliveryFailed) as found:
        sender.send(SHOP, EVENT, NOON_MS)
    assert found.value.retry_after_seconds == seconds


def test_an_endless_answer_is_cut() -> None:
    chunks = []

    class Endless(httpx.SyncByteStream):
        def __iter__(self) -> Iterator[bytes]:
            while True:
                chunks.append(1)
                yield b"x" * 1_024

    sender, _ = sender_to(httpx.Response(200, stream=Endless()))
    sender.send(SHOP, EVENT, NOON_MS)
    assert len(chunks) < 100
