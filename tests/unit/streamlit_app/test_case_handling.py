"""Case page by role: lists, assignment, snooze, group decision, customer's reasons, reviews."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest
import streamlit as st

from fraudwatch.adapters.memory.verdict_store import MemoryTopic, MemoryVerdictStore
from fraudwatch.application.console.access import Person, Role
from fraudwatch.application.console.handling import Handling
from fraudwatch.application.console.next_case import View
from fraudwatch.application.console.reviews import ReviewResult
from fraudwatch.domain.messages.label import LABEL_SCHEMA, Label, LabelValue, Source
from fraudwatch.domain.messages.verdict import Outcome, Reason
from fraudwatch.samples import NOON_MS, a_token
from tests.unit.streamlit_app.case_world import ANN, BEN, CASE, ROOT, World, worlds

DAY_HOURS = 24
WHY = "The bank answers tomorrow."


@pytest.fixture
def world() -> Iterator[World]:
    yield from worlds()


class NoVerdicts:
    """Alerts of a store whose verdicts have ended."""

    def __init__(self, store: MemoryVerdictStore) -> None:
        self._store = store

    def verdict_of(self, _: str) -> None:
        return None

    def __getattr__(self, name: str) -> Any:
        return getattr(self._store, name)


def audited(world: World) -> list[str]:
    topic = world.services.handling.audit_log().topic  # type: ignore[attr-defined]
    assert isinstance(topic, MemoryTopic)
    return [json.loads(message)["deed"] for _, message, _ in topic.messages]


def choose_list(world: World, name: str) -> None:
    world.app.get("button_group")[0].set_value(name).run()  # type: ignore[attr-defined]


def listed(world: World) -> list[str]:
    return list(world.app.dataframe[0].value["transaction"]) if world.app.dataframe else []


def handling(world: World) -> Handling | None:
    return world.services.handling.store.handlings().get(CASE)


def test_an_undecided_alert_of_any_age_is_in_the_queue_and_its_case_opens(world: World) -> None:
    world.buy("shop:old", age_hours=100 * DAY_HOURS)
    app = world.look(about=None)
    assert listed(world) == ["shop:old"]
    assert list(app.dataframe[0].value["due"]) == ["99 d overdue"]
    # Its verdict is 90 days old, and stored with the open alert alone.
    world.services = replace(world.services, alerts=NoVerdicts(world.store))
    st.cache_resource.clear()
    world.look(about="shop:old")
    assert "Open for 100 d; target 4 h, 99 d overdue." in world.texts


@pytest.mark.parametrize("person", [ANN, BEN])
def test_who_decides_takes_a_case_and_it_is_no_longer_next_for_others(
    world: World, person: Person
) -> None:
    world.buy(CASE)
    world.look(person)
    if person is BEN:
        next(one for one in world.app.selectbox if one.label == "Assign to").set_value("ben")
        world.press("Save assignment")
    else:
        world.press("Assign to me")
    assert handling(world) == Handling(assigned_to=person.login, assigned_by=person.login)
    assert f"Assigned to {person.login}." in world.texts
    assert audited(world) == []
    other = Person("cleo", Role.ANALYST)
    world.look(other, about="")
    assert listed(world) == []
    world.look(person, about="")
    assert listed(world) == [CASE]
    assert list(world.app.dataframe[0].value["status"]) == ["For you"]


def test_a_lead_assigns_to_another_with_a_record(world: World) -> None:
    world.buy(CASE)
    app = world.look(BEN)
    [field] = [one for one in app.selectbox if one.label == "Assign to"]
    assert field.options == ["No one", "ann", "ben", "cleo"]
    field.set_value("ann")
    world.press("Save assignment")
    assert handling(world) == Handling(assigned_to="ann", assigned_by="ben")
    assert "Assigned to ann by ben." in world.texts
    assert audited(world) == ["case_assigned"]
    world.look(ANN)
    world.press("Give back")
    assert handling(world) is None


def test_an_analyst_has_no_button_to_take_a_case_from_another(world: World) -> None:
    world.buy(CASE)
    world.services.handling.assign(BEN, CASE, "cleo")
    world.look(ANN)
    assert not {"Assign to me", "Give back", "Save assignment"} & set(world.buttons)
    assert "Assigned to cleo by ben." in world.texts


def test_a_snoozed_case_leaves_the_queue_and_comes_back(world: World) -> None:
    world.buy(CASE)
    world.look()
    next(one for one in world.app.selectbox if one.label == "For").set_value("4 hours")
    next(one for one in world.app.text_input if "Reason" in one.label).input("short")
    world.press("Save snooze")
    assert "The reason must have 10 to 500 characters" in world.texts
    next(one for one in world.app.text_input if "Reason" in one.label).input(WHY)
    world.press("Save snooze")
    assert f"Snoozed until 16:05:00 by ann: “{WHY}”" in world.texts
    world.look(BEN, about="")
    assert listed(world) == []
    choose_list(world, View.SNOOZED)
    assert listed(world) == [CASE]
    assert list(world.app.dataframe[0].value["status"]) == ["Snoozed, 4 h"]
    world.look(BEN)
    world.press("End snooze")
    assert "Snoozed until" not in world.texts


def test_an_unsure_decision_keeps_the_case_open_until_tomorrow(world: World) -> None:
    world.buy(CASE)
    world.look()
    world.save(LabelValue.UNSURE, "No answer by phone.")
    found = handling(world)
    assert found is not None
    assert found.snoozed_until_ms == NOON_MS + 5 * 60_000 + 86_400_000
    assert found.snooze_reason == "Decided unsure. No answer by phone."
    world.look(about="")
    assert listed(world) == []
    choose_list(world, View.ALL)
    assert listed(world) == [CASE]


def test_a_decision_ends_the_assignment(world: World) -> None:
    world.buy(CASE)
    world.services.handling.assign(ANN, CASE, "ann")
    world.look()
    world.save(LabelValue.FRAUD)
    assert handling(world) is None


def group_of_three(world: World) -> None:
    device = {"device_token": a_token("d"), "card_token": None}
    world.buy(CASE, **device)
    world.buy("shop:2", age_hours=1, customer_token=a_token("x"), **device)
    world.buy("shop:3", age_hours=2, card_token=None)
    world.buy("shop:9", age_hours=1, customer_token=a_token("y"), card_token=a_token("z"))


def test_open_alerts_with_something_in_common_are_previewed_and_decided_at_once(
    world: World,
) -> None:
    group_of_three(world)
    world.services.claims.claim("shop:3", "ben")
    app = world.look()
    options = [one.content for one in app.get("button_group")[0].proto.options]  # type: ignore[attr-defined]
    assert options == ["All of these (3)", "This customer (2)", "This device (2)"]
    assert list(app.dataframe[0].value["Transaction"]) == [CASE, "shop:2", "shop:3"]
    world.press("Decide all 3 cases")
    assert "choose fraud or genuine first" in world.texts
    next(one for one in app.radio if one.label.startswith("What were")).set_value(LabelValue.FRAUD)
    world.press("Decide all 3 cases")
    assert "note must have at least 10 characters" in world.texts
    assert world.topic.messages == []
    next(one for one in app.text_input if "all of them" in one.label).input(
        "One device, two names."
    )
    world.press("Decide all 3 cases")
    assert "Saved: fraud, 2 cases, by you." in world.texts
    assert "shop:3: ben works on it" in world.texts
    labels = [json.loads(message) for _, message, _ in world.topic.messages]
    assert [label["transaction_id"] for label in labels] == [CASE, "shop:2"]
    assert audited(world) == ["cases_decided"]
    # The labels have not reached the store, yet the cases are not in the queue.
    world.look(about="")
    assert listed(world) == ["shop:9"]


def test_a_group_that_grows_before_the_click_is_decided_as_it_was_shown(world: World) -> None:
    group_of_three(world)
    app = world.look()
    next(one for one in app.radio if one.label.startswith("What were")).set_value(LabelValue.FRAUD)
    next(one for one in app.text_input if "all of them" in one.label).input("One device, one hour.")
    world.buy("shop:4", card_token=None)
    world.press("Decide all 3 cases")
    assert "Saved: fraud, 3 cases, by you." in world.texts
    labels = [json.loads(message) for _, message, _ in world.topic.messages]
    assert [label["transaction_id"] for label in labels] == [CASE, "shop:2", "shop:3"]
    world.look(about="")
    assert "shop:4" in listed(world)


def test_an_admin_sees_groups_and_lists_and_changes_nothing(world: World) -> None:
    group_of_three(world)
    world.look(ROOT)
    assert "Open alerts with something in common" in world.texts
    [link] = world.buttons  # to the other alert of this customer
    assert link.startswith("▲ High")
    assert "Open for 4 min; target 4 h, due in 3 h." in world.texts
    world.look(ROOT, about="")
    choose_list(world, View.ALL)
    assert len(listed(world)) == 4
    choose_list(world, "reviews")
    assert "No review is requested." in world.texts


def test_a_decided_case_has_no_handling_and_no_group(world: World) -> None:
    group_of_three(world)
    label = Label(
        schema=LABEL_SCHEMA,
        transaction_id=CASE,
        verdict=LabelValue.GENUINE,
        source=Source.CHARGEBACK,
        by="bank",
        known_at_ms=NOON_MS + 1_000,
    )
    world.store.write([], [], [label])
    world.look()
    assert "Open for" not in world.texts
    assert "Open alerts with something in common" not in world.texts


def test_reasons_for_a_declined_customer_have_no_limits(world: World) -> None:
    reasons = (Reason("card_testing", 50, "4 attempts below 5.00 EUR; threshold 4."),)
    world.buy(CASE, verdict={"outcome": Outcome.DECLINE, "reasons": reasons})
    world.look(ROOT)
    assert "There were several payment attempts within a short time." in world.texts
    assert "You may ask for a person to review it" in world.texts
    world.buy("shop:2", age_hours=50, customer_token=a_token("x"))
    world.look(ROOT, about="shop:2")
    assert "You may ask for a person to review it" not in world.texts


def test_a_review_is_filed_queued_and_decided_by_another_person(world: World) -> None:
    world.buy(CASE, verdict={"outcome": Outcome.DECLINE})
    world.look(ANN)
    next(one for one in world.app.text_area if one.label == "Request").input("It was me.")
    world.press("Request review")
    assert "The customer asks for a review, due in 3 d. Filed 12:05:00 by ann." in world.texts
    world.look(BEN, about="")
    assert "1 review is requested: see “Review requested”." in world.texts
    choose_list(world, "reviews")
    assert listed(world) == [CASE]
    assert list(world.app.dataframe[0].value["reason"]) == ["It was me."]
    world.app.session_state[world.app.dataframe[0].key] = {"selection": {"cells": [(0, "risk")]}}
    world.app.run()
    assert world.open() == CASE
    world.press("Save review")
    assert "choose a result first" in world.texts
    [result] = [one for one in world.app.radio if one.label == "Result of the review"]
    result.set_value(ReviewResult.REVERSED)
    [note] = [one for one in world.app.text_area if one.label == "Note of the review"]
    note.input("The bank confirms it.")
    world.press("Save review")
    assert "Reversed: the decision was wrong, by ben" in world.texts
    assert audited(world) == ["review_requested", "review_decided"]
    world.look(ROOT)
    assert "“The bank confirms it.”" in world.texts


def test_an_analyst_does_not_review_an_own_decision(world: World) -> None:
    verdict_time = NOON_MS + 1_000
    world.buy(CASE)
    label = Label(
        schema=LABEL_SCHEMA,
        transaction_id=CASE,
        verdict=LabelValue.FRAUD,
        source=Source.ANALYST,
        by="ann",
        known_at_ms=verdict_time,
    )
    world.store.write([], [], [label])
    world.look(ANN)
    next(one for one in world.app.text_area if one.label == "Request").input("It was me.")
    world.press("Request review")
    [result] = [one for one in world.app.radio if one.label == "Result of the review"]
    result.set_value(ReviewResult.UPHELD)
    next(one for one in world.app.text_area if one.label == "Note of the review").input(WHY)
    world.press("Save review")
    assert "another person must review it" in world.texts
    assert CASE in world.services.reviews.store.open_reviews()


def test_unavailable_handlings_and_reviews_are_named_and_the_case_is_shown(world: World) -> None:
    world.buy(CASE)
    world.services.handling.store.is_reachable = False  # type: ignore[attr-defined]
    world.services.reviews.store.is_reachable = False  # type: ignore[attr-defined]
    world.look()
    assert "To whom the case is assigned cannot be shown" in world.texts
    assert "The list of reviews cannot be shown" in world.texts
    assert "Amount 1,200.00 EUR; threshold 1,000.00 EUR." in world.texts
    world.look(about="")
    assert "The queue cannot be shown" in world.texts


def test_an_unavailable_audit_log_changes_no_assignment(world: World) -> None:
    world.buy(CASE)
    topic = world.services.handling.audit_log().topic  # type: ignore[attr-defined]
    topic.is_reachable = False
    world.look(BEN)
    next(one for one in world.app.selectbox if one.label == "Assign to").set_value("ann")
    world.press("Save assignment")
    assert "the audit record could not be written" in world.texts
    assert handling(world) is None
