"""The sentences of the catalogue of views in plain Python, one purchase at a time, and worlds."""

from __future__ import annotations

import random
import statistics
from collections import defaultdict
from collections.abc import Iterable, Mapping
from typing import NamedTuple

from fraudwatch.domain.evaluation.labelled_alerts import current_labels
from fraudwatch.domain.messages.label import LABEL_SCHEMA, Label, LabelValue, Source
from fraudwatch.domain.time_units import DAY_MS
from fraudwatch.domain.views.catalogue import SMOOTHING_PURCHASES, WINDOW_MS

LABEL_DELAY_MS = 3 * DAY_MS
EDGES = (0, 1, LABEL_DELAY_MS, WINDOW_MS, WINDOW_MS + LABEL_DELAY_MS, 50 * DAY_MS)
KNOWN_AGES_MS = (-DAY_MS, -1, 0, 1, DAY_MS, 5 * DAY_MS, 20 * DAY_MS)

Columns = dict[tuple[str, str], dict[str, float]]


class Bought(NamedTuple):
    """A purchase in the lake."""

    transaction_id: str
    event_at_ms: int
    customer_token: str = "c"
    payment_status: str = "approved"
    merchant_id: str = "m"
    device_token: str | None = None
    ip_network_token: str | None = None
    amount_eur_cents: int = 1_000


class OracleLabel(NamedTuple):
    """A label in the lake."""

    transaction_id: str
    verdict: str
    known_at_ms: int
    source: str = "chargeback"
    by: str = "bank"


def oracle(purchases: Iterable[Bought], labels: Iterable[OracleLabel], until_ms: int) -> Columns:
    """Compute the view of this hour by its definitions."""
    past = [one for one in purchases if one.event_at_ms < until_ms]
    recent = [one for one in past if until_ms - one.event_at_ms <= WINDOW_MS]
    columns: Columns = defaultdict(dict)
    for one in past:
        of_customer = columns["customer_token", one.customer_token]
        first_ms = of_customer.get("customer_first_seen_ms", one.event_at_ms)
        of_customer["customer_first_seen_ms"] = min(first_ms, one.event_at_ms)
    for entity in ("device_token", "ip_network_token"):
        for token in {getattr(one, entity) for one in recent} - {None}:
            customers = {o.customer_token for o in recent if getattr(o, entity) == token}
            name = f"{entity.removesuffix('_token')}_customers_30d"
            columns[entity, token][name] = len(customers)
    reach = [one for one in past if until_ms - one.event_at_ms <= WINDOW_MS + LABEL_DELAY_MS]
    sold = _sold(reach, past, labels_as_of(labels, until_ms), until_ms)
    for merchant in {one.merchant_id for one in reach}:
        here = [one for one in recent if one.merchant_id == merchant]
        columns["merchant_id", merchant] = {
            **sold.get(merchant, dict.fromkeys(_COUNTS, 0)),
            "merchant_purchases_30d": sum(one.payment_status == "approved" for one in here),
            "merchant_customers_30d": len({one.customer_token for one in here}),
        }
    return columns


_COUNTS = {f"merchant_plain_frauds_{days}d": days * DAY_MS for days in (7, 14, 28)}


def _sold(
    reach: list[Bought], past: list[Bought], labels: Mapping[str, LabelValue], until_ms: int
) -> dict[str, dict[str, float]]:
    """Compute the label columns of each merchant with a purchase that is old enough."""
    end_ms = until_ms - LABEL_DELAY_MS
    known = [o for o in reach if o.payment_status == "approved" and o.event_at_ms < end_ms]
    frauds = {o for o in known if labels.get(o.transaction_id) is LabelValue.FRAUD}
    plain = {one for one in frauds if is_plain(one, past)}
    usual = len(frauds) / max(1, len(known))
    sold = {}
    for merchant in {one.merchant_id for one in known}:
        here = [one for one in known if one.merchant_id == merchant]
        bad = sum(one in frauds for one in here)
        ratio = (bad + SMOOTHING_PURCHASES * usual) / (len(here) + SMOOTHING_PURCHASES)
        plain_at = [one.event_at_ms for one in here if one in plain]
        sold[merchant] = {
            "merchant_fraud_ratio_30d": ratio,
            **{name: sum(at >= end_ms - ms for at in plain_at) for name, ms in _COUNTS.items()},
            **_run(plain_at, [one.event_at_ms for one in here if one not in frauds]),
        }
    return sold


def _run(plain_at: list[int], genuine_at: list[int]) -> dict[str, float]:
    run = [at for at in plain_at if at > max(genuine_at, default=0)]
    instants = {
        "merchant_plain_fraud_ms": max(plain_at, default=None),
        "merchant_genuine_ms": max(genuine_at, default=None),
        "merchant_fraud_run_ms": min(run, default=None),
    }
    return {name: at for name, at in instants.items() if at is not None}


def is_plain(fraud: Bought, past: Iterable[Bought]) -> bool:
    before = [
        one.amount_eur_cents
        for one in past
        if one.customer_token == fraud.customer_token
        and one.payment_status == "approved"
        and 0 < fraud.event_at_ms - one.event_at_ms <= WINDOW_MS
    ]
    return not before or fraud.amount_eur_cents <= 2 * statistics.median(before)


def labels_as_of(labels: Iterable[OracleLabel], until_ms: int) -> Mapping[str, LabelValue]:
    """Return the labels in effect by then."""
    return current_labels(
        Label(
            schema=LABEL_SCHEMA,
            transaction_id=one.transaction_id,
            verdict=LabelValue(one.verdict),
            source=Source(one.source),
            by=one.by,
            known_at_ms=one.known_at_ms,
        )
        for one in labels
        if one.known_at_ms < until_ms
    )


def a_world(seed: int, until_ms: int) -> tuple[list[Bought], list[OracleLabel]]:
    """Make many purchases around every edge of a window, and labels that coincide and tie."""
    chance = random.Random(seed)

    def age_ms() -> int:
        if chance.random() < 0.5:
            return chance.choice(EDGES) + chance.randint(-1, 1)
        return chance.randint(-DAY_MS, 45 * DAY_MS)

    purchases = [
        Bought(
            transaction_id=f"s:{n}",
            event_at_ms=until_ms - age_ms(),
            customer_token=f"c{chance.randint(0, 30)}",
            payment_status=chance.choice(["approved", "approved", "declined", "failed"]),
            merchant_id=f"m{int(chance.paretovariate(1)) % 9}",
            device_token=chance.choice([None, "d1", "d2", "d3"]),
            ip_network_token=chance.choice([None, "n1", "n2"]),
            amount_eur_cents=chance.choice([100, 200, 201, 300, 400, 401]),
        )
        for n in range(300)
    ]
    labels = [
        OracleLabel(
            transaction_id=f"s:{chance.randint(0, 120)}",
            verdict=str(chance.choice([*LabelValue, LabelValue.FRAUD])),
            known_at_ms=until_ms - chance.choice(KNOWN_AGES_MS),
            source=str(chance.choice(list(Source))),
        )
        for _ in range(400)
    ]
    return purchases, labels
