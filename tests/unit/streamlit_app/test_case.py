"""Case page by role, with each part of the store that may be unavailable."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
import streamlit as st

from fraudwatch.application.console.access import Person
from fraudwatch.application.ports import StoreUnavailable
from fraudwatch.domain.messages.explanation import Contribution
from fraudwatch.domain.messages.label import LABEL_SCHEMA, Label, LabelValue
from fraudwatch.domain.messages.label import Source as LabelSource
from fraudwatch.domain.messages.verdict import Mode, ModelScore, Outcome, Reason, Risk, Verdict
from fraudwatch.samples import NOON_MS, a_refund, a_token, a_transaction, a_verdict
from streamlit_app.console_services import ServiceSource
from tests.unit.streamlit_app.case_world import ANN, BEN, CASE, ROOT, World, worlds


@pytest.fixture
def world() -> Iterator[World]:
    yield from worlds()


def silent(part: object, *methods: str) -> Any:
    """The same part with some questions unanswered: a proxy, so that the rest is the real twin."""

    def refuse(*_: object, **__: object) -> None:
        raise StoreUnavailable("switched off")

    class Silent:
        def __getattr__(self, name: str) -> Callable[..., Any]:
            return refuse if name in methods else getattr(part, name)

    return Silent()


def a_label(name: str, truth: LabelValue, by: str = "cleo", note: str | None = None) -> Label:
    return Label(
        schema=LABEL_SCHEMA,
        transaction_id=name,
        verdict=truth,
        source=LabelSource.ANALYST,
        by=by,
        known_at_ms=NOON_MS + 60_000,
        note=note,
    )


EXPLAINED: dict[str, Any] = {
    "mode": Mode.WITH_ANOMALY,
    "model_scores": (ModelScore("anomaly", "0123456789ab", 0.9996),),
    "explanation": (
        Contribution("amount_eur_cents", 120_000.0, 3_500.0, 8.25),
        Contribution("own_hour_share_ratio", 0.01, None, -2.5),
    ),
}


def test_nothing_is_shown_before_login(world: World) -> None:
    world.buy(CASE)
    world.app.query_params["transaction"] = CASE
    world.app.run()
    assert world.texts == ""
    assert not world.app.metric


@pytest.mark.parametrize("person", [ANN, BEN, ROOT])
def test_the_head_shows_risk_amount_merchant_outcome_and_score(
    world: World, person: Person
) -> None:
    world.buy(CASE, verdict={"route": "gold"})
    app = world.look(person)
    assert "▲ High" in app.get("html")[0].proto.body
    assert [(one.label, one.value) for one in app.metric] == [
        ("Amount", "1,200.00 EUR"),
        ("Merchant", "merchant-1"),
        ("Outcome", "Review"),
        ("Score", "0.50"),
    ]
    assert "Bought 12:00:00 · Scored by rules only · queue gold" in world.texts


def test_the_head_says_how_much_of_the_purchase_was_refunded(world: World) -> None:
    world.buy(CASE)
    world.look()
    assert "Refunded" not in world.texts
    of_another = a_refund(transaction_id="shop:8", refund_id="shop:refund-2")
    world.store.write([], [], refunds=[a_refund(transaction_id=CASE), of_another])
    world.look()
    assert "Refunded 25.90 EUR of 1,200.00 EUR on 2026-01-16 (refund)." in world.texts
    assert world.texts.count("Refunded") == 1


@pytest.mark.parametrize("person", [ANN, BEN])
def test_who_decides_may_claim_and_release(world: World, person: Person) -> None:
    world.buy(CASE)
    world.look(person)
    assert "Release" not in world.buttons
    world.press("Claim")
    assert world.services.claims.active_claims() == {CASE: person.login}
    assert "You have claimed this case" in world.texts
    world.press("Release")
    assert world.services.claims.active_claims() == {}
    assert "Claim" in world.buttons


def test_opening_a_case_renews_ones_own_claim(world: World) -> None:
    world.buy(CASE)
    world.services.claims.claim(CASE, "ann")
    for _ in range(3):
        world.now += timedelta(minutes=10)
        world.look()
    assert world.services.claims.active_claims() == {CASE: "ann"}


def test_an_admin_reads_everything_and_can_press_nothing(world: World) -> None:
    world.buy(CASE)
    world.buy("shop:8", age_hours=2)
    world.services.claims.claim(CASE, "ann")
    app = world.look(ROOT)
    assert not {"Claim", "Release", "Next case", "Save decision"} & set(world.buttons)
    assert not app.radio
    assert "Your role, admin, may read cases but not decide them." in world.texts
    assert "Amount 1,200.00 EUR; threshold 1,000.00 EUR." in world.texts
    world.look(ROOT, about="")
    assert world.buttons == []


def test_a_claim_of_another_is_shown_and_disables_the_decision(world: World) -> None:
    world.buy(CASE)
    world.services.claims.claim(CASE, "ben")
    app = world.look()
    assert "ben has claimed this case" in app.warning[0].value
    assert app.radio[0].disabled
    assert "Claim" not in world.buttons
    assert world.services.claims.active_claims() == {CASE: "ben"}


def test_reasons_are_shown_with_their_points_and_the_score(world: World) -> None:
    reasons = (Reason("far", 60, "900 km in 5 minutes."), Reason("new", 5, "New device."))
    world.buy(CASE, verdict={"reasons": reasons})
    world.look()
    assert "60 points · 900 km in 5 minutes.\n5 points · New device." in world.texts
    assert "Rules: 65 of 100 points; scored by rules only. Score 0.50." in world.texts


def test_a_control_purchase_shows_its_outcome_marks_and_bounds(world: World) -> None:
    world.buy(
        CASE,
        verdict={
            "outcome": Outcome.CHALLENGE,
            "risk": Risk.CRITICAL,
            "score": 0.9996,
            "mode": Mode.WITH_MODEL,
            "calibration": "c" * 12,
            "review_from_score": 0.08,
            "decline_from_score": 0.97,
            "is_control": True,
            "reasons": (
                Reason("model", 100, "Fraud probability 0.999: of 1,000 such."),
                Reason("high_amount", 50, "Amount 1,200.00 EUR."),
            ),
        },
    )
    app = world.look()
    assert "Control group" in app.get("html")[0].proto.body
    figures = {metric.label: metric.value for metric in app.metric}
    assert (figures["Outcome"], figures["Score"]) == ("Challenge", "0.99")
    assert "Fraud probability 0.999: of 1,000 such.\nAmount 1,200.00 EUR." in world.texts
    assert "Reviewed from 0.08, declined from 0.97." in world.texts


def test_the_explanation_is_a_chart_and_a_table_in_readable_units(world: World) -> None:
    world.buy(CASE, verdict=EXPLAINED)
    app = world.look()
    table = app.dataframe[0].value
    assert list(table["feature"]) == ["Amount", "Share of purchases in this hour"]
    assert list(table["value"]) == ["1,200.00 EUR", "1.0 %"]
    assert list(table["normal"]) == ["35.00 EUR", "unknown"]
    assert list(table["direction"]) == ["above normal", "below normal"]
    assert len(app.get("vega_lite_chart")) == 3
    assert "Model anomaly: 0.999 of 1, anomaly score (version 0123456789ab)" in world.texts


def test_below_high_there_is_no_explanation(world: World) -> None:
    world.buy(CASE, verdict={"risk": Risk.MEDIUM})
    world.look()
    assert "Only High and Critical verdicts have an explanation" in world.texts


def test_without_a_model_the_page_says_rules_only(world: World) -> None:
    world.buy(CASE)
    world.look()
    assert "this purchase was scored by rules only" in world.texts


def test_the_purchase_shows_its_fields_with_tokens_shortened(world: World) -> None:
    world.buy(CASE, device_token=a_token("d"), billing_country="DE", shipping_country="FR")
    app = world.look()
    assert "Device: dddddddd" in world.texts
    assert a_token("d") not in world.texts
    device = next(one for one in app.text if one.value == "Device: dddddddd")
    assert device.help == f"Full token: `{a_token('d')}`"
    assert "Billing and delivery: different countries" in world.texts


def test_the_customers_purchases_are_listed_newest_first_with_their_verdicts(world: World) -> None:
    world.buy(CASE)
    world.buy("shop:5", age_hours=30, verdict={"risk": Risk.LOW, "outcome": Outcome.APPROVE})
    world.buy("shop:6", age_hours=2, verdict={"risk": Risk.CRITICAL})
    world.buy("shop:9", age_hours=1, customer_token=a_token("z"))
    world.store.write([], [a_transaction(transaction_id="shop:4", event_at_ms=NOON_MS - 60_000)])
    table = next(one.value for one in world.look().dataframe if "outcome" in one.value)
    assert list(table["transaction"]) == [CASE, "shop:4", "shop:6", "shop:5"]
    assert list(table["risk"]) == ["▲ High", "Not scored", "◆ Critical", "○ Low"]


def test_another_alert_of_the_customer_is_one_press_away(world: World) -> None:
    world.buy(CASE)
    world.buy("shop:6", age_hours=2, verdict={"risk": Risk.CRITICAL})
    world.look()
    world.press("◆ Critical 15 Jan 10:00 25.90 EUR")
    assert world.open() == "shop:6"
    assert "Bought 10:00:00" in world.texts


def test_the_same_device_elsewhere_is_counted_others_first(world: World) -> None:
    device = {"device_token": a_token("d")}
    world.buy(CASE, **device)
    world.buy("shop:1", age_hours=1, **device)
    low = {"risk": Risk.LOW, "outcome": Outcome.APPROVE}
    for n in range(3):
        name, who = f"shop:2{n}", a_token("xyz"[n])
        world.buy(name, age_hours=24 * (n + 1), customer_token=who, verdict=low, **device)
    world.store.write(
        [], [], [a_label("shop:21", LabelValue.FRAUD), a_label("shop:22", LabelValue.UNSURE)]
    )
    app = world.look()
    assert (
        "This device: 5 purchases by 4 customers in 3.0 days, 2 of them alerts, 1 known fraud."
        in world.texts
    )
    table = app.dataframe[3].value
    assert list(table["transaction"]) == ["shop:20", "shop:21", "shop:22", "shop:1"]
    assert list(table["label"]) == ["—", "Fraud", "Unsure", "—"]
    assert "This purchase has no IP network." in world.texts


@pytest.mark.parametrize("person", [ANN, BEN])
def test_a_decision_becomes_a_label_and_the_next_case_is_offered(
    world: World, person: Person
) -> None:
    world.buy(CASE)
    world.buy("shop:6", age_hours=2)
    world.look(person)
    world.save(LabelValue.FRAUD, "  Asked the bank.  ")
    (key, message, _), *others = world.topic.messages
    label = json.loads(message)
    assert not others
    assert (key, label["verdict"], label["by"], label["note"]) == (
        CASE,
        "fraud",
        person.login,
        "Asked the bank.",
    )
    assert world.app.success[0].value == "Saved: fraud, by you."
    assert world.services.claims.active_claims() == {}
    # The label has not reached the store, yet the case does not come again.
    world.press("Next case")
    assert world.open() == "shop:6"
    assert world.services.claims.active_claims() == {"shop:6": person.login}
    world.press("Next case")
    assert "No other open case" in world.texts


def test_deciding_without_a_choice_saves_nothing(world: World) -> None:
    world.buy(CASE)
    world.look()
    world.press("Save decision")
    assert "choose fraud, genuine or unsure first" in world.texts
    assert not world.topic.messages


def test_a_note_that_is_too_long_saves_nothing_and_says_so(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    # The field limits the length already; a longer note is refused as well.
    monkeypatch.setattr("streamlit_app.case.decision.LONGEST_NOTE", 600)
    world.buy(CASE)
    world.look()
    world.save(LabelValue.GENUINE, "x" * 501)
    assert "Nothing was saved: note is longer than 500 characters" in world.texts
    assert not world.topic.messages


def test_a_case_claimed_in_the_meantime_is_not_decided(world: World) -> None:
    world.buy(CASE)
    world.look()
    world.app.radio[0].set_value(LabelValue.FRAUD)
    claims = world.services.claims

    class ClaimedByBen:
        """Unclaimed while the page is drawn; ben's when the decision is saved."""

        def __getattr__(self, name: str) -> Callable[..., Any]:
            return (lambda *_: "ben") if name == "claim" else getattr(claims, name)

    decisions = replace(world.services.decisions, claims=ClaimedByBen())  # type: ignore[arg-type]
    world.services = replace(world.services, decisions=decisions)
    st.cache_resource.clear()
    world.press("Save decision")
    assert "ben has claimed this case in the meantime" in world.texts
    assert not world.topic.messages


def test_an_unavailable_broker_is_named_and_the_decision_can_be_repeated(world: World) -> None:
    world.buy(CASE)
    world.topic.is_reachable = False
    world.look()
    world.save(LabelValue.FRAUD)
    assert "Kafka did not acknowledge it" in world.texts
    world.topic.is_reachable = True
    world.press("Save decision")
    assert world.app.success[0].value == "Saved: fraud, by you."
    assert len(world.topic.messages) == 1


def test_unavailable_claims_leave_the_case_readable(world: World) -> None:
    world.buy(CASE)
    world.services.claims.is_reachable = False  # type: ignore[attr-defined]
    world.look()
    assert "Claims cannot be read now" in world.texts
    assert "Amount 1,200.00 EUR; threshold 1,000.00 EUR." in world.texts
    world.save(LabelValue.FRAUD)
    assert "so the claim cannot be checked" in world.texts
    assert not world.topic.messages


def test_labels_are_shown_with_their_author(world: World) -> None:
    world.buy(CASE)
    world.store.write([], [], [a_label(CASE, LabelValue.GENUINE, note="Called back.")])
    world.look()
    assert "Genuine, by cleo (analyst), 12:01:00" in world.texts
    assert "“Called back.”" in world.texts


def test_without_a_case_the_queue_is_shown_in_the_order_of_next_case(world: World) -> None:
    world.buy("shop:6", age_hours=2)
    two = (Reason("new", 5, "New device."), Reason("far", 60, "Far away."))
    world.buy(CASE, age_hours=1, verdict={"risk": Risk.CRITICAL, "reasons": two})
    world.buy("shop:mine", age_hours=3)
    world.buy("shop:theirs")
    world.buy("shop:done")
    world.services.claims.claim("shop:mine", "ann")
    world.services.claims.claim("shop:theirs", "ben")
    world.store.write([], [], [a_label("shop:done", LabelValue.FRAUD)])
    table = world.look(about=None).dataframe[0].value
    assert table.values.tolist() == [
        [
            *("◆ Critical", "1,200.00 EUR", "Far away. +1 more", "1 h", "4 min overdue"),
            *("Open", "merchant-1", CASE),
        ],
        *(
            ["▲ High", "1,200.00 EUR", "Amount 1,200.00 EUR; threshold 1,000.00 EUR.", *rest]
            for rest in (
                ["2 h", "in 1 h", "Open", "merchant-1", "shop:6"],
                ["3 h", "in 55 min", "★ Yours", "merchant-1", "shop:mine"],
            )
        ),
    ]
    assert "3 open cases, 1 overdue: highest risk first" in world.texts
    world.press("Next case")
    assert world.open() == CASE
    assert world.services.claims.active_claims()[CASE] == "ann"


def test_a_click_in_the_queue_opens_the_case_without_claiming_it(world: World) -> None:
    world.buy(CASE)
    world.buy("shop:6", age_hours=2)
    key = world.look(about=None).dataframe[0].key
    world.app.session_state[key] = {"selection": {"cells": [(1, "risk")]}}
    world.app.run()
    assert world.open() == "shop:6"
    assert "Bought 10:00:00" in world.texts
    assert world.services.claims.active_claims() == {}


def test_a_skipped_case_is_last_in_the_queue(world: World) -> None:
    for n in range(3):
        world.buy(f"shop:{n}", age_hours=n)
    world.look(about=None)
    world.press("Next case")
    world.press("Next case")
    del world.app.query_params["transaction"]
    table = world.look(about=None).dataframe[0].value
    assert list(table["transaction"]) == ["shop:1", "shop:2", "shop:0"]


def test_an_empty_queue_says_so(world: World) -> None:
    world.look(about=None)
    assert "No open case is left to do: every alert is decided, snoozed, or with" in world.texts
    assert not world.app.dataframe


def test_a_long_queue_shows_its_first_fifty_cases(world: World) -> None:
    for n in range(60):
        world.buy(f"shop:{n}", age_hours=n / 10)
    assert len(world.look(about=None).dataframe[0].value) == 50
    assert "The first 50 of 60 open cases" in world.texts


def test_a_skipped_case_is_released_and_comes_last(world: World) -> None:
    for n in range(3):
        world.buy(f"shop:{n}", age_hours=n)
    world.look(about=None)
    opened = []
    for _ in range(4):
        world.press("Next case")
        opened.append(world.open())
    assert opened == ["shop:0", "shop:1", "shop:2", "shop:0"]
    assert world.services.claims.active_claims() == {"shop:0": "ann"}


def test_an_unknown_case_says_what_may_be_wrong(world: World) -> None:
    world.look(about="shop:nowhere")
    assert "No verdict is stored for this transaction" in world.texts
    assert "Transaction: shop:nowhere" in world.texts
    assert "Next case" in world.buttons


def test_a_late_verdict_is_shown_after_a_reload(world: World) -> None:
    world.store.write([], [a_transaction(transaction_id=CASE)])
    world.look()
    assert "it may not have arrived yet" in world.texts
    world.buy(CASE)
    world.press("Reload")
    assert "Amount 1,200.00 EUR; threshold 1,000.00 EUR." in world.texts


def test_a_missing_purchase_leaves_the_verdict(world: World) -> None:
    world.store.write([a_verdict(transaction_id=CASE)], [])
    world.look()
    assert "The purchase is not stored" in world.texts
    assert "No purchase of this customer is stored for these days." in world.texts
    assert "Case links need the purchase" in world.texts
    assert "Amount 1,200.00 EUR; threshold 1,000.00 EUR." in world.texts


def test_an_unavailable_store_is_named_with_the_fix(world: World) -> None:
    world.buy(CASE)
    world.store.is_reachable = False
    world.look()
    assert world.texts.startswith("This case cannot be shown")
    assert "./fraudwatch status" in world.texts
    world.store.is_reachable = True
    world.app.run()
    assert "Amount 1,200.00 EUR; threshold 1,000.00 EUR." in world.texts


@pytest.mark.parametrize(
    ("method", "error"),
    [
        ("purchase_of", "The purchase cannot be shown"),
        ("purchases_of", "The customer's purchases cannot be shown"),
        ("purchases_with", "The list of purchases with this card cannot be shown"),
        ("verdicts_of", "The verdicts on these purchases cannot be shown"),
        ("labels_known", "The labels of these purchases cannot be shown"),
        ("refunds_of", "What was refunded cannot be shown"),
    ],
)
def test_a_failed_part_shows_an_error_in_its_place_and_the_others_stay(
    world: World, method: str, error: str
) -> None:
    world.buy(CASE)
    whole = world.services
    world.services = replace(whole, cases=silent(whole.cases, method))
    st.cache_resource.clear()
    app = world.look()
    assert len(app.error) == 1
    assert app.error[0].value.startswith(f"{error}: the store (Cassandra) does not answer.")
    assert "`./fraudwatch status`" in app.error[0].value
    assert "Amount 1,200.00 EUR; threshold 1,000.00 EUR." in world.texts
    assert "Save decision" in world.buttons
    # What failed is not kept: the next look asks anew.
    world.services = whole
    st.cache_resource.clear()
    assert not world.app.run().error


def test_unavailable_labels_show_an_error_in_their_place(world: World) -> None:
    world.buy(CASE)
    world.services = replace(world.services, alerts=silent(world.services.alerts, "labels_of"))
    st.cache_resource.clear()
    world.look()
    assert "The list of labels cannot be shown" in world.texts


def test_an_unavailable_store_gives_no_next_case_and_says_why(world: World) -> None:
    world.store.is_reachable = False
    world.look(about=None)
    assert "The queue cannot be shown" in world.texts
    world.press("Next case")
    assert "the store (Cassandra) does not answer" in world.texts


def test_an_answer_is_cached_for_a_moment(world: World) -> None:
    world.buy(CASE)
    asked: list[str] = []
    cases = world.services.cases

    class Counting:
        def __getattr__(self, name: str) -> Callable[..., Any]:
            asked.append(name)
            return getattr(cases, name)

    world.services = replace(world.services, cases=Counting())  # type: ignore[arg-type]
    st.cache_resource.clear()
    world.look()
    assert sorted(set(asked)) == [
        "labels_known",
        "purchase_of",
        "purchases_of",
        "purchases_with",
        "refunds_of",
        "verdicts_of",
    ]
    asked.clear()
    world.app.run()
    assert asked == []


def test_actions_check_the_role_themselves(world: World) -> None:
    from fraudwatch.application.console.access import Forbidden
    from streamlit_app.case import work as case_work

    source = ServiceSource(open_services=lambda: world.services, clock=lambda: world.now)
    world.buy(CASE)
    for action in (case_work.claim, case_work.release, case_work.claim_next):
        with pytest.raises(Forbidden):
            action(source, ROOT, CASE)
    with pytest.raises(Forbidden):
        case_work.decide(source, ROOT, CASE, (LabelValue.FRAUD, ""))
    assert not world.topic.messages
    verdict: Verdict | None = world.services.alerts.verdict_of(CASE)
    assert verdict is not None
