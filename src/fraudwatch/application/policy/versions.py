"""Define a policy version with its lists, drafts of one, and the port that stores them."""

from __future__ import annotations

import enum
import hashlib
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import Any, NamedTuple, Protocol

SYSTEM = "operator"
"""Actor of what was done on the machine, without a login of the console."""


class PolicyRefused(ValueError):
    """A change of the policy breaks a rule; the text says what and how to go on."""


class PolicyUnavailable(OSError):
    """The folder of the policy cannot be read or written now."""


class PolicyContents(NamedTuple):
    """Files of a policy and its lists."""

    policy: bytes
    lists: bytes

    @property
    def policy_sha256(self) -> str:
        """Hash of the policy."""
        return hashlib.sha256(self.policy).hexdigest()

    @property
    def lists_sha256(self) -> str:
        """Hash of the lists."""
        return hashlib.sha256(self.lists).hexdigest()

    @property
    def sha256(self) -> str:
        """Hash of both together: what a backtest is bound to."""
        return hashlib.sha256(f"{self.policy_sha256}{self.lists_sha256}".encode()).hexdigest()


class Origin(enum.StrEnum):
    """Way in which a version became live."""

    SEEDED = "seeded"  # the first one, of the shipped default or of the home of before
    PROMOTED = "promoted"  # by a second person
    ROLLED_BACK = "rolled_back"  # to an earlier version, by a second person
    EMERGENCY = "emergency"  # to an earlier version, by one lead alone
    COMMAND_LINE = "command_line"  # on the machine, without a second person
    EDITED_BY_HAND = "edited_by_hand"  # the file itself, without a second person


@dataclass(frozen=True, slots=True, kw_only=True)
class LiveVersion:
    """Entry of the history: a version that became live."""

    version: str
    policy_sha256: str
    lists_sha256: str
    at_ms: int
    origin: Origin
    drafted_by: str
    promoted_by: str
    reason: str


class DraftState(enum.StrEnum):
    """State of a draft."""

    OPEN = "open"  # its author works on it
    PROPOSED = "proposed"  # waits for a second person
    PROMOTED = "promoted"
    REJECTED = "rejected"
    WITHDRAWN = "withdrawn"


@dataclass(frozen=True, slots=True, kw_only=True)
class DraftBacktest:
    """Backtest of a draft: the content that it scored, and its result when it has ended."""

    of_sha256: str  # of policy and lists together
    run_id: str
    first: str
    last: str
    failure: str | None = None
    result: dict[str, Any] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Draft:
    """Draft of a policy and its lists."""

    draft_id: str
    by: str
    changed_at_ms: int
    base_sha256: str  # of the live contents that it was made from
    policy: str
    lists: str
    state: DraftState = DraftState.OPEN
    reason: str = ""
    is_rollback: bool = False
    backtest: DraftBacktest | None = None
    decided_by: str = ""
    decision_reason: str = ""

    @property
    def contents(self) -> PolicyContents:
        """Files of the draft."""
        return PolicyContents(self.policy.encode(), self.lists.encode())

    @property
    def is_backtested(self) -> bool:
        """Return whether a backtest of exactly this content has a result."""
        return (
            self.backtest is not None
            and self.backtest.result is not None
            and self.backtest.of_sha256 == self.contents.sha256
        )


class PolicyStore(Protocol):
    """Live policy, its history, and drafts."""

    def lock(self) -> AbstractContextManager[None]:
        """Lock the live policy and its history against concurrent changes."""

    def live(self) -> PolicyContents:
        """Return the live files.

        Raises:
            PolicyUnavailable: there is no live policy, or it cannot be read.
        """

    def history(self) -> list[LiveVersion]:
        """Return every version that was live, oldest first."""

    def contents_of(self, policy_sha256: str, lists_sha256: str) -> PolicyContents | None:
        """Return the files of a version of the history; None if they are not stored."""

    def record(self, version: LiveVersion, contents: PolicyContents) -> None:
        """Append a version to the history, its contents first."""

    def replace_live(self, contents: PolicyContents) -> None:
        """Replace the live files that differ, each atomically."""

    def drafts(self) -> list[Draft]:
        """Return all drafts, newest change first."""

    def put_draft(self, draft: Draft) -> None:
        """Store a draft in place of its earlier form."""
