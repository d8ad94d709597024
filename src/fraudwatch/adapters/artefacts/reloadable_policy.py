"""Hot reload of the policy: the edited file is loaded between micro-batches."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from fraudwatch.adapters.artefacts.policy_file import parse_policy
from fraudwatch.adapters.artefacts.versioned_reload import NoUsableVersion, ReloadJournal
from fraudwatch.domain.policy.policy import BrokenPolicy, Policy


class ReloadablePolicy:
    """Watches the policy file, and journals the policy of each micro-batch.

    ``on_reload`` is called after each read of a changed file with whether it is valid. ``check``
    refuses a changed policy, by :class:`BrokenPolicy`, that cannot be used here and now.
    """

    def __init__(
        self,
        source: Path,
        folder: Path,
        on_reload: Callable[[bool], None],
        check: Callable[[Policy], None] = lambda _: None,
    ) -> None:
        self._check = check
        self._journal = ReloadJournal(
            source=source,
            folder=folder,
            suffix=".yaml",
            load=self._load,
            reopen=parse_policy,
            name_of=lambda policy: f"policy {policy.version}",
            on_reload=on_reload,
        )

    def _load(self, content: bytes) -> Policy:
        policy = parse_policy(content)
        self._check(policy)
        return policy

    @property
    def in_use_since_seconds(self) -> float | None:
        """When the policy of the last micro-batch was put to use; None before the first one."""
        return self._journal.opened_since_seconds

    def policy_for(self, batch_id: int, *, is_rerun: bool) -> Policy:
        """Return the policy for a micro-batch; a first run may load a changed file.

        Raises:
            BrokenPolicy: the file is invalid, and no earlier version exists here.
        """
        try:
            return self._journal.version_for_batch(batch_id, is_rerun=is_rerun)
        except NoUsableVersion as error:
            raise BrokenPolicy(str(error)) from error
