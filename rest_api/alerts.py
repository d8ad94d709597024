"""Serve alerts: lists by filter and page, and one alert with everything that is stored about it."""

from __future__ import annotations

from typing import Annotated, Any, Final

from fastapi import APIRouter, Body, HTTPException, Query, Response

from fraudwatch.adapters.codecs.json_codec import encode
from fraudwatch.application.alert_search import AlertQuery, search
from fraudwatch.domain.api_keys import ApiKey
from fraudwatch.domain.messages.dead_letter import Code, Refused
from fraudwatch.domain.messages.fields import Problem
from fraudwatch.domain.messages.transaction import Transaction
from fraudwatch.domain.messages.verdict import Outcome
from fraudwatch.domain.time_units import DAY_MS, MINUTE_MS
from rest_api.access import TransactionId, require_source_of
from rest_api.cursor import cursor_of, position_of
from rest_api.examples import ALERT_DETAIL, ALERT_PAGE, SEARCH, example_of
from rest_api.schemas import (
    PURCHASE_FIELDS,
    AlertDetailBody,
    AlertFilters,
    AlertPageBody,
    AlertSearch,
)
from rest_api.services import Reader, RestApiServices, Services

# As long as the tables keep alerts.
STORED_DAYS: Final = 90
# The detector's clock may be ahead of ours.
_AHEAD_MS: Final = 5 * MINUTE_MS

routes = APIRouter(prefix="/v1", tags=["alerts"])


@routes.get("/alerts", response_model=AlertPageBody, responses=example_of(ALERT_PAGE))
def list_alerts(
    services: Services, key: Reader, filters: Annotated[AlertFilters, Query()]
) -> Response:
    """List alerts, latest first.

    A page may be shorter than `limit`, even empty, while `next_cursor` is given: continue with it.
    A key that is limited to sources sees the alerts of these. A transaction that was scored twice
    is listed once a verdict. To search by a customer's identifier, which does not belong in a URL,
    use `POST /v1/alert-search`.
    """
    return _page(services, key, filters)


@routes.post("/alert-search", response_model=AlertPageBody, responses=example_of(ALERT_PAGE))
def search_alerts(
    services: Services, key: Reader, search: Annotated[AlertSearch, Body(examples=[SEARCH])]
) -> Response:
    """List alerts as `GET /v1/alerts` does, by a customer's own identifier as well.

    The identifier is tokenised at once by ingest, which alone has the keys, and is neither stored
    nor logged. 503 with the type `…:tokens-unavailable`: ingest does not answer.
    """
    if search.customer is None:
        return _page(services, key, search)
    if search.customer_token is not None:
        both = Problem("customer_token", "excludes customer")
        raise Refused(Code.OUT_OF_BOUNDS, [both])
    key.require_sources([search.customer.source])
    token = services.tokens.customer_token(search.customer.source, search.customer.customer_id)
    return _page(services, key, search.model_copy(update={"customer_token": token}))


@routes.get(
    "/alerts/{transaction_id:path}",
    response_model=AlertDetailBody,
    responses=example_of(ALERT_DETAIL),
)
def show_alert(
    services: Services,
    key: Reader,
    transaction_id: TransactionId,
    *,
    features: Annotated[
        bool, Query(description="Add the feature vector, read from the log: slower")
    ] = False,
) -> Response:
    """Return one alert: its current verdict and explanation, purchase, features, labels, refunds.

    Sealed fields are left out. Features are on the log for seven days. 404: the transaction has no
    verdict, or its current one approved it (see `GET /v1/verdicts/{transaction_id}`).
    """
    require_source_of(key, transaction_id)
    verdict = services.verdicts.verdict_of(transaction_id)
    if verdict is None or verdict.outcome is Outcome.APPROVE:
        raise HTTPException(404, "there is no alert of this transaction")
    purchase = services.purchases.purchase_of(verdict)
    detail = {
        "verdict": verdict,
        "purchase": None if purchase is None else _unsealed(purchase),
        "features": services.features.features_of(verdict) if features else None,
        "labels": services.verdicts.labels_of(transaction_id),
        "refunds": services.purchases.refunds_of(transaction_id),
    }
    return json_response(detail)


def json_response(content: Any) -> Response:
    """Respond with messages as they are on the wire; nothing on the way may store them."""
    return Response(
        encode(content), media_type="application/json", headers={"Cache-Control": "no-store"}
    )


def _page(services: RestApiServices, key: ApiKey, filters: AlertFilters) -> Response:
    now_ms = services.now_ms()
    oldest_ms = now_ms - STORED_DAYS * DAY_MS
    query = AlertQuery(
        since_ms=max(filters.since_ms or 0, oldest_ms),
        until_ms=min(filters.until_ms or now_ms + _AHEAD_MS, now_ms + _AHEAD_MS),
        customer_token=filters.customer_token,
        merchant_id=filters.merchant_id,
        rule=filters.rule,
        risks=tuple(dict.fromkeys(filters.risk)),
        sources=key.sources,
    )
    page = search(services.scanner, query, position_of(filters), limit=filters.limit)
    cursor = None if page.resume is None else cursor_of(page.resume, filters)
    return json_response({"alerts": page.alerts, "next_cursor": cursor})


def _unsealed(purchase: Transaction) -> dict[str, Any]:
    return {name: getattr(purchase, name) for name in PURCHASE_FIELDS}
