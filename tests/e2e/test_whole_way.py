"""One purchase through every part that serves it: API key, webhook, mail, case, label, answer."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import threading
import time
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import httpx
import pytest

from fraudwatch.adapters.codecs.json_codec import encode
from fraudwatch.domain.api_keys import Scope
from fraudwatch.domain.messages.purchase import Purchase
from fraudwatch.stack.private_stack import PrivateStack
from tests.e2e.console_browser import WIDE, Visitor, chromium
from tests.e2e.rest_api_keys import make_key
from tests.e2e.test_notifications import SOURCE, card_testing, mails
from tests.waiting import eventually

pytestmark = [pytest.mark.engines, pytest.mark.timeout(900)]
PATIENCE_SECONDS = 240


class Client:
    """The program of a shop: it receives webhooks and checks who signed them."""

    def __init__(self) -> None:
        self.received: list[tuple[dict[str, str], bytes]] = []
        self.secret = ""

    def events(self, transaction_id: str) -> list[dict[str, Any]]:
        """Return the data of the verified events about a transaction, in order of arrival."""
        bodies = [json.loads(self.verified(*one)) for one in list(self.received)]
        return [one for one in bodies if one["data"]["transaction_id"] == transaction_id]

    def verified(self, headers: dict[str, str], body: bytes) -> bytes:
        # As on standardwebhooks.com, without our own code.
        signed = f"{headers['webhook-id']}.{headers['webhook-timestamp']}.".encode() + body
        key = base64.b64decode(self.secret.removeprefix("whsec_"))
        expected = base64.b64encode(hmac.new(key, signed, hashlib.sha256).digest()).decode()
        assert f"v1,{expected}" in headers["webhook-signature"].split()
        assert abs(time.time() - int(headers["webhook-timestamp"])) < 300
        return body

    @contextmanager
    def listening(self) -> Iterator[str]:
        """Serve the address that is given to ``webhooks add``."""
        received = self.received

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["content-length"]))
                received.append(({k.lower(): v for k, v in self.headers.items()}, body))
                self.send_response(204)
                self.end_headers()

            def log_message(self, *_: object) -> None:
                """Write nothing to the test's output."""

        server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_port}/hooks"
        finally:
            server.shutdown()
            thread.join()
            server.server_close()


def posted(stack: PrivateStack, key: str, purchases: list[Purchase]) -> httpx.Response:
    return httpx.post(
        f"http://127.0.0.1:{stack.port('ingest', 'http')}/v1/transactions",
        params={"wait_seconds": 5},
        content=encode(purchases),
        headers={"Authorization": f"Bearer {key}"},
        timeout=60,
    )


def test_a_purchase_is_posted_declined_announced_decided_and_looked_up(
    stack: PrivateStack,
) -> None:
    name, client = uuid.uuid4().hex[:12], Client()
    transaction_id = f"{SOURCE}:{name}"
    key = make_key(stack, "wholeway", Scope.INGEST, Scope.READ, sources=(SOURCE,))
    with client.listening() as url:
        added = stack.command(
            "webhooks", "add", url, "--client", "wholeway", "--event", "verdict",
            "--event", "decision", "--source", SOURCE, "--json",
        )  # fmt: skip
        subscription = json.loads(added.stdout)
        client.secret = subscription["secret"]
        try:
            declined(stack, key, name)
            reaches_its_program(client, transaction_id)
            is_mailed_to_staff(stack, name)
            is_decided(stack, transaction_id)
            has_a_label(stack, key, transaction_id)
            its_program_learns_the_decision(client, transaction_id)
        finally:
            stack.command("webhooks", "remove", subscription["subscription_id"])


def declined(stack: PrivateStack, key: str, name: str) -> None:
    """Post a card's test and what it was for; asked again, the answer is the same verdict."""
    purchases = card_testing(name)

    def answers(sent: list[Purchase]) -> list[dict[str, Any]]:
        """Return the response as soon as it has all verdicts, in a list."""
        response = posted(stack, key, sent)
        return [response.json()] if response.status_code == HTTPStatus.OK else []

    [answer] = eventually(
        lambda: answers(purchases), within_seconds=PATIENCE_SECONDS, what="the verdicts"
    )
    outcomes = {one["transaction_id"]: one["outcome"] for one in answer["verdicts"]}
    assert outcomes[f"{SOURCE}:{name}"] == "decline"
    [again] = eventually(
        lambda: answers(purchases[-1:]), within_seconds=60, what="the verdict of a repeat"
    )
    assert again["repeated"] == 1
    assert [one["outcome"] for one in again["verdicts"]] == ["decline"]


def reaches_its_program(client: Client, transaction_id: str) -> None:
    events = eventually(
        lambda: client.events(transaction_id),
        within_seconds=PATIENCE_SECONDS,
        what="the webhook of the verdict",
    )
    assert {(one["type"], one["data"]["outcome"]) for one in events} == {("verdict", "decline")}


def its_program_learns_the_decision(client: Client, transaction_id: str) -> None:
    def decisions() -> list[dict[str, Any]]:
        return [one for one in client.events(transaction_id) if one["type"] == "decision"]

    [decision, *_] = eventually(
        decisions, within_seconds=PATIENCE_SECONDS, what="the webhook of the decision"
    )
    assert decision["data"]["decision"] == "fraud"


def is_mailed_to_staff(stack: PrivateStack, name: str) -> None:
    case = f"/case?transaction={SOURCE}%3A{name}"
    eventually(
        lambda: any(case in mail for mail in mails(stack, "CRITICAL")),
        within_seconds=PATIENCE_SECONDS,
        what="the mail to staff",
    )


def is_decided(stack: PrivateStack, transaction_id: str) -> None:
    with chromium() as browser:
        anna = Visitor(browser.new_page(viewport=WIDE), stack)  # type: ignore[arg-type]
        anna.log_in("analyst", f"/case?transaction={transaction_id}")
        anna.press("Claim")
        anna.shows("You have claimed this case")
        anna.page.get_by_role("radiogroup", name="What was this").get_by_text("Fraud").click()
        anna.press("Save decision")
        anna.shows("Saved: fraud, by you.")


def has_a_label(stack: PrivateStack, key: str, transaction_id: str) -> None:
    url = f"http://127.0.0.1:{stack.port('rest_api', 'http')}/v1/alerts/{transaction_id}"
    headers = {"Authorization": f"Bearer {key}"}

    def labels() -> list[Any]:
        found: list[Any] = httpx.get(url, headers=headers, timeout=30).json()["labels"]
        return found

    [label] = eventually(labels, within_seconds=60, what="the label by the API")
    assert (label["verdict"], label["source"]) == ("fraud", "analyst")
