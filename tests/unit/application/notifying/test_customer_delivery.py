"""The notifier's side of customer notices: at most once, whatever the edge does."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field

import httpx
import pytest

from fraudwatch.adapters.edge.edge_notices import HttpEdgeNotices
from fraudwatch.adapters.memory.notifications import MemoryNotificationStore
from fraudwatch.application.notifying.customer_delivery import CustomerDelivery
from fraudwatch.application.notifying.ports import ChannelUnavailable
from fraudwatch.domain.messages.transaction import Transaction
from fraudwatch.domain.notifications.customer_notice import (
    CustomerNotice,
    NoticeState,
    NoticeTemplate,
)
from fraudwatch.samples import NOON_MS, a_token, a_transaction

Answer = Callable[[httpx.Request], httpx.Response]
NOTICE = CustomerNotice(
    verdict_id="11111111-2222-5333-8444-555555555555",
    transaction_id="shop:1",
    customer_token=a_token("a"),
    template=NoticeTemplate.DECLINED,
    event_at_ms=NOON_MS,
)


@dataclass
class World:
    """State, stored purchases, and an edge that answers as a test says."""

    answer: Answer
    purchase: Transaction | None = field(default_factory=a_transaction)
    store: MemoryNotificationStore = field(default_factory=MemoryNotificationStore)
    counts: Counter[NoticeState] = field(default_factory=Counter)
    now: int = NOON_MS
    requests: list[httpx.Request] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.store.add([], [NOTICE], channels=[], now_ms=NOON_MS)

    def purchase_of(self, notice: CustomerNotice) -> Transaction | None:
        assert notice == NOTICE
        return self.purchase

    def deliver(self) -> int:
        def handle(request: httpx.Request) -> httpx.Response:
            assert self.state is NoticeState.ASKED, "it was sent before it was recorded"
            self.requests.append(request)
            return self.answer(request)

        edge = HttpEdgeNotices("http://edge", "key", transport=httpx.MockTransport(handle))
        return CustomerDelivery(
            self.store, self, edge, lambda: self.now, 900, lambda s: self.counts.update([s])
        ).deliver_waiting()

    @property
    def state(self) -> NoticeState:
        return self.store.notice_states[NOTICE.verdict_id][0]


def says(status: int, **body: object) -> Answer:
    return lambda _: httpx.Response(status, json=body)


def fails(error: Exception) -> Answer:
    def answer(_: httpx.Request) -> httpx.Response:
        raise error

    return answer


@pytest.mark.parametrize(
    ("answer", "state"),
    [
        (says(200, state="mailed"), NoticeState.MAILED),
        (says(200, state="texted"), NoticeState.TEXTED),
        (says(200, state="nonsense"), NoticeState.UNCERTAIN),
        (says(404, code="erased"), NoticeState.ERASED),
        (says(404, code="no_address"), NoticeState.NO_ADDRESS),
        (says(409, code="altered"), NoticeState.REFUSED),
        (says(409, code="address_refused"), NoticeState.REFUSED),
        (says(422, problems=[]), NoticeState.REFUSED),
        (says(429, code="limited"), NoticeState.LIMITED),
        (says(502, code="uncertain"), NoticeState.UNCERTAIN),
        (says(500), NoticeState.UNCERTAIN),
        (fails(httpx.ReadTimeout("slow")), NoticeState.UNCERTAIN),
        (fails(httpx.RemoteProtocolError("cut")), NoticeState.UNCERTAIN),
    ],
)
def test_an_answer_settles_a_notice_for_good(answer: Answer, state: NoticeState) -> None:
    world = World(answer)
    assert world.deliver() == 1
    assert (world.state, world.counts) == (state, Counter([state]))
    assert world.deliver() == 0
    assert len(world.requests) == 1


@pytest.mark.parametrize(
    "answer",
    [
        says(503, code="unlogged", detail="no broker"),
        says(503, code="unsent", detail="no mail server"),
        says(503, code="paused", detail="too many"),
        says(401),
        says(404, detail="Not Found"),
        fails(httpx.ConnectError("refused")),
    ],
)
def test_what_was_certainly_not_sent_is_sent_once_later(answer: Answer) -> None:
    world = World(answer)
    with pytest.raises(ChannelUnavailable):
        world.deliver()
    assert world.state is NoticeState.WAITING
    world.answer = says(200, state="mailed")
    assert world.deliver() == 1
    assert world.counts == Counter([NoticeState.MAILED])


def test_the_edge_gets_the_sealed_field_and_no_more_than_a_template_needs() -> None:
    import json

    world = World(says(200, state="mailed"))
    world.deliver()
    [request] = world.requests
    assert (request.method, request.url.path) == ("POST", "/v1/notify")
    assert request.headers["Authorization"] == "Bearer key"
    assert json.loads(request.content) == {
        "notice_id": NOTICE.verdict_id,
        "transaction_id": "shop:1",
        "customer_token": a_token("a"),
        "sealed": "c2VhbGVk",
        "template": "declined",
        "amount_minor": 2_590,
        "currency": "EUR",
        "merchant_id": "merchant-1",
        "event_at_ms": NOON_MS,
    }


def test_a_notice_waits_for_the_row_of_its_purchase_and_then_expires() -> None:
    world = World(says(200, state="mailed"), purchase=None)
    assert world.deliver() == 0
    assert world.state is NoticeState.WAITING
    world.now += 900_001
    assert world.deliver() == 1
    assert world.state is NoticeState.EXPIRED
    assert world.requests == []


def test_a_purchase_without_sealed_fields_has_no_address() -> None:
    world = World(says(200, state="mailed"), purchase=a_transaction(sealed=None))
    assert world.deliver() == 1
    assert world.state is NoticeState.NO_ADDRESS
