"""Contract of policy stores: memory twin and folder of the home, and the use cases over both."""

from __future__ import annotations

import threading
from dataclasses import replace
from pathlib import Path

import pytest

from fraudwatch.adapters.artefacts.policy_file import parse_rules
from fraudwatch.adapters.artefacts.policy_folder import KEPT_DRAFTS, PolicyFolder
from fraudwatch.adapters.memory.policy_store import MemoryPolicyStore
from fraudwatch.application.console.access import Forbidden, Person, Role
from fraudwatch.application.policy.decisions import PolicyDecisions
from fraudwatch.application.policy.drafts import BacktestStatus, PolicyDrafts
from fraudwatch.application.policy.going_live import UsedContent
from fraudwatch.application.policy.versions import (
    Draft,
    DraftBacktest,
    DraftState,
    Origin,
    PolicyContents,
    PolicyRefused,
    PolicyStore,
    PolicyUnavailable,
)
from fraudwatch.application.ports import NotDelivered
from fraudwatch.domain.messages.audit import AuditAction
from fraudwatch.domain.policy.policy import BrokenPolicy
from fraudwatch.samples import NOON_MS
from tests.policies import (
    LIVE,
    OTHER,
    AuditRecorder,
    ScriptedBacktests,
    a_result,
    going_live,
    seeded,
)

ANNA, BEN = Person("anna", Role.LEAD), Person("ben", Role.LEAD)
WHY = "fewer alerts, the team is small"
PROPOSED, PROMOTED = AuditAction.POLICY_PROPOSED, AuditAction.POLICY_PROMOTED
ALONE = AuditAction.POLICY_CHANGED_ALONE


@pytest.fixture(params=["memory", "folder"])
def store(request: pytest.FixtureRequest, tmp_path: Path) -> PolicyStore:
    if request.param == "memory":
        return MemoryPolicyStore()
    return PolicyFolder(tmp_path / "policy")


class World:
    def __init__(self, store: PolicyStore) -> None:
        seeded(store)
        self.store, self.audit, self.backtests = store, AuditRecorder(), ScriptedBacktests()
        self.live = going_live(store, self.audit)
        self.drafts = PolicyDrafts(going_live=self.live, backtests=self.backtests)
        self.decisions = PolicyDecisions(going_live=self.live)

    def proposed(self, contents: PolicyContents = OTHER) -> Draft:
        self.drafts.save(ANNA, contents)
        self.drafts.backtest(ANNA, "2026-01-08", "2026-01-14")
        self.backtests.now = BacktestStatus(result=a_result(contents))
        self.drafts.follow(ANNA)
        return self.drafts.propose(ANNA, WHY)


@pytest.fixture
def world(store: PolicyStore) -> World:
    return World(store)


def test_a_store_without_a_policy_says_so(store: PolicyStore) -> None:
    assert (store.history(), store.drafts()) == ([], [])
    with pytest.raises(PolicyUnavailable):
        store.live()


def test_a_version_keeps_its_contents(world: World) -> None:
    [version] = world.store.history()
    assert version.version == parse_rules(*LIVE).version
    assert world.store.contents_of(version.policy_sha256, version.lists_sha256) == LIVE
    assert world.store.contents_of("0" * 64, version.lists_sha256) is None


def test_a_draft_survives_its_storing(world: World) -> None:
    backtest = DraftBacktest(of_sha256="1", run_id="r", first="a", last="b", result={"n": 1})
    draft = replace(world.drafts.save(ANNA, OTHER), backtest=backtest)
    world.store.put_draft(draft)
    assert world.store.drafts() == [draft]


def test_a_draft_is_proposed_only_with_a_backtest_of_its_content(world: World) -> None:
    world.drafts.save(ANNA, OTHER)
    with pytest.raises(PolicyRefused, match="Run a backtest of the draft as it is now"):
        world.drafts.propose(ANNA, WHY)
    world.drafts.backtest(ANNA, "2026-01-08", "2026-01-14")
    assert world.backtests.started == [(OTHER.sha256, "2026-01-08", "2026-01-14")]
    assert not world.drafts.follow(ANNA).is_backtested
    world.backtests.now = BacktestStatus(result=a_result(OTHER))
    assert world.drafts.follow(ANNA).is_backtested
    changed = PolicyContents(OTHER.policy + b"# again\n", OTHER.lists)
    assert world.drafts.save(ANNA, changed).backtest is None
    with pytest.raises(PolicyRefused, match="Run a backtest"):
        world.drafts.propose(ANNA, WHY)
    assert world.audit.records == []


def test_an_invalid_draft_is_not_saved(world: World) -> None:
    broken = PolicyContents(OTHER.policy.replace(b"points: 50", b"points: 500"), OTHER.lists)
    with pytest.raises(BrokenPolicy, match="rule high_amount: points must be at most 100"):
        world.drafts.save(ANNA, broken)
    assert world.drafts.open_draft(ANNA) is None


def test_a_second_lead_promotes(world: World) -> None:
    draft = world.proposed()
    with pytest.raises(PolicyRefused, match="A second person decides"):
        world.decisions.promote(ANNA, draft.draft_id, WHY)
    live = world.decisions.promote(BEN, draft.draft_id, "agreed in the morning")
    assert world.store.live() == OTHER
    assert world.store.history()[-1] == live
    assert (live.origin, live.drafted_by, live.promoted_by) == (Origin.PROMOTED, "anna", "ben")
    assert world.audit.actions() == [(PROPOSED, "anna"), (PROMOTED, "ben")]
    assert {one.subject for one in world.audit.records} == {live.version}
    assert world.decisions.proposals(BEN) == []
    with pytest.raises(PolicyRefused, match="decided meanwhile"):
        world.decisions.promote(BEN, draft.draft_id, WHY)


def test_a_second_lead_rejects_with_a_reason(world: World) -> None:
    draft = world.proposed()
    with pytest.raises(PolicyRefused, match="Give a reason"):
        world.decisions.reject(BEN, draft.draft_id, "no")
    world.decisions.reject(BEN, draft.draft_id, "too few alerts at night")
    [decided] = world.store.drafts()
    assert (decided.state, decided.decided_by) == (DraftState.REJECTED, "ben")
    assert world.store.live() == LIVE
    assert world.audit.actions()[-1] == (AuditAction.POLICY_REJECTED, "ben")


def test_only_its_author_withdraws(world: World) -> None:
    draft = world.proposed()
    with pytest.raises(PolicyRefused, match="Only its author"):
        world.decisions.withdraw(BEN, draft.draft_id)
    world.decisions.withdraw(ANNA, draft.draft_id)
    assert world.decisions.proposals(ANNA) == []


def test_a_proposal_from_another_live_policy_is_not_promoted(world: World) -> None:
    draft = world.proposed()
    changed = PolicyContents(LIVE.policy + b"# other\n", LIVE.lists)
    world.live.change_on_machine(changed, "an attack is running now")
    with pytest.raises(PolicyRefused, match="The live policy has changed"):
        world.decisions.promote(BEN, draft.draft_id, WHY)
    assert world.store.live() == changed


def test_without_the_audit_log_nothing_changes(world: World) -> None:
    draft = world.proposed()
    world.audit.is_down = True
    with pytest.raises(NotDelivered):
        world.decisions.promote(BEN, draft.draft_id, WHY)
    with pytest.raises(NotDelivered):
        world.live.change_on_machine(OTHER, WHY)
    assert (world.store.live(), len(world.store.history())) == (LIVE, 1)


def test_a_rollback_needs_a_second_lead_or_is_marked_as_done_alone(world: World) -> None:
    world.decisions.promote(BEN, world.proposed().draft_id, WHY)
    first = world.store.history()[0]
    draft = world.decisions.propose_rollback(ANNA, first, "too many frauds are missed")
    world.decisions.promote(BEN, draft.draft_id, WHY)
    assert world.store.live() == LIVE
    assert world.store.history()[-1].origin is Origin.ROLLED_BACK
    with pytest.raises(PolicyRefused, match="is live now"):
        world.decisions.roll_back_alone(ANNA, first, WHY)
    world.decisions.roll_back_alone(ANNA, world.store.history()[1], WHY)
    assert world.store.live() == OTHER
    last = world.store.history()[-1]
    assert (last.origin, last.promoted_by) == (Origin.EMERGENCY, "anna")
    assert world.audit.records[-1].reason == f"without a second person: {WHY}"


@pytest.mark.parametrize("role", [Role.ANALYST, Role.ADMIN])
def test_other_roles_do_nothing(world: World, role: Role) -> None:
    other, draft = Person("someone", role), world.proposed()
    first = world.store.history()[0]
    for action in (
        lambda: world.drafts.save(other, LIVE),
        lambda: world.drafts.propose(other, WHY),
        lambda: world.decisions.promote(other, draft.draft_id, WHY),
        lambda: world.decisions.reject(other, draft.draft_id, WHY),
        lambda: world.decisions.roll_back_alone(other, first, WHY),
    ):
        with pytest.raises(Forbidden):
            action()


def test_a_hand_edit_is_recorded_and_audited_once(world: World) -> None:
    assert world.live.note_hand_edits([]) == []
    world.store.replace_live(OTHER)
    [noted] = world.live.note_hand_edits([])
    assert (noted.origin, noted.version) == (Origin.EDITED_BY_HAND, parse_rules(*OTHER).version)
    assert world.live.note_hand_edits([]) == []
    assert world.audit.actions() == [(ALONE, "operator")]
    assert "without a second person" in world.audit.records[0].reason
    # Back to a content that was live before is an edit as well.
    world.store.replace_live(LIVE)
    assert len(world.live.note_hand_edits([])) == 1


def test_an_edit_that_was_undone_is_known_from_the_detectors_journal(world: World) -> None:
    # A restore makes its file newer than the history.
    before = UsedContent("1" * 64, NOON_MS + 2, False, lambda: b"rules: [")
    promoted = UsedContent(LIVE.policy_sha256, NOON_MS + 5, False, lambda: LIVE.policy)
    edited = UsedContent(OTHER.policy_sha256, NOON_MS + 9, False, lambda: OTHER.policy)
    noted = world.live.note_hand_edits([before, promoted, edited])
    assert [one.policy_sha256 for one in noted] == [OTHER.policy_sha256, LIVE.policy_sha256]
    assert noted[0].at_ms == NOON_MS + 9
    assert world.live.note_hand_edits([before, promoted, edited]) == []


def test_an_invalid_edit_is_not_live_and_not_recorded(world: World) -> None:
    world.store.replace_live(PolicyContents(b"rules: [", LIVE.lists))
    assert world.live.note_hand_edits([]) == []
    assert world.audit.records == []


def test_two_leads_who_promote_at_once_promote_once(tmp_path: Path) -> None:
    world, cleo = World(PolicyFolder(tmp_path / "policy")), Person("cleo", Role.LEAD)
    draft, done, refused = world.proposed(), [], []

    def promote(person: Person) -> None:
        try:
            done.append(world.decisions.promote(person, draft.draft_id, WHY))
        except PolicyRefused:
            refused.append(person)

    threads = [threading.Thread(target=promote, args=(person,)) for person in (BEN, cleo)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert (len(done), len(refused), len(world.store.history())) == (1, 1, 2)


def test_old_decided_drafts_are_removed(tmp_path: Path) -> None:
    world = World(PolicyFolder(tmp_path / "policy"))
    open_draft = world.drafts.save(ANNA, OTHER)
    for number in range(KEPT_DRAFTS + 3):
        decided = replace(
            open_draft,
            draft_id=f"d{number}",
            changed_at_ms=NOON_MS + number,
            state=DraftState.REJECTED,
        )
        world.store.put_draft(decided)
    found = world.store.drafts()
    assert len(found) == KEPT_DRAFTS + 1
    assert open_draft in found
