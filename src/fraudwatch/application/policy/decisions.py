"""Decide proposals of the policy: another lead than the author promotes or rejects them.

Every decision is audited before it is done.
"""

from __future__ import annotations

import secrets
from dataclasses import dataclass, replace

from fraudwatch.application.console.access import Person, Right
from fraudwatch.application.policy.drafts import proposed
from fraudwatch.application.policy.going_live import ALONE, GoingLive, checked_reason
from fraudwatch.application.policy.versions import (
    Draft,
    DraftState,
    LiveVersion,
    Origin,
    PolicyContents,
    PolicyRefused,
    PolicyStore,
)
from fraudwatch.domain.messages.audit import LONGEST_REASON, AuditAction


@dataclass(frozen=True, slots=True, kw_only=True)
class PolicyDecisions:
    """Use cases on proposals and earlier versions; each requires the right to change the policy."""

    going_live: GoingLive

    @property
    def store(self) -> PolicyStore:
        """Live policy, history and drafts."""
        return self.going_live.store

    def proposals(self, person: Person) -> list[Draft]:
        """Return the drafts that wait for a second person."""
        person.require(Right.POLICY)
        return [one for one in self.store.drafts() if one.state is DraftState.PROPOSED]

    def propose_rollback(self, person: Person, to: LiveVersion, reason: str) -> Draft:
        """Propose an earlier version, which needs no backtest, for promotion by another lead.

        Raises:
            PolicyRefused: its content is not stored, or is live now.
        """
        contents = self._earlier(person, to)
        draft = Draft(
            draft_id=secrets.token_hex(8),
            by=person.login,
            changed_at_ms=self.going_live.now_ms(),
            base_sha256=self.store.live().sha256,
            policy=contents.policy.decode(),
            lists=contents.lists.decode(),
            reason=checked_reason(reason),
            is_rollback=True,
        )
        return proposed(self.going_live, draft)

    def roll_back_alone(self, person: Person, to: LiveVersion, reason: str) -> LiveVersion:
        """Roll back at once, in an emergency; audited as without a second person.

        Raises:
            PolicyRefused: its content is not stored, or is live now.
        """
        contents = self._earlier(person, to)
        alone = f"{ALONE}{checked_reason(reason)}"[:LONGEST_REASON]
        with self.store.lock():
            self.going_live.audit(person.login, AuditAction.POLICY_ROLLED_BACK, to.version, alone)
            return self.going_live.make_live(
                contents, Origin.EMERGENCY, drafted_by=person.login, by=person.login, reason=alone
            )

    def withdraw(self, person: Person, draft_id: str) -> None:
        """Withdraw a proposal of one's own.

        Raises:
            PolicyRefused: it is another person's, or was decided meanwhile.
        """
        draft = self._proposed(person, draft_id)
        if draft.by != person.login:
            raise PolicyRefused("Only its author withdraws a proposal. Reject it instead.")
        self.store.put_draft(replace(draft, state=DraftState.WITHDRAWN))

    def reject(self, person: Person, draft_id: str, reason: str) -> None:
        """Reject another lead's proposal.

        Raises:
            PolicyRefused: it is the person's own, or was decided meanwhile.
        """
        with self.store.lock():
            draft = self._others(person, draft_id)
            why, version = checked_reason(reason), self.going_live.parse(draft.contents).version
            self.going_live.audit(person.login, AuditAction.POLICY_REJECTED, version, why)
            self._decide(draft, DraftState.REJECTED, person, why)

    def promote(self, person: Person, draft_id: str, reason: str) -> LiveVersion:
        """Make another lead's proposal the live policy.

        Raises:
            PolicyRefused: it is the person's own, was decided meanwhile, or the live policy is no
                longer the one from which it was drafted.
        """
        with self.store.lock():
            draft = self._others(person, draft_id)
            why, version = checked_reason(reason), self.going_live.parse(draft.contents).version
            if draft.base_sha256 != self.store.live().sha256:
                raise PolicyRefused(
                    "The live policy has changed since this was drafted, so its backtest compares "
                    "with another one. Reject it, and let it be drafted again."
                )
            rolled = draft.is_rollback
            deed = AuditAction.POLICY_ROLLED_BACK if rolled else AuditAction.POLICY_PROMOTED
            self.going_live.audit(person.login, deed, version, f"drafted by {draft.by}: {why}")
            live = self.going_live.make_live(
                draft.contents,
                Origin.ROLLED_BACK if rolled else Origin.PROMOTED,
                drafted_by=draft.by,
                by=person.login,
                reason=why,
            )
            self._decide(draft, DraftState.PROMOTED, person, why)
            return live

    def _decide(self, draft: Draft, state: DraftState, person: Person, reason: str) -> None:
        self.store.put_draft(
            replace(
                draft,
                state=state,
                changed_at_ms=self.going_live.now_ms(),
                decided_by=person.login,
                decision_reason=reason,
            )
        )

    def _proposed(self, person: Person, draft_id: str) -> Draft:
        waiting = {one.draft_id: one for one in self.proposals(person)}
        if draft_id not in waiting:
            raise PolicyRefused("This proposal was decided meanwhile. Nothing was changed.")
        return waiting[draft_id]

    def _others(self, person: Person, draft_id: str) -> Draft:
        draft = self._proposed(person, draft_id)
        if draft.by == person.login:
            raise PolicyRefused(
                "A second person decides: another lead promotes or rejects what you proposed."
            )
        return draft

    def _earlier(self, person: Person, to: LiveVersion) -> PolicyContents:
        person.require(Right.POLICY)
        contents = self.store.contents_of(to.policy_sha256, to.lists_sha256)
        if contents is None:
            raise PolicyRefused(f"The content of {to.version} is not stored any more.")
        if contents == self.store.live():
            raise PolicyRefused(f"{to.version} is live now. Nothing was changed.")
        return contents
