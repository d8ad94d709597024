"""Make policy contents live: audit record first, then history, then the files.

Also notes what became live without a second person: a file edited by hand, a change on the
command line.
"""

from __future__ import annotations

import secrets
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Final, NamedTuple

from fraudwatch.application.console.audit import AuditLog
from fraudwatch.application.policy.versions import (
    SYSTEM,
    LiveVersion,
    Origin,
    PolicyContents,
    PolicyRefused,
    PolicyStore,
)
from fraudwatch.domain.messages.audit import (
    AUDIT_SCHEMA,
    LONGEST_REASON,
    SHORTEST_REASON,
    AuditAction,
    AuditRecord,
)
from fraudwatch.domain.policy.policy import BrokenPolicy, Policy

ALONE: Final = "without a second person: "


class UsedContent(NamedTuple):
    """Content that the detector has used, policy or lists, since when."""

    sha256: str
    since_ms: int
    is_lists: bool
    read: Callable[[], bytes]


def checked_reason(reason: str) -> str:
    """Return a reason for the audit log.

    Raises:
        PolicyRefused: it is too short or too long.
    """
    given = reason.strip()
    if not SHORTEST_REASON <= len(given) <= LONGEST_REASON:
        raise PolicyRefused(
            f"Give a reason of {SHORTEST_REASON} to {LONGEST_REASON} characters. Nothing was "
            "changed."
        )
    return given


@dataclass(frozen=True, slots=True, kw_only=True)
class GoingLive:
    """Changes the live policy and its lists."""

    store: PolicyStore
    audit_log: Callable[[], AuditLog]
    parse: Callable[[PolicyContents], Policy]  # raises BrokenPolicy
    now_ms: Callable[[], int]

    def audit(self, by: str, deed: AuditAction, version: str, reason: str) -> None:
        """Write an audit record; the action may be done when this returns.

        Raises:
            NotDelivered: the record may not have been written, so the action must not be done.
        """
        self.audit_log().write(
            AuditRecord(
                schema=AUDIT_SCHEMA,
                record_id=secrets.token_hex(16),
                at_ms=self.now_ms(),
                deed=deed,
                by=by,
                reason=reason[:LONGEST_REASON],
                subject=version,
            )
        )

    def make_live(
        self, contents: PolicyContents, origin: Origin, *, drafted_by: str, by: str, reason: str
    ) -> LiveVersion:
        """Record contents in the history and make them the live files; the caller holds the lock.

        Raises:
            BrokenPolicy: they are invalid; nothing was changed.
        """
        version = self._version(contents, origin, drafted_by, by, reason)
        self.store.record(version, contents)
        self.store.replace_live(contents)
        return version

    def change_on_machine(self, contents: PolicyContents, reason: str) -> LiveVersion:
        """Make contents live from the command line, audited as without a second person.

        Raises:
            BrokenPolicy: they are invalid; nothing was changed.
            PolicyRefused: they are live already, or the reason is too short.
        """
        alone = f"{ALONE}{checked_reason(reason)}"
        with self.store.lock():
            if contents == self.store.live():
                raise PolicyRefused("This is live already. Nothing was changed.")
            version = self.parse(contents).version
            self.audit(SYSTEM, AuditAction.POLICY_CHANGED_ALONE, version, alone)
            return self.make_live(
                contents, Origin.COMMAND_LINE, drafted_by=SYSTEM, by=SYSTEM, reason=alone
            )

    def note_hand_edits(self, used: Iterable[UsedContent]) -> list[LiveVersion]:
        """Record and audit what became live by an edit of the files; return it, oldest first.

        ``used`` is what the detector has used, each journal in its order: an edit that was undone
        meanwhile is in there.
        """
        noted = []
        with self.store.lock():
            history = self.store.history()
            if not history:
                return []
            live = self.store.live()
            for one in sorted(_unknown(used, history), key=lambda one: one.since_ms):
                if one.sha256 not in {live.policy_sha256, live.lists_sha256}:
                    contents = _as_used(one, self.store, history[-1])
                    if found := self._note(contents, one.since_ms):
                        noted.append(found)
                        history.append(found)
            last = history[-1]
            if (live.policy_sha256, live.lists_sha256) != (last.policy_sha256, last.lists_sha256):
                found = self._note(live, self.now_ms())
                noted += [found] if found else []
        return noted

    def _note(self, contents: PolicyContents, at_ms: int) -> LiveVersion | None:
        """Record an edit; None for one that is invalid, which the detector does not use."""
        reason = f"{ALONE}the file was edited by hand"
        try:
            version = self._version(contents, Origin.EDITED_BY_HAND, SYSTEM, SYSTEM, reason, at_ms)
        except BrokenPolicy:
            return None
        self.audit(SYSTEM, AuditAction.POLICY_CHANGED_ALONE, version.version, reason)
        self.store.record(version, contents)
        return version

    def _version(
        self,
        contents: PolicyContents,
        origin: Origin,
        drafted_by: str,
        by: str,
        reason: str,
        at_ms: int | None = None,
    ) -> LiveVersion:
        return LiveVersion(
            version=self.parse(contents).version,
            policy_sha256=contents.policy_sha256,
            lists_sha256=contents.lists_sha256,
            at_ms=self.now_ms() if at_ms is None else at_ms,
            origin=origin,
            drafted_by=drafted_by,
            promoted_by=by,
            reason=reason,
        )


def _unknown(used: Iterable[UsedContent], history: list[LiveVersion]) -> list[UsedContent]:
    """Select what was used since the history began and is not in it.

    A journal begins before the history in a home of before. Its order is asked as well as the time:
    after a restore all files are new.
    """
    known = {one.policy_sha256 for one in history} | {one.lists_sha256 for one in history}
    began_ms = history[0].at_ms
    begun, found = dict[bool, bool](), []
    for one in used:
        if one.sha256 in known:
            begun[one.is_lists] = True
        elif begun.get(one.is_lists) and one.since_ms > began_ms:
            found.append(one)
    return found


def _as_used(one: UsedContent, store: PolicyStore, before: LiveVersion) -> PolicyContents:
    """Complete a used file by the other one of the version before it."""
    other = store.contents_of(before.policy_sha256, before.lists_sha256) or store.live()
    if one.is_lists:
        return PolicyContents(other.policy, one.read())
    return PolicyContents(one.read(), other.lists)
