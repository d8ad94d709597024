"""Draft a policy: save, backtest, propose. A proposal needs a backtest of exactly its content."""

from __future__ import annotations

import secrets
from dataclasses import dataclass, replace
from typing import Any, NamedTuple, Protocol

from fraudwatch.application.console.access import Person, Right
from fraudwatch.application.policy.going_live import GoingLive, checked_reason
from fraudwatch.application.policy.versions import (
    Draft,
    DraftBacktest,
    DraftState,
    PolicyContents,
    PolicyRefused,
    PolicyStore,
)
from fraudwatch.domain.messages.audit import AuditAction


class BacktestStatus(NamedTuple):
    """Status of a backtest: running, failed for a reason, or ended with a result."""

    failure: str | None = None
    result: dict[str, Any] | None = None


class Backtests(Protocol):
    """Runs backtests on the lake."""

    def start(self, contents: PolicyContents, first: str, last: str) -> str:
        """Start a backtest over some days; return the id of its run.

        Raises:
            PolicyRefused: it cannot be started now; the text says why.
        """

    def status(self, run_id: str, contents: PolicyContents) -> BacktestStatus:
        """Return how far a run is.

        Raises:
            PolicyRefused: it cannot be known now; the text says why.
        """


@dataclass(frozen=True, slots=True, kw_only=True)
class PolicyDrafts:
    """Use cases of a draft's author; each requires the right to change the policy."""

    going_live: GoingLive
    backtests: Backtests

    @property
    def store(self) -> PolicyStore:
        """Live policy, history and drafts."""
        return self.going_live.store

    def open_draft(self, person: Person) -> Draft | None:
        """Return the draft on which a person works."""
        person.require(Right.POLICY)
        mine = (one for one in self.store.drafts() if one.by == person.login)
        return next((one for one in mine if one.state is DraftState.OPEN), None)

    def save(self, person: Person, contents: PolicyContents) -> Draft:
        """Save a person's draft; a changed content needs a new backtest.

        Raises:
            BrokenPolicy: the content is invalid; the draft is as before.
        """
        self.going_live.parse(contents)
        draft = self.open_draft(person) or Draft(
            draft_id=secrets.token_hex(8),
            by=person.login,
            changed_at_ms=self.going_live.now_ms(),
            base_sha256=self.store.live().sha256,
            policy="",
            lists="",
        )
        changed = replace(
            draft,
            policy=contents.policy.decode(),
            lists=contents.lists.decode(),
            changed_at_ms=self.going_live.now_ms(),
        )
        if changed.backtest is not None and changed.backtest.of_sha256 != contents.sha256:
            changed = replace(changed, backtest=None)
        self.store.put_draft(changed)
        return changed

    def discard(self, person: Person) -> None:
        """Discard the draft on which a person works."""
        if draft := self.open_draft(person):
            self.store.put_draft(replace(draft, state=DraftState.WITHDRAWN))

    def backtest(self, person: Person, first: str, last: str) -> Draft:
        """Start the backtest of a person's draft.

        Raises:
            PolicyRefused: there is no draft, or the lake does not take the backtest now.
        """
        draft = self._own(person)
        run_id = self.backtests.start(draft.contents, first, last)
        of = draft.contents.sha256
        running = DraftBacktest(of_sha256=of, run_id=run_id, first=first, last=last)
        draft = replace(draft, backtest=running)
        self.store.put_draft(draft)
        return draft

    def follow(self, person: Person) -> Draft:
        """Return a person's draft with the newest status of its backtest.

        Raises:
            PolicyRefused: there is no draft, or Airflow does not answer.
        """
        draft = self._own(person)
        running = draft.backtest
        if running is None or running.result is not None or running.failure is not None:
            return draft
        status = self.backtests.status(running.run_id, draft.contents)
        if status != BacktestStatus():
            ended = replace(running, failure=status.failure, result=status.result)
            draft = replace(draft, backtest=ended)
            self.store.put_draft(draft)
        return draft

    def propose(self, person: Person, reason: str) -> Draft:
        """Propose a person's draft for promotion by another lead.

        Raises:
            PolicyRefused: it was not backtested as it is, or equals the live policy.
        """
        draft = self._own(person)
        if draft.contents == self.store.live():
            raise PolicyRefused("The draft equals the live policy. Nothing was proposed.")
        if not draft.is_backtested:
            raise PolicyRefused(
                "Run a backtest of the draft as it is now first. Nothing was proposed."
            )
        return proposed(self.going_live, replace(draft, reason=checked_reason(reason)))

    def _own(self, person: Person) -> Draft:
        draft = self.open_draft(person)
        if draft is None:
            raise PolicyRefused("You have no draft. Save one first.")
        return draft


def proposed(going_live: GoingLive, draft: Draft) -> Draft:
    """Propose a draft for promotion by another lead, audited first."""
    version = going_live.parse(draft.contents).version
    going_live.audit(draft.by, AuditAction.POLICY_PROPOSED, version, draft.reason)
    waiting = replace(draft, state=DraftState.PROPOSED, changed_at_ms=going_live.now_ms())
    going_live.store.put_draft(waiting)
    return waiting
