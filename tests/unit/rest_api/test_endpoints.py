"""Endpoints of the REST API over memory twins: content, pages, refusals, engines that are away."""

from __future__ import annotations

import json
from typing import Any

import pytest

from fraudwatch.domain.messages.label import LABEL_SCHEMA, Label, LabelValue, Source
from fraudwatch.domain.messages.verdict import Reason, Risk
from fraudwatch.domain.time_units import DAY_MS
from fraudwatch.samples import NOON_MS, a_refund, a_token, a_transaction, a_verdict
from tests.unit.rest_api.conftest import NOW_MS, World

LABEL = {"source": "shop", "id": "1", "verdict": "fraud", "by": "bank", "known_at_ms": NOON_MS}


def ids(page: Any) -> list[str]:
    return [alert["transaction_id"] for alert in page["alerts"]]


def test_an_alert_has_verdict_purchase_features_labels_and_refunds(world: World) -> None:
    label = Label(
        schema=LABEL_SCHEMA,
        transaction_id="shop:1",
        verdict=LabelValue.FRAUD,
        source=Source.ANALYST,
        by="a.moreno",
        known_at_ms=NOON_MS,
    )
    refunds = [
        a_refund(refund_id=f"shop:{day}", refunded_at_ms=NOON_MS + day * DAY_MS) for day in (1, 2)
    ]
    world.store.write([], [], [label], [], refunds)
    detail = world.client().get("/v1/alerts/shop:1").json()
    assert detail["verdict"]["transaction_id"] == "shop:1"
    assert detail["purchase"]["card_last4"] == "1111"
    assert "sealed" not in detail["purchase"]
    assert [one["by"] for one in detail["labels"]] == ["a.moreno"]
    assert [one["refund_id"] for one in detail["refunds"]] == ["shop:2", "shop:1"]
    assert detail["features"] is None
    detail = world.client().get("/v1/alerts/shop:1", params={"features": "true"}).json()
    assert detail["features"] == {"amount_eur_cents": 120_000.0, "unknown": None}


def test_an_alert_whose_purchase_is_not_stored_yet_has_none(world: World) -> None:
    world.store.transactions.clear()
    assert world.client().get("/v1/alerts/shop:1").json()["purchase"] is None


def test_what_is_not_there_is_a_problem_that_quotes_nothing(world: World) -> None:
    for path in ("/v1/verdicts/shop:absent", "/v1/alerts/shop:absent"):
        answer = world.client().get(path)
        assert answer.status_code == 404
        assert answer.headers["content-type"] == "application/problem+json"
        assert answer.json()["instance"] == path


@pytest.mark.parametrize("kind", ["verdicts", "alerts"])
@pytest.mark.parametrize("sent", ["shop:ab/c+d==", "shop:ab%2Fc%2Bd%3D%3D"])
def test_an_id_of_base64_is_read_encoded_or_not(world: World, kind: str, sent: str) -> None:
    world.write(a_verdict(transaction_id="shop:ab/c+d=="))
    answer = world.client().get(f"/v1/{kind}/{sent}")
    assert answer.status_code == 200
    assert answer.json().get("verdict", answer.json())["transaction_id"] == "shop:ab/c+d=="
    # The part before the colon is the source, whatever the id has behind it.
    assert world.client("other").get(f"/v1/{kind}/{sent}").status_code == 403
    assert world.client("other").get(f"/v1/{kind}/shop:1/bank:2").status_code == 403


def test_the_longest_id_of_the_longest_source_is_read(world: World) -> None:
    longest = f"{'s' * 16}:{'9' * 64}"
    world.write(a_verdict(transaction_id=longest))
    assert world.client().get(f"/v1/verdicts/{longest}").json()["transaction_id"] == longest
    assert world.client().get(f"/v1/verdicts/{longest}9").status_code == 422


def test_pages_follow_one_another_by_cursor(world: World) -> None:
    rows = [a_verdict(transaction_id=f"shop:{n}", decided_at_ms=NOON_MS - n) for n in range(2, 9)]
    world.write(*rows)
    client, found, cursor = world.client(), [], None
    for _ in range(9):
        parameters = {"limit": 3} | ({"cursor": cursor} if cursor else {})
        page = client.get("/v1/alerts", params=parameters).json()
        found += ids(page)
        cursor = page["next_cursor"]
        if cursor is None:
            break
    assert found == ["shop:1", *(f"shop:{n}" for n in range(2, 9))]


def test_a_cursor_of_other_filters_is_refused(world: World) -> None:
    world.write(a_verdict(transaction_id="shop:2"))
    client = world.client()
    cursor = client.get("/v1/alerts", params={"limit": 1}).json()["next_cursor"]
    assert cursor is not None
    answer = client.get("/v1/alerts", params={"cursor": cursor, "rule": "velocity"})
    assert answer.status_code == 422
    assert "other filters" in answer.json()["problems"][0]["reason"]
    longer = client.get("/v1/alerts", params={"cursor": cursor, "limit": 200})
    assert longer.status_code == 200


@pytest.mark.parametrize("cursor", ["x", "e30", "eyJhdCI6LTEsImFmdGVyIjoiIiwib2YiOiIifQ"])
def test_a_text_that_is_no_cursor_is_refused(world: World, cursor: str) -> None:
    answer = world.client().get("/v1/alerts", params={"cursor": cursor})
    assert answer.status_code == 422
    assert answer.json()["problems"][0]["field"] == "cursor"


@pytest.mark.parametrize(
    ("filters", "expected"),
    [
        ({"customer_token": a_token("b")}, ["shop:2"]),
        ({"merchant_id": "merchant-3"}, ["shop:3"]),
        ({"rule": "velocity"}, ["shop:4"]),
        ({"risk": "CRITICAL"}, ["shop:5"]),
        ({"risk": ["CRITICAL", "MEDIUM"]}, ["shop:5", "shop:6"]),
        ({"since_ms": NOON_MS + 101}, ["shop:7"]),
        ({"until_ms": NOON_MS + 100}, ["shop:8"]),
        ({"rule": "velocity", "merchant_id": "merchant-3"}, []),
    ],
)
def test_each_filter_finds_its_alerts(
    world: World, filters: dict[str, Any], expected: list[str]
) -> None:
    world.write(
        a_verdict(transaction_id="shop:2", customer_token=a_token("b")),
        a_verdict(transaction_id="shop:3", merchant_id="merchant-3"),
        a_verdict(transaction_id="shop:4", reasons=(Reason("velocity", 9, "7; limit 6."),)),
        a_verdict(transaction_id="shop:5", risk=Risk.CRITICAL),
        a_verdict(transaction_id="shop:6", risk=Risk.MEDIUM),
        a_verdict(transaction_id="shop:7", decided_at_ms=NOON_MS + 200),
        a_verdict(transaction_id="shop:8", decided_at_ms=NOON_MS + 99),
    )
    assert ids(world.client().get("/v1/alerts", params=filters).json()) == expected
    body = filters | ({"risk": [filters["risk"]]} if filters.get("risk") == "CRITICAL" else {})
    assert ids(world.client().post("/v1/alert-search", json=body).json()) == expected


def test_alerts_older_than_the_store_keeps_are_not_looked_for(world: World) -> None:
    world.write(a_verdict(transaction_id="shop:2", decided_at_ms=NOW_MS - 91 * DAY_MS))
    page = world.client().get("/v1/alerts", params={"since_ms": NOW_MS - 400 * DAY_MS}).json()
    assert ids(page) == ["shop:1"]


def test_a_customers_own_identifier_is_tokenised(world: World) -> None:
    world.write(a_verdict(transaction_id="shop:2", customer_token=a_token("b")))
    search = {"customer": {"source": "shop", "customer_id": "customer-1"}, "limit": 1}
    first = world.client().post("/v1/alert-search", json=search)
    assert ids(first.json()) == ["shop:1"]
    assert "customer-1" not in first.text
    next_page = world.client().post(
        "/v1/alert-search", json=search | {"cursor": first.json()["next_cursor"]}
    )
    assert next_page.json() == {"alerts": [], "next_cursor": None}


def test_an_identifier_belongs_into_no_url(world: World) -> None:
    answer = world.client().get("/v1/alerts", params={"customer": "erika@example.org"})
    assert answer.status_code == 422
    assert "erika" not in answer.text


def test_identifier_and_token_exclude_each_other(world: World) -> None:
    customer = {"source": "shop", "customer_id": "customer-1"}
    both = {"customer": customer, "customer_token": a_token("a")}
    answer = world.client().post("/v1/alert-search", json=both)
    assert answer.status_code == 422
    assert "customer-1" not in answer.text


@pytest.mark.parametrize(
    "body",
    [
        LABEL | {"verdict": "unsure"},
        LABEL | {"by": "card office"},
        LABEL | {"known_at_ms": None},
        LABEL | {"known_at_ms": NOW_MS + 3_600_000},
        {name: value for name, value in LABEL.items() if name != "known_at_ms"},
        LABEL | {"note": "Erika called"},
        LABEL | {"kind": "analyst"},
        LABEL | {"kind": "won_dispute"},
        LABEL | {"reason_code": "13.1"},
        [LABEL],
    ],
)
def test_an_invalid_label_is_refused_without_quoting_it(world: World, body: Any) -> None:
    answer = world.client("labeller").post("/v1/labels", json=body)
    assert answer.status_code == 422
    assert answer.json()["problems"]
    assert "Erika" not in answer.text
    assert world.labels.messages == []


def test_how_a_dispute_ended_is_a_label_of_its_own(world: World) -> None:
    body = LABEL | {"verdict": "genuine", "kind": "won_dispute", "reason_code": "10.4"}
    assert world.client("labeller").post("/v1/labels", json=body).status_code == 202
    ((_, value, _),) = world.labels.messages
    label = json.loads(value)
    assert (label["source"], label["reason_code"]) == ("won_dispute", "10.4")


def test_a_label_sent_again_changes_nothing(world: World) -> None:
    client = world.client("labeller")
    answers = [client.post("/v1/labels", json=LABEL).json() for _ in range(2)]
    assert answers == [{"accepted": 1, "repeated": 0}, {"accepted": 0, "repeated": 1}]
    ((name, value, _),) = world.labels.messages
    assert name == "shop:1"
    assert json.loads(value)["source"] == "chargeback"


@pytest.mark.parametrize(
    ("method", "path", "engine"),
    [
        ("GET", "/v1/verdicts/shop:1", "store"),
        ("GET", "/v1/alerts", "store"),
        ("GET", "/v1/alerts/shop:1", "store"),
        ("POST", "/v1/labels", "broker"),
        ("POST", "/v1/alert-search", "tokens"),
    ],
)
def test_an_engine_that_is_away_is_503_with_a_time(
    world: World, method: str, path: str, engine: str
) -> None:
    world.store.is_reachable = world.labels.is_reachable = world.tokens.is_reachable = False
    body = LABEL if path == "/v1/labels" else {"customer": {"source": "shop", "customer_id": "c"}}
    key_id = "labeller" if path == "/v1/labels" else "reader"
    answer = world.client(key_id).request(method, path, json=body)
    assert answer.status_code == 503
    assert answer.json()["type"].endswith(f"{engine}-unavailable")
    assert int(answer.headers["Retry-After"]) > 0


def test_readiness_names_what_does_not_answer(world: World) -> None:
    assert world.client(None).get("/readyz").json() == {"status": "ok", "unavailable": {}}
    world.unavailable["store"] = "Cassandra does not answer"
    answer = world.client(None).get("/readyz")
    assert answer.status_code == 503
    assert answer.json()["unavailable"] == {"store": "Cassandra does not answer"}
    assert world.client(None).get("/healthz").status_code == 200


def test_an_answer_is_stored_nowhere_on_its_way(world: World) -> None:
    assert world.client().get("/v1/verdicts/shop:1").headers["cache-control"] == "no-store"


def test_a_purchase_stored_is_that_of_the_verdict(world: World) -> None:
    world.store.write([], [a_transaction(transaction_id="shop:2", item_count=9)])
    assert world.client().get("/v1/alerts/shop:1").json()["purchase"]["item_count"] == 3


def test_requests_are_timed_by_endpoint_and_answer(world: World) -> None:
    world.client().get("/v1/verdicts/shop:1")
    page = world.client(None).get("/metrics").text
    name = 'fraudwatch_rest_api_request_seconds_count{answer="2xx",endpoint="show_verdict"}'
    (line,) = [line for line in page.splitlines() if line.startswith(name)]
    assert float(line.split()[-1]) >= 1
