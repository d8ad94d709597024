"""Hot reload of the policy and its lists: a changed file is loaded between micro-batches."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Final, NamedTuple

from fraudwatch.adapters.artefacts.policy_file import parse_lists, parse_new_policy, parse_policy
from fraudwatch.adapters.artefacts.versioned_reload import NoUsableVersion, ReloadJournal
from fraudwatch.domain.policy.list_document import NO_LISTS_DOCUMENT, PolicyLists, with_lists
from fraudwatch.domain.policy.policy import BrokenPolicy, Policy

LISTS_FILE: Final = "lists.yaml"
LISTS_FOLDER: Final = "lists"


class _Combined(NamedTuple):
    policy: Policy
    lists: PolicyLists
    result: Policy


class ReloadablePolicy:
    """Watches the policy and the lists beside it, and journals both for each micro-batch.

    The lists' journal is the folder ``lists`` beside the policy's. ``on_reload`` is called after
    each read of a changed file with whether both are valid. ``check`` refuses a changed policy, by
    :class:`BrokenPolicy`, that cannot be used here and now; ``accept`` refuses the content of a
    changed file of either, such as one that was not promoted.
    """

    def __init__(
        self,
        source: Path,
        folder: Path,
        on_reload: Callable[[bool], None],
        check: Callable[[Policy], None] = lambda _: None,
        accept: Callable[[bytes], None] = lambda _: None,
    ) -> None:
        self._on_reload, self._check, self._accept = on_reload, check, accept
        self._are_usable = {source.name: True, LISTS_FILE: True}
        self._combined: _Combined | None = None
        self._policies = ReloadJournal(
            source=source,
            folder=folder,
            suffix=".yaml",
            load=self._load_policy,
            reopen=parse_policy,
            name_of=lambda policy: f"policy {policy.version}",
            on_reload=lambda is_usable: self._report(source.name, is_usable=is_usable),
        )
        self._lists = ReloadJournal(
            source=source.with_name(LISTS_FILE),
            folder=folder.with_name(LISTS_FOLDER),
            suffix=".yaml",
            load=self._load_lists,
            reopen=parse_lists,
            name_of=lambda lists: f"lists {lists.version}",
            on_reload=lambda is_usable: self._report(LISTS_FILE, is_usable=is_usable),
            initial_content=NO_LISTS_DOCUMENT,
        )

    @property
    def in_use_since_seconds(self) -> float | None:
        """When the policy of the last micro-batch was put to use; None before the first one."""
        return self._policies.opened_since_seconds

    def policy_for(self, batch_id: int, *, is_rerun: bool) -> Policy:
        """Return policy and lists for a micro-batch; a first run may load a changed file.

        Raises:
            BrokenPolicy: the file is invalid, and no earlier version exists here.
        """
        try:
            policy = self._policies.version_for_batch(batch_id, is_rerun=is_rerun)
            if is_rerun and not self._lists.has_version_for(batch_id):
                return policy  # first run before lists were an artefact of their own
            lists = self._lists.version_for_batch(batch_id, is_rerun=is_rerun)
        except NoUsableVersion as error:
            raise BrokenPolicy(str(error)) from error
        return self._with_lists(policy, lists)

    def _with_lists(self, policy: Policy, lists: PolicyLists) -> Policy:
        """Combine both once: bounds are kept as long as the policy is the same object."""
        last = self._combined
        if last is None or last.policy is not policy or last.lists is not lists:
            last = _Combined(policy, lists, with_lists(policy, lists))
            self._combined = last
        return last.result

    def _load_policy(self, content: bytes) -> Policy:
        policy = parse_new_policy(content)
        self._accept(content)
        self._check(with_lists(policy, PolicyLists()))
        return policy

    def _load_lists(self, content: bytes) -> PolicyLists:
        lists = parse_lists(content)
        self._accept(content)
        return lists

    def _report(self, name: str, *, is_usable: bool) -> None:
        before = all(self._are_usable.values())
        self._are_usable[name] = is_usable
        now = all(self._are_usable.values())
        if name != LISTS_FILE or now != before:
            self._on_reload(now)
