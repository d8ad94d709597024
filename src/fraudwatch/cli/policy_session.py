"""Open this home's policy for the command line: its folder, and the audit log."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property
from typing import TYPE_CHECKING, Any

from fraudwatch.stack.home import Home, StackError

if TYPE_CHECKING:
    from fraudwatch.application.console.audit import AuditLog
    from fraudwatch.application.policy.going_live import GoingLive
    from fraudwatch.application.policy.versions import LiveVersion, PolicyContents
    from fraudwatch.domain.policy.list_document import ListEntry

EntryKey = tuple[str, str, str]
_ANSWER_SECONDS = 10.0


@contextmanager
def open_policy() -> Iterator[PolicySession]:
    """Open the policy of this home.

    Raises:
        StackError: this home has no policy yet, or Kafka does not take an audit record.
    """
    from fraudwatch.application.policy.versions import PolicyUnavailable
    from fraudwatch.application.ports import NotDelivered

    try:
        yield PolicySession(Home.from_environment())
    except PolicyUnavailable as error:
        raise StackError(f"{error}; start the platform first with ./fraudwatch up") from error
    except NotDelivered as error:
        raise StackError(
            "nothing was changed: the audit log cannot be written, and every change must be "
            "recorded first; see ./fraudwatch status"
        ) from error


@dataclass
class PolicySession:
    """Live policy of a home, for one command."""

    home: Home

    @cached_property
    def going_live(self) -> GoingLive:
        """Changes of the live policy."""
        from fraudwatch.adapters.artefacts.policy_file import parse_rules
        from fraudwatch.adapters.artefacts.policy_folder import PolicyFolder
        from fraudwatch.application.policy.going_live import GoingLive

        return GoingLive(
            store=PolicyFolder(self.home.folder / "policy"),
            audit_log=self._audit_log,
            parse=lambda contents: parse_rules(*contents),
            now_ms=lambda: time.time_ns() // 1_000_000,
        )

    def in_words(self) -> tuple[str, list[tuple[str, str]]]:
        """Return the version and the sentences of the live policy."""
        from fraudwatch.domain.policy.words import limits_in_words, rules_in_words

        policy = self.going_live.parse(self.going_live.store.live())
        found = [*limits_in_words(policy), *rules_in_words(policy)]
        return policy.version, [(one.title, one.text) for one in found]

    def history(self) -> list[LiveVersion]:
        """Return all versions, newest first."""
        return self.going_live.store.history()[::-1]

    def version(self, name: str) -> PolicyContents:
        """Return the contents of a version.

        Raises:
            PolicyRefused: the history has no such version, or its content is gone.
        """
        from fraudwatch.application.policy.versions import PolicyRefused

        store = self.going_live.store
        for one in self.history():
            if one.version == name:
                found = store.contents_of(one.policy_sha256, one.lists_sha256)
                if found is not None:
                    return found
        raise PolicyRefused(f"there is no version {name}; see ./fraudwatch policy history")

    def shipped(self) -> PolicyContents:
        """Return the shipped default with the live lists."""
        from fraudwatch.application.policy.versions import PolicyContents

        default = (self.home.root / "contracts/policies/default.yaml").read_bytes()
        return PolicyContents(default, self.going_live.store.live().lists)

    def diff(self, other: PolicyContents) -> str:
        """Return the difference of the live policy to another one."""
        from fraudwatch.adapters.artefacts.policy_file import difference

        return difference(self.going_live.store.live(), other)

    def change(self, contents: PolicyContents, reason: str) -> str:
        """Make contents live; return their version."""
        return self.going_live.change_on_machine(contents, reason).version

    def entries(self) -> list[dict[str, Any]]:
        """Return the entries of both lists."""
        from fraudwatch.domain.policy.list_document import lists_document

        entries: list[dict[str, Any]] = lists_document(self._entries())["entries"]
        return entries

    def add(self, key: EntryKey, reason: str, expires_at: datetime | None) -> str:
        """Add or renew an entry; return the version that is live then."""
        from fraudwatch.application.policy.versions import SYSTEM
        from fraudwatch.domain.instants import epoch_ms_of
        from fraudwatch.domain.policy.list_document import ListEntry, ListKind, ListName

        name, kind, value = key
        entry = ListEntry(
            name=ListName(name),
            kind=ListKind(kind),
            value=value,
            reason=reason,
            by=SYSTEM,
            added_at_ms=int(time.time()) * 1_000,
            expires_at_ms=None if expires_at is None else epoch_ms_of(expires_at),
        )
        others = tuple(one for one in self._entries() if one.key != entry.key)
        return self._change_lists((*others, entry), reason)

    def remove(self, key: EntryKey, reason: str) -> str:
        """Remove an entry; return the version that is live then.

        Raises:
            PolicyRefused: there is no such entry.
        """
        from fraudwatch.application.policy.versions import PolicyRefused

        entries = self._entries()
        kept = tuple(one for one in entries if one.key != key)
        if len(kept) == len(entries):
            raise PolicyRefused(
                f"the {key[0]} list has no such {key[1]}; see ./fraudwatch policy lists ls"
            )
        return self._change_lists(kept, reason)

    def _entries(self) -> tuple[ListEntry, ...]:
        from fraudwatch.adapters.artefacts.policy_file import parse_lists

        return parse_lists(self.going_live.store.live().lists).entries

    def _change_lists(self, entries: tuple[ListEntry, ...], reason: str) -> str:
        from fraudwatch.adapters.artefacts.policy_file import lists_yaml
        from fraudwatch.application.policy.versions import PolicyContents

        live = self.going_live.store.live()
        return self.change(PolicyContents(live.policy, lists_yaml(entries)), reason)

    def _audit_log(self) -> AuditLog:
        from fraudwatch.adapters.codecs.json_codec import encode
        from fraudwatch.adapters.kafka_log.log import KafkaTopic
        from fraudwatch.application.console.audit import PublishedAudit
        from fraudwatch.cli.dlq_session import endpoints
        from fraudwatch.topics import AUDIT_TOPIC

        kafka, _ = endpoints(self.home)
        return PublishedAudit(
            KafkaTopic(kafka, AUDIT_TOPIC, timeout_seconds=_ANSWER_SECONDS), encode
        )
