"""The default policy on a busy sale: a demonstration must not be full of false positives."""

from __future__ import annotations

from functools import cache
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
import pytest

from benchmarks.shop_log import message_of, unkeyed_edge
from fraudwatch.adapters.artefacts.policy_file import load_policy
from fraudwatch.adapters.codecs.log_fold import fold_messages, full_vector
from fraudwatch.application.scoring.assess import assess
from fraudwatch.application.scoring.outcomes import APPROVE, DECLINE
from fraudwatch.domain.features.state import CustomerState
from fraudwatch.domain.rules.rule import HIT
from fraudwatch.domain.views.published import NO_VIEWS
from fraudwatch.stack.home import ROOT
from shop.plan import Plan
from shop.world import World

Bools = npt.NDArray[np.bool_]

# As in the demonstration but smaller: seven purchases a day for each customer, then a sale with
# twelve times as many purchases.
PLAN = Plan(
    seed=7,
    customers=300,
    history_days=3,
    history_purchases=6_300,
    live_purchases_per_second=0.3,
    chargeback_delay_days=3.0,
    live_from_minute=29_400_720,
)
LIVE_MINUTES = 6 * 60


class Alerts(NamedTuple):
    """Alerts and rule hits for the purchases of the sale."""

    is_fraud: Bools
    is_alert: Bools
    is_declined: Bools
    hits: dict[str, Bools]

    def hit_share_of_genuine(self, rule: str) -> float:
        return float(self.hits[rule][~self.is_fraud].mean())


@cache
def alerts_of_the_sale() -> Alerts:
    world = World(PLAN)
    edge = unkeyed_edge()
    messages, times_ms, fraud = list[bytes](), list[int](), list[bool]()
    for minute in range(PLAN.epoch_minute, PLAN.live_from_minute + LIVE_MINUTES):
        moments = world.moments_of_minute(minute)
        for facts, (at_ms, is_fraud) in zip(
            world.purchases_of_minute(minute), moments, strict=True
        ):
            messages.append(message_of(edge, facts, now_ms=at_ms))
            times_ms.append(at_ms)
            fraud.append(is_fraud)
    folded = fold_messages(CustomerState(), messages, np.array(times_ms))
    policy = load_policy(ROOT / "contracts/policies/default.yaml")
    result = assess(
        folded.rule_input(full_vector(folded, folded.enrich_with_views(NO_VIEWS))), policy
    )
    live = np.array(times_ms)[folded.position] >= PLAN.live_from_minute * 60_000
    return Alerts(
        is_fraud=np.array(fraud)[folded.position][live],
        is_alert=(result.outcome > APPROVE)[live],
        is_declined=(result.outcome == DECLINE)[live],
        hits={
            rule.name: (result.answers[:, column] == HIT)[live]
            for column, rule in enumerate(policy.rules)
        },
    )


@pytest.mark.parametrize(
    "rule", ["rapid_purchases", "failed_payments", "card_testing", "unusual_hours"]
)
def test_a_rule_hits_hardly_any_genuine_purchase(rule: str) -> None:
    assert alerts_of_the_sale().hit_share_of_genuine(rule) < 0.001


def test_most_alerts_of_the_sale_are_fraud_and_half_the_fraud_is_among_them() -> None:
    alerts = alerts_of_the_sale()
    assert alerts.is_fraud[alerts.is_alert].mean() > 0.6
    assert alerts.is_alert[alerts.is_fraud].mean() > 0.45


def test_without_a_model_only_card_testing_is_declined() -> None:
    alerts = alerts_of_the_sale()
    assert alerts.is_declined.any()
    np.testing.assert_array_equal(alerts.is_declined, alerts.hits["card_testing"])
