"""Build the examples of the OpenAPI document from example messages."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any, Final

from fraudwatch.adapters.codecs.json_codec import encode
from fraudwatch.application.console.alerts import alert_of
from fraudwatch.domain.messages.explanation import Contribution
from fraudwatch.domain.messages.label import LABEL_SCHEMA, Label, LabelValue, Source
from fraudwatch.samples import NOON_MS, a_refund, a_token, a_transaction, a_verdict


def _json(message: Any) -> Any:
    return json.loads(encode(message))


_PURCHASE = a_transaction(amount_minor=120_000, amount_eur_cents=120_000, category="electronics")
_VERDICT = replace(
    a_verdict(),
    explanation=(Contribution("amount_eur_cents", 120_000.0, 4_200.0, 1.7),),
)
_LABEL = Label(
    schema=LABEL_SCHEMA,
    transaction_id="shop:1",
    verdict=LabelValue.FRAUD,
    source=Source.CHARGEBACK,
    by="card-office",
    known_at_ms=NOON_MS + 60_000,
)
VERDICT: Final = _json(_VERDICT)
ALERT: Final = _json(alert_of(_VERDICT))
ALERT_PAGE: Final = {"alerts": [ALERT], "next_cursor": None}
ALERT_DETAIL: Final = {
    "verdict": VERDICT,
    "purchase": {name: value for name, value in _json(_PURCHASE).items() if name != "sealed"},
    "features": None,
    "labels": [_json(_LABEL)],
    "refunds": [_json(a_refund())],
}
STREAM: Final = f"event: alert\nid: 0:4711,1:4690\ndata: {encode(ALERT).decode()}\n\n"
SEARCH: Final = {"customer": {"source": "shop", "customer_id": "customer-1"}, "risk": ["CRITICAL"]}
LABEL: Final = {
    "source": "shop",
    "id": "1",
    "verdict": "fraud",
    "by": "card-office",
    "known_at_ms": NOON_MS + 60_000,
}
CUSTOMER_TOKEN: Final = a_token("a")
LABEL_RESULT: Final = {"accepted": 1, "repeated": 0}


def example_of(content: Any) -> dict[int | str, dict[str, Any]]:
    """Return the ``responses`` of an endpoint whose 200 has this example."""
    return {200: {"content": {"application/json": {"example": content}}}}
