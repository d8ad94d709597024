"""Approve, try or roll back a model, by a lead: audited, then done by a job."""

from __future__ import annotations

import enum
import secrets
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final, Protocol

from fraudwatch.application.console.access import Person, Right
from fraudwatch.application.console.audit import AuditLog
from fraudwatch.application.promotion.registry_summary import RegistrySummary, VersionSummary
from fraudwatch.domain.messages.audit import AUDIT_SCHEMA, SHORTEST_REASON, AuditAction, AuditRecord
from fraudwatch.domain.messages.dead_letter import Refused


class ModelAction(enum.StrEnum):
    """Change of the champion or canary; the values are those of the job's command line."""

    APPROVE = "approve"
    ROLL_BACK = "rollback"
    CANARY = "canary"
    END_CANARY = "end-canary"


AUDIT_ACTIONS: Final = {
    ModelAction.APPROVE: AuditAction.MODEL_APPROVED,
    ModelAction.ROLL_BACK: AuditAction.MODEL_ROLLED_BACK,
    ModelAction.CANARY: AuditAction.CANARY_STARTED,
    ModelAction.END_CANARY: AuditAction.CANARY_ENDED,
}


class ModelChangeRefused(Exception):
    """A change of the champion breaks a rule or cannot be started; nothing was changed."""


class SummaryUnavailable(Exception):
    """The summary of the registry cannot be read."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelChangeRun:
    """A run of the job that changes the champion, and why it failed, if it did."""

    run_id: str
    action: str
    version: str
    state: str
    started_at: str | None
    failure: str | None = None


class RegistrySummaries(Protocol):
    """Summary of the model registry."""

    def read(self) -> RegistrySummary | None:
        """Return the summary; None before the first training.

        Raises:
            SummaryUnavailable: it cannot be read.
        """


class ModelChangeJobs(Protocol):
    """The job that changes the champion, where the registry's libraries are."""

    def require_available(self) -> None:
        """Check that a run would be started.

        Raises:
            ModelChangeRefused: it would not; the message says why and what to do.
        """

    def start(self, action: ModelAction, version: int) -> str:
        """Start a run and return its id.

        Raises:
            ModelChangeRefused: it was not started.
        """

    def newest(self, limit: int) -> Sequence[ModelChangeRun]:
        """Return the newest runs, newest first.

        Raises:
            ModelChangeRefused: they cannot be read.
        """


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelChanges:
    """Use cases on the champion; each requires the right."""

    jobs: ModelChangeJobs
    summaries: RegistrySummaries
    audit_log: Callable[[], AuditLog]
    now_ms: Callable[[], int]

    def summary(self, person: Person) -> RegistrySummary | None:
        """Return the summary of the registry; None before the first training.

        Raises:
            Forbidden: the person's role does not decide about models.
            SummaryUnavailable: it cannot be read.
        """
        person.require(Right.MODEL)
        return self.summaries.read()

    def runs(self, person: Person, limit: int) -> Sequence[ModelChangeRun]:
        """Return the newest changes, newest first.

        Raises:
            Forbidden: the person's role does not decide about models.
            ModelChangeRefused: they cannot be read.
        """
        person.require(Right.MODEL)
        return self.jobs.newest(limit)

    def change(self, person: Person, action: ModelAction, version: int, reason: str) -> str:
        """Start the change of the champion, after its audit record; return the id of the run.

        The job checks again what the summary says: another change may have come before.

        Raises:
            Forbidden: the person's role does not decide about models.
            ModelChangeRefused: the reason is too short, the version is in no such state, or the job
                cannot be started.
            NotDelivered: the audit log does not acknowledge; nothing was started.
            SummaryUnavailable: the summary cannot be read.
        """
        person.require(Right.MODEL)
        if len(reason.strip()) < SHORTEST_REASON:
            raise ModelChangeRefused(
                f"Give a reason of at least {SHORTEST_REASON} characters. Nothing was changed."
            )
        chosen = self._chosen(action, version)
        self.jobs.require_available()
        self._audit(person, action, chosen, reason.strip())
        return self.jobs.start(action, version)

    def _chosen(self, action: ModelAction, version: int) -> VersionSummary:
        summary = self.summaries.read()
        listed = summary.versions if summary else ()
        chosen = next((one for one in listed if one.version == version), None)
        if chosen is None:
            raise ModelChangeRefused(f"There is no version {version}. Nothing was changed.")
        if action is ModelAction.CANARY and (
            chosen.is_active or not (chosen.is_waiting or chosen.was_promoted)
        ):
            raise ModelChangeRefused(
                f"Version {version} neither waits for approval nor was champion before. Nothing "
                "was changed."
            )
        if action is ModelAction.APPROVE and not chosen.is_waiting:
            raise ModelChangeRefused(
                f"Version {version} does not wait for approval any more. Nothing was changed."
            )
        if action is ModelAction.ROLL_BACK and (chosen.is_active or not chosen.was_promoted):
            raise ModelChangeRefused(
                f"Version {version} is no former champion. Nothing was changed."
            )
        return chosen

    def _audit(
        self, person: Person, action: ModelAction, chosen: VersionSummary, reason: str
    ) -> None:
        record = AuditRecord(
            schema=AUDIT_SCHEMA,
            record_id=secrets.token_hex(16),
            at_ms=self.now_ms(),
            deed=AUDIT_ACTIONS[action],
            by=person.login,
            reason=reason,
            subject=f"model version {chosen.version} ({chosen.sha256[:12]})",
        )
        try:
            self.audit_log().write(record)
        except Refused as error:
            raise ModelChangeRefused(
                f"The audit record is invalid: {error.reason}. Nothing was changed."
            ) from error
