"""Rules page by role: words, draft, backtest, proposal, second person, rollback."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
import streamlit as st
from streamlit.testing.v1 import AppTest

from fraudwatch.adapters.artefacts.policy_file import parse_lists, parse_rules
from fraudwatch.adapters.artefacts.policy_folder import PolicyFolder
from fraudwatch.application.console.access import Role
from fraudwatch.application.console.accounts import Accounts, Actor
from fraudwatch.application.policy.drafts import BacktestStatus
from fraudwatch.application.policy.versions import Draft, Origin
from fraudwatch.domain.messages.audit import AuditAction
from fraudwatch.domain.policy.list_document import instant_text
from fraudwatch.domain.policy.policy import AlertBudget
from fraudwatch.samples import a_token
from streamlit_app.rules import hand_edits
from streamlit_app.rules.services import RulesServices, rules_services
from tests.policies import LIVE, OTHER, AuditRecorder, ScriptedBacktests, a_result, seeded
from tests.unit.streamlit_app.conftest import memory_accounts

NOW = datetime(2026, 3, 1, 12, 30, tzinfo=UTC)
WHY = "fewer alerts, the team is small"


# AppTest runs a function's source alone, where no import of this module is known: hence quotes.
def page(accounts: "Accounts", rules: "RulesServices", login_name: str) -> None:  # noqa: UP037
    from streamlit_app.people import login
    from streamlit_app.rules import screen

    login.declare(accounts)
    if "began" not in login.st.session_state:
        login.st.session_state["began"] = True
        account = accounts.store.find(login_name)
        assert account is not None
        login.sign_in(account)
    screen.show(lambda: rules)


@dataclass
class RulesWorld:
    folder: Path
    accounts: Accounts = field(default_factory=lambda: memory_accounts(lambda: NOW))
    audit: AuditRecorder = field(default_factory=AuditRecorder)
    backtests: ScriptedBacktests = field(default_factory=ScriptedBacktests)

    def __post_init__(self) -> None:
        self.accounts.make(Actor("admin", lambda _deed, _account: None), "second", Role.LEAD)
        self.store = PolicyFolder(self.folder / "policy")
        seeded(self.store)
        self.rules = self.services()

    def services(self, *, are_hand_edits_used: bool = True) -> RulesServices:
        return rules_services(
            self.store,
            self.backtests,
            lambda: self.audit,
            self.folder / "detector",
            LIVE.policy,
            are_hand_edits_used=are_hand_edits_used,
        )

    def opened_by(self, name: str) -> AppTest:
        args = (self.accounts, self.rules, name)
        return AppTest.from_function(page, args=args, default_timeout=60).run()

    def draft(self) -> Draft:
        [draft] = self.store.drafts()
        return draft


@pytest.fixture
def world(tmp_path: Path) -> RulesWorld:
    st.cache_resource.clear()
    st.cache_data.clear()
    return RulesWorld(tmp_path)


def texts(app: AppTest) -> str:
    kinds = (app.markdown, app.caption, app.info, app.success, app.error, app.warning, app.code)
    return "\n".join(str(one.value) for kind in kinds for one in kind)


def edited(app: AppTest, label: str, value: float) -> AppTest:
    [number] = [one for one in app.number_input if one.label.startswith(label)]
    number.set_value(value)
    app.button("rules_save_limits").click().run()
    assert not app.exception
    return app


def backtested(world: RulesWorld) -> AppTest:
    app = edited(world.opened_by("lead"), "Alerts a day", 40)
    app.button("rules_backtest").click().run()
    contents = world.draft().contents
    assert world.backtests.started[-1][0] == contents.sha256
    world.backtests.now = BacktestStatus(result=a_result(contents))
    return app.button("rules_reload").click().run()


def proposed(world: RulesWorld) -> AppTest:
    app = backtested(world)
    app.text_input("rules_reason").input(WHY)
    return app.button("rules_propose").click().run()


@pytest.mark.parametrize("role", [Role.ANALYST, Role.ADMIN])
def test_the_page_is_for_leads_only(world: RulesWorld, role: Role) -> None:
    app = world.opened_by(role)
    assert not app.tabs
    assert not app.number_input


def test_the_live_policy_is_shown_in_words(world: RulesWorld) -> None:
    app = world.opened_by("lead")
    assert not app.exception
    shown = texts(app)
    assert "The amount is 1,000.00 EUR or more." in shown
    assert "60 alerts a day in all" in shown
    assert parse_rules(*LIVE).version in shown


def test_an_edited_limit_becomes_a_draft_and_an_invalid_one_an_error(world: RulesWorld) -> None:
    app = edited(world.opened_by("lead"), "Alerts a day", 40)
    assert parse_rules(*world.draft().contents).review == AlertBudget(40, 0.1)
    assert "-  alerts_a_day: 60\n+  alerts_a_day: 40" in texts(app)
    edited(app, "At most this share of all", 2.0)
    assert "Not saved: review: share_at_most must be a number from 0 to 1" in texts(app)
    assert parse_rules(*world.draft().contents).review == AlertBudget(40, 0.1)
    assert world.store.live() == LIVE


def test_a_rules_threshold_and_floor_are_edited(world: RulesWorld) -> None:
    app = world.opened_by("lead")
    [floor] = [one for one in app.selectbox if str(one.key).endswith("floor_high_amount")]
    floor.set_value("challenge")
    [limit] = [
        one for one in app.number_input if str(one.key).endswith("high_amount_at_least_eur_cents")
        and "new_device" not in str(one.key)
    ]  # fmt: skip
    limit.set_value(90_000)
    app.button("rules_save_rules").click().run()
    policy = parse_rules(*world.draft().contents)
    assert policy.floors["high_amount"] == "challenge"
    assert getattr(policy.rules[0], "at_least_eur_cents", None) == 90_000


def test_list_entries_have_reason_author_and_expiry(world: RulesWorld) -> None:
    app = world.opened_by("lead")
    app.selectbox("rules_list_kind").set_value("card")
    app.text_input("rules_list_value").input("4111111111111111")
    app.text_input("rules_list_reason").input("chargebacks of three shops")
    [add] = [one for one in app.button if one.label == "Add to draft"]
    add.click().run()
    assert "Not saved: entry 1: value can never match a card" in texts(app)
    assert world.store.drafts() == []
    app.text_input("rules_list_value").input(a_token("c"))
    until = datetime.now(UTC).date() + timedelta(days=30)
    app.date_input("rules_list_until").set_value(until)
    [add] = [one for one in app.button if one.label == "Add to draft"]
    add.click().run()
    [entry] = parse_lists(world.draft().contents.lists).entries
    assert (entry.value, entry.by, entry.reason) == (
        a_token("c"), "lead", "chargebacks of three shops"
    )  # fmt: skip
    assert entry.expires_at_ms is not None
    assert instant_text(entry.expires_at_ms) == f"{until}T00:00:00Z"
    app.button("rules_list_remove").click().run()
    assert parse_lists(world.draft().contents.lists).entries == ()


def test_a_backtest_comes_before_the_proposal(world: RulesWorld) -> None:
    app = edited(world.opened_by("lead"), "Alerts a day", 40)
    assert app.button("rules_propose").disabled
    world.backtests.refusal = "Start the lake: ./fraudwatch up --profile lake."
    app.button("rules_backtest").click().run()
    assert "Start the lake: ./fraudwatch up --profile lake." in texts(app)
    world.backtests.refusal = ""
    app.button("rules_backtest").click().run()
    assert "Running on the lake" in texts(app)
    world.backtests.now = BacktestStatus(failure="backtest_policy failed: no memory")
    app.button("rules_reload").click().run()
    assert "The backtest failed: backtest_policy failed: no memory" in texts(app)
    assert app.button("rules_propose").disabled


def test_the_result_names_the_frauds_that_would_be_lost(world: RulesWorld) -> None:
    app = backtested(world)
    assert not app.exception
    assert "Known frauds that would no longer be caught: 1" in texts(app)
    assert app.selectbox("rules_case").options == ["shop:7"]
    assert not app.button("rules_propose").disabled


def test_a_second_lead_promotes_and_the_author_cannot(world: RulesWorld) -> None:
    author = proposed(world)
    draft = world.draft()
    keys = {one.key for one in author.button}
    assert f"rules_promote_{draft.draft_id}" not in keys
    assert f"rules_withdraw_{draft.draft_id}" in keys
    other = world.opened_by("second")
    other.text_input(f"rules_why_{draft.draft_id}").input("agreed in the morning")
    other.button(f"rules_promote_{draft.draft_id}").click().run()
    assert not other.exception
    assert world.store.live() == draft.contents
    assert world.audit.actions() == [
        (AuditAction.POLICY_PROPOSED, "lead"), (AuditAction.POLICY_PROMOTED, "second")
    ]  # fmt: skip
    assert "is live; the detector uses it" in texts(other)


def test_without_the_audit_log_the_page_says_that_nothing_was_changed(world: RulesWorld) -> None:
    app = backtested(world)
    world.audit.is_down = True
    app.text_input("rules_reason").input(WHY)
    app.button("rules_propose").click().run()
    assert "the audit log cannot be written" in texts(app)
    assert world.rules.decisions.store.live() == LIVE


def test_history_rolls_back_alone_in_an_emergency(world: RulesWorld) -> None:
    world.rules.going_live.change_on_machine(OTHER, "an attack is running now")
    app = world.opened_by("lead")
    app.selectbox("rules_version_chosen").set_value(world.store.history()[0]).run()
    app.text_input("rules_rollback_reason").input("it missed the attack of today")
    app.button("rules_rollback_alone").click().run()
    assert not app.exception
    assert world.store.live() == LIVE
    assert world.store.history()[-1].origin is Origin.EMERGENCY


def test_a_hand_edit_is_audited_by_the_console_and_its_page_warns(world: RulesWorld) -> None:
    world.store.policy_path.write_bytes(OTHER.policy)
    assert "the edit is recorded within seconds" in texts(world.opened_by("lead"))
    world.audit.is_down = True
    hand_edits.look(world.rules)
    world.audit.is_down = False
    hand_edits.look(world.rules)
    assert world.audit.actions() == [(AuditAction.POLICY_CHANGED_ALONE, "operator")]
    assert "edited by hand" not in texts(world.opened_by("lead"))


def test_where_hand_edits_are_refused_the_page_says_so(world: RulesWorld) -> None:
    world.rules = world.services(are_hand_edits_used=False)
    world.store.policy_path.write_bytes(OTHER.policy)
    assert "the detector refuses the edit" in texts(world.opened_by("lead"))


def test_the_shipped_default_is_offered_as_a_draft(world: RulesWorld) -> None:
    assert "rules_default" not in {one.key for one in world.opened_by("lead").button}
    world.rules.going_live.change_on_machine(OTHER, "an attack is running now")
    app = world.opened_by("lead")
    app.button("rules_default").click().run()
    assert world.draft().contents == LIVE


def test_a_draft_and_a_proposal_show_their_results_beside_each_other(world: RulesWorld) -> None:
    proposed(world)
    world.backtests.now = BacktestStatus()
    app = edited(world.opened_by("second"), "Alerts a day", 30)
    app.button("rules_backtest").click().run()
    mine = next(one for one in world.store.drafts() if one.by == "second")
    world.backtests.now = BacktestStatus(result=a_result(mine.contents))
    app.button("rules_reload").click().run()
    assert not app.exception
    assert texts(app).count("Known frauds that would no longer be caught: 1") == 2
