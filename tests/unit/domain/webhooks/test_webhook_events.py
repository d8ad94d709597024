"""Events, ids, signatures and retries of webhooks."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
from dataclasses import replace

import pytest

from fraudwatch.adapters.codecs.json_codec import encode
from fraudwatch.domain.messages.label import LABEL_SCHEMA, Label, LabelValue, Source
from fraudwatch.domain.messages.verdict import Outcome
from fraudwatch.domain.webhooks.events import decision_event, verdict_event
from fraudwatch.domain.webhooks.retry_policy import RetryPolicy
from fraudwatch.domain.webhooks.signature import InvalidSecret, secret_text, signature_headers
from fraudwatch.domain.webhooks.subscription import (
    EventKind,
    SigningSecret,
    Subscription,
    UrlRefused,
    check_url,
)
from fraudwatch.samples import NOON_MS, a_token, a_verdict

SECRET = secret_text(bytes(range(32)))
LABEL = Label(
    schema=LABEL_SCHEMA,
    transaction_id="shop:1",
    verdict=LabelValue.FRAUD,
    source=Source.ANALYST,
    by="lina",
    known_at_ms=NOON_MS,
    note="the holder called",
)


def a_subscription(**changes: object) -> Subscription:
    usual = Subscription(
        subscription_id="5f0c9a1e",
        client="shop",
        url="https://shop.example/hooks",
        events=tuple(EventKind),
        sources=(),
        secrets=(SigningSecret(SECRET),),
        created_at_ms=NOON_MS,
    )
    return replace(usual, **changes)  # type: ignore[arg-type]


def test_an_approval_and_an_unsure_label_are_no_events() -> None:
    assert verdict_event(a_verdict(outcome=Outcome.APPROVE), NOON_MS) is None
    assert decision_event(replace(LABEL, verdict=LabelValue.UNSURE), NOON_MS) is None


@pytest.mark.parametrize("outcome", [Outcome.REVIEW, Outcome.CHALLENGE, Outcome.DECLINE])
def test_an_event_names_the_purchase_as_its_source_does(outcome: Outcome) -> None:
    event = verdict_event(a_verdict(transaction_id="shop:a:7", outcome=outcome), NOON_MS)
    assert event is not None
    body = json.loads(encode(event.body))
    assert (body["type"], body["timestamp"]) == ("verdict", "2026-01-15T12:00:00.100Z")
    data = body["data"]
    assert (data["source"], data["id"]) == ("shop", "a:7")
    assert (data["outcome"], data["risk"], data["score"]) == (outcome, "HIGH", 0.5)
    assert data["reasons"][0]["rule"] == "high_amount"
    assert event.source == "shop"


def test_no_event_has_a_customer_a_card_or_a_member_of_staff() -> None:
    verdict, decision = verdict_event(a_verdict(), NOON_MS), decision_event(LABEL, NOON_MS)
    assert verdict is not None
    assert decision is not None
    text = (encode(verdict.body) + encode(decision.body)).decode()
    for secret in (a_token("a"), "1111", "lina", "the holder called"):
        assert secret not in text
    assert json.loads(encode(decision.body))["data"] == {
        "transaction_id": "shop:1",
        "source": "shop",
        "id": "1",
        "decision": "fraud",
        "decided_by": "analyst",
    }


def test_an_id_is_the_same_for_the_same_event_and_subscription_alone() -> None:
    first, again = verdict_event(a_verdict(), NOON_MS), verdict_event(a_verdict(), NOON_MS + 5)
    other = verdict_event(a_verdict(transaction_id="shop:2"), NOON_MS)
    assert first is not None
    assert again is not None
    assert other is not None
    assert first.webhook_id("a") == again.webhook_id("a")
    assert len({first.webhook_id("a"), first.webhook_id("b"), other.webhook_id("a")}) == 3
    changed = decision_event(replace(LABEL, known_at_ms=NOON_MS + 1), NOON_MS)
    decided = decision_event(LABEL, NOON_MS)
    assert decided is not None
    assert changed is not None
    assert decided.webhook_id("a") != changed.webhook_id("a")


def test_a_signature_is_that_of_standard_webhooks() -> None:
    # The example of the specification's reference libraries.
    secret = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
    headers = signature_headers(
        [secret], "msg_p5jXN8AQM9LWM0D4loKWxJek", 1_614_265_330, b'{"test": 2432232314}'
    )
    assert headers["webhook-signature"] == "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="


def test_two_secrets_sign_during_a_rotation() -> None:
    other = secret_text(b"b" * 32)
    headers = signature_headers([SECRET, other], "id", 7, b"{}")
    first, second = headers["webhook-signature"].split(" ")
    expected = hmac.new(b"b" * 32, b"id.7.{}", hashlib.sha256).digest()
    assert second == f"v1,{base64.b64encode(expected).decode()}"
    assert first != second


@pytest.mark.parametrize("secret", ["", "abc", "whsec_", "whsec_c2hvcnQ=", "whsec_ä", "MfKQ9r8G"])
def test_an_invalid_secret_is_refused_and_not_quoted(secret: str) -> None:
    with pytest.raises(InvalidSecret) as found:
        signature_headers([secret], "id", 7, b"{}")
    assert not secret or secret == "whsec_" or secret not in str(found.value)


def test_nothing_is_sent_unsigned() -> None:
    with pytest.raises(InvalidSecret):
        signature_headers([], "id", 7, b"{}")


def test_a_rotated_secret_signs_until_the_overlap_ends() -> None:
    rotated = a_subscription().with_new_secret("whsec_new", NOON_MS, 1_000)
    assert rotated.secrets_at(NOON_MS) == ["whsec_new", SECRET]
    assert rotated.secrets_at(NOON_MS + 1_000) == ["whsec_new"]
    again = rotated.with_new_secret("whsec_newer", NOON_MS + 500, 60_000)
    # A second rotation does not prolong the first secret.
    assert again.secrets_at(NOON_MS + 999) == ["whsec_newer", "whsec_new", SECRET]
    assert again.secrets_at(NOON_MS + 1_000) == ["whsec_newer", "whsec_new"]


def test_sources_and_kinds_limit_a_subscription() -> None:
    narrow = a_subscription(events=(EventKind.VERDICT,), sources=("shop",))
    assert narrow.wants(EventKind.VERDICT, "shop")
    assert not narrow.wants(EventKind.VERDICT, "shop2")
    assert not narrow.wants(EventKind.DECISION, "shop")
    assert a_subscription().wants(EventKind.DECISION, "anything")


@pytest.mark.parametrize(
    "url",
    [
        "http://shop.example/hooks",
        "http://127.0.0.1/hooks",
        "https://127.0.0.1/hooks",
        "https://[::1]/",
        "https://[::ffff:10.0.0.1]/",
        "https://169.254.169.254/latest",
        "https://10.0.0.7/",
        "https://user:password@shop.example/",
        "https://shop.example/#part",
        "https:///path",
        "https://shop.example:99999/",
        "https://shop.exämple/",
        "https://shop.example/a b",
        "ftp://shop.example/",
        "shop.example",
        "https://[::1",
    ],
)
def test_a_url_that_is_not_https_to_a_public_host_is_refused(url: str) -> None:
    with pytest.raises(UrlRefused):
        check_url(url, allow_loopback=False)


def test_loopback_is_accepted_only_where_it_is_allowed() -> None:
    check_url("https://shop.example:8443/hooks?a=b", allow_loopback=False)
    check_url("https://8.8.8.8/", allow_loopback=False)
    for url in ("http://127.0.0.1:8080/hook", "http://localhost/", "http://[::1]:9/"):
        check_url(url, allow_loopback=True)
        with pytest.raises(UrlRefused):
            check_url(url, allow_loopback=False)
    for url in ("http://shop.example/", "http://10.0.0.1/", "https://10.0.0.1/"):
        with pytest.raises(UrlRefused):
            check_url(url, allow_loopback=True)


def test_pauses_double_up_to_their_limit_and_vary() -> None:
    policy = RetryPolicy()
    longest = [policy.event_pause_seconds(n, lambda: 1.0) for n in (1, 2, 3, 11, 500)]
    assert longest == [5, 10, 20, 3_600, 3_600]
    assert policy.event_pause_seconds(2, lambda: 0.0) == 5
    assert policy.subscription_pause_seconds(1, lambda: 1.0) == 1
    assert policy.subscription_pause_seconds(100, lambda: 1.0) == 300


def test_an_event_is_given_up_after_attempts_or_time() -> None:
    policy = RetryPolicy(max_attempts=3, give_up_seconds=60)
    assert not policy.is_given_up(2, NOON_MS, NOON_MS + 59_999)
    assert policy.is_given_up(3, NOON_MS, NOON_MS)
    assert policy.is_given_up(1, NOON_MS, NOON_MS + 60_000)
