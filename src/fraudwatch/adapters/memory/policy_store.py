"""Memory twin of the policy's folder."""

from __future__ import annotations

from contextlib import AbstractContextManager, nullcontext

from fraudwatch.application.policy.versions import (
    Draft,
    LiveVersion,
    PolicyContents,
    PolicyUnavailable,
)


class MemoryPolicyStore:
    """``PolicyStore`` in memory."""

    def __init__(self, live: PolicyContents | None = None) -> None:
        self._live = live
        self._history: list[LiveVersion] = []
        self._contents: dict[str, bytes] = {}
        self._drafts: dict[str, Draft] = {}

    def lock(self) -> AbstractContextManager[None]:
        return nullcontext()

    def live(self) -> PolicyContents:
        if self._live is None:
            raise PolicyUnavailable("there is no live policy yet")
        return self._live

    def history(self) -> list[LiveVersion]:
        return list(self._history)

    def contents_of(self, policy_sha256: str, lists_sha256: str) -> PolicyContents | None:
        if not {policy_sha256, lists_sha256} <= self._contents.keys():
            return None
        return PolicyContents(self._contents[policy_sha256], self._contents[lists_sha256])

    def record(self, version: LiveVersion, contents: PolicyContents) -> None:
        self._contents[contents.policy_sha256] = contents.policy
        self._contents[contents.lists_sha256] = contents.lists
        self._history.append(version)

    def replace_live(self, contents: PolicyContents) -> None:
        self._live = contents

    def drafts(self) -> list[Draft]:
        def newest(one: Draft) -> tuple[int, str]:
            return one.changed_at_ms, one.draft_id

        return sorted(self._drafts.values(), key=newest, reverse=True)

    def put_draft(self, draft: Draft) -> None:
        self._drafts[draft.draft_id] = draft
