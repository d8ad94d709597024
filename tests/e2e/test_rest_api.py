"""The REST API on real engines, by its generated client: verdict, alerts, label, live stream."""

from __future__ import annotations

import json
import sys
import time
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import httpx
import pytest

from fraudwatch.adapters.codecs.json_codec import encode
from fraudwatch.domain.api_keys import Scope
from fraudwatch.domain.messages.purchase import Channel, Purchase
from fraudwatch.samples import a_purchase
from fraudwatch.stack.home import ROOT
from fraudwatch.stack.private_stack import PrivateStack
from tests.e2e.rest_api_keys import make_key
from tests.waiting import eventually

sys.path.insert(0, str(ROOT / "clients" / "python"))
from fraudwatch_client import AuthenticatedClient
from fraudwatch_client.api.alerts import list_alerts, search_alerts, show_alert
from fraudwatch_client.api.labels import report_label
from fraudwatch_client.api.verdicts import show_verdict
from fraudwatch_client.models import (
    AlertDetail,
    AlertPage,
    AlertSearch,
    Customer,
    LabelReport,
    LabelReportVerdict,
    LabelResult,
    Problem,
    Verdict,
)

pytestmark = [pytest.mark.engines, pytest.mark.timeout(600)]
SOURCE = "apitest"
# From the third purchase within ten minutes on, the velocity rule has a reason to complain.
BURST = 16


def a_burst(customer: str, merchant: str) -> list[Purchase]:
    now_ms = time.time_ns() // 1_000_000
    return [
        a_purchase(
            source=SOURCE,
            id=f"{customer}-{n}",
            customer_id=customer,
            merchant_id=merchant,
            event_at_ms=now_ms,
            channel=Channel.NOT_PRESENT,
            amount_minor=1_000 + n,
        )
        for n in range(BURST)
    ]


def post(stack: PrivateStack, purchases: list[Purchase]) -> None:
    with stack.http("ingest", "INGEST_API_KEY") as ingest:
        answer = ingest.post("/v1/transactions", content=encode(purchases))
        assert answer.status_code == 202, answer.text


@dataclass(frozen=True)
class Api:
    """The API of the stack, its generated client, and a client of every other kind of request."""

    stack: PrivateStack
    client: AuthenticatedClient
    url: str
    key: str

    def burst(self) -> tuple[str, str]:
        name = uuid.uuid4().hex[:12]
        post(self.stack, a_burst(f"c-{name}", f"m-{name}"))
        return f"c-{name}", f"m-{name}"

    def alerts_at(self, merchant: str) -> list[Any]:
        page = list_alerts.sync(client=self.client, merchant_id=merchant)
        assert isinstance(page, AlertPage), page
        return page.alerts


@pytest.fixture(scope="module")
def api(stack: PrivateStack) -> Api:
    key = make_key(stack, "apitest", Scope.READ, Scope.LABEL, sources=(SOURCE,))
    url = f"http://127.0.0.1:{stack.port('rest_api', 'http')}"
    client = AuthenticatedClient(url, token=key, httpx_args={"trust_env": False})
    return Api(stack, client, url, key)


def test_the_api_is_ready(api: Api) -> None:
    answer = eventually(
        lambda: (found := httpx.get(f"{api.url}/readyz", timeout=30)).is_success and found,
        within_seconds=60,
        what="the API is ready",
    )
    assert answer.json() == {"status": "ok", "unavailable": {}}


def test_a_purchase_is_found_by_each_filter_and_its_label_is_kept(api: Api) -> None:
    customer, merchant = api.burst()
    last = f"{SOURCE}:{customer}-{BURST - 1}"
    verdict = eventually(
        lambda: isinstance(found := show_verdict.sync(last, client=api.client), Verdict) and found,
        within_seconds=60,
        what="the verdict",
    )
    assert isinstance(verdict, Verdict)
    assert verdict.outcome != "approve", "the burst is not suspicious: choose another rule"

    alerts = eventually(
        lambda: {one.transaction_id: one for one in api.alerts_at(merchant)},
        within_seconds=20,
        what="the alerts",
    )
    alert = alerts[last]
    body = AlertSearch(customer=Customer(source=SOURCE, customer_id=customer))
    pages = {
        "token": list_alerts.sync(client=api.client, customer_token=alert.customer_token),
        "identifier": search_alerts.sync(client=api.client, body=body),
        "rule": list_alerts.sync(client=api.client, rule=alert.reasons[0].rule),
        "risk": list_alerts.sync(client=api.client, risk=[alert.risk]),
        "time": list_alerts.sync(
            client=api.client, since_ms=alert.decided_at_ms, until_ms=alert.decided_at_ms + 1
        ),
    }
    for name, page in pages.items():
        assert isinstance(page, AlertPage), (name, page)
        assert last in {one.transaction_id for one in page.alerts}, name
        assert all(one.transaction_id.startswith(f"{SOURCE}:") for one in page.alerts), name

    known_at_ms = time.time_ns() // 1_000_000
    report = LabelReport(
        source=SOURCE,
        id=last.partition(":")[2],
        verdict=LabelReportVerdict.FRAUD,
        by="card-office",
        known_at_ms=known_at_ms,
    )
    results = [report_label.sync(client=api.client, body=report) for _ in range(2)]
    assert [one.accepted for one in results if isinstance(one, LabelResult)] == [1, 0]

    def labelled() -> AlertDetail | None:
        found = show_alert.sync(last, client=api.client, features=True)
        return found if isinstance(found, AlertDetail) and found.labels else None

    detail = eventually(labelled, within_seconds=30, what="the label")
    assert detail is not None
    assert [(one.known_at_ms, one.by) for one in detail.labels] == [(known_at_ms, "card-office")]
    assert detail.purchase is not None
    assert "sealed" not in detail.purchase.to_dict()
    assert detail.features is not None
    assert len(detail.features.additional_properties) > 50


def test_pages_of_one_list_each_alert_once(api: Api) -> None:
    _, merchant = api.burst()
    whole = eventually(
        lambda: (
            (found := [a.transaction_id for a in api.alerts_at(merchant)])
            and len(found) >= 3
            and found
        ),
        within_seconds=60,
        what="three alerts",
    )
    time.sleep(1)
    whole = [alert.transaction_id for alert in api.alerts_at(merchant)]
    listed: list[str] = []
    cursor: str | None = None
    while True:
        more = {"cursor": cursor} if cursor else {}
        page = list_alerts.sync(client=api.client, merchant_id=merchant, limit=2, **more)
        assert isinstance(page, AlertPage)
        listed += [alert.transaction_id for alert in page.alerts]
        if (cursor := page.next_cursor) is None:
            break
    assert listed == whole


def test_a_key_of_another_source_sees_nothing_of_it(api: Api) -> None:
    key = make_key(api.stack, "foreign", Scope.READ, sources=("elsewhere",))
    client = AuthenticatedClient(api.url, token=key, httpx_args={"trust_env": False})
    refused = show_verdict.sync(f"{SOURCE}:1", client=client)
    assert isinstance(refused, Problem)
    assert refused.status == 403
    page = list_alerts.sync(client=client, limit=200)
    assert isinstance(page, AlertPage)
    assert page.alerts == []


Event = tuple[str, str]


@contextmanager
def streaming(api: Api, last_id: str | None) -> Iterator[Callable[[], Event]]:
    """Open the stream; the function returns the next event's id and transaction, '' for a mark."""
    headers = {"Authorization": f"Bearer {api.key}"} | (
        {"Last-Event-ID": last_id} if last_id else {}
    )
    with (
        httpx.Client(timeout=60, trust_env=False) as client,
        client.stream("GET", f"{api.url}/v1/alerts/stream", headers=headers) as answer,
    ):
        assert answer.status_code == 200, answer.read()
        lines = answer.iter_lines()

        def following() -> Event:
            position = transaction = ""
            for line in lines:
                name, _, value = line.partition(": ")
                if name == "id":
                    position = value
                elif name == "data":
                    transaction = json.loads(value)["transaction_id"]
                elif not line:
                    return position, transaction
            raise EOFError

        yield following


def transactions(following: Callable[[], Event], wanted: set[str]) -> list[Event]:
    """Read events until all wanted alerts have come."""
    found: list[Event] = []
    while not wanted <= {transaction for _, transaction in found}:
        event = following()
        if event[1]:
            found.append(event)
    return found


def test_a_stream_resumes_after_a_reconnect_without_loss_and_in_order(api: Api) -> None:
    with streaming(api, None) as following:
        begin, _ = following()
        _, first = api.burst()
        alerts = eventually(
            lambda: (
                (found := {a.transaction_id for a in api.alerts_at(first)})
                and f"{SOURCE}:{first.replace('m-', 'c-')}-{BURST - 1}" in found
                and found
            ),
            within_seconds=60,
            what="the alerts of the first burst",
        )
        live = transactions(following, set(alerts))
    # While nobody listens, more alerts are decided.
    _, second = api.burst()
    missed = eventually(
        lambda: (
            (found := {a.transaction_id for a in api.alerts_at(second)})
            and f"{SOURCE}:{second.replace('m-', 'c-')}-{BURST - 1}" in found
            and found
        ),
        within_seconds=60,
        what="the alerts of the second burst",
    )
    everything = [name for _, name in live]
    for received in (0, 1, len(live) - 1, len(live)):
        last_id = begin if received == 0 else live[received - 1][0]
        with streaming(api, last_id) as following:
            wanted = set(everything[received:]) | set(missed)
            again = [name for _, name in transactions(following, wanted)]
        assert wanted <= set(again), received
        assert not set(everything[:received]) & set(again), received
        assert len(again) == len(set(again)), received
    # Of one customer they come in the order of their purchases; those of others may come between.
    numbers = [int(name.rpartition("-")[2]) for name in again if name in missed]
    assert numbers == sorted(numbers)


def test_no_identifier_of_a_customer_is_in_a_log(api: Api) -> None:
    customer = f"erika-{uuid.uuid4().hex}@example.org"
    body = AlertSearch(customer=Customer(source=SOURCE, customer_id=customer))
    assert isinstance(search_alerts.sync(client=api.client, body=body), AlertPage)
    httpx.get(
        f"{api.url}/v1/alerts",
        params={"customer_id": customer},
        headers={"Authorization": f"Bearer {api.key}"},
    )
    for log in (api.stack.folder / "log").iterdir():
        assert customer not in log.read_text(encoding="utf-8", errors="replace"), log.name
