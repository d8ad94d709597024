"""Which policy a batch is judged by: the file that people edit, taken up between batches."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from fraudwatch.adapters.artefacts.policy_file import parse_policy
from fraudwatch.adapters.artefacts.versioned_reload import BookOfUses, NothingToUse
from fraudwatch.domain.policy.policy import BrokenPolicy, Policy


class PolicyBook:
    """The policy file, and the folder that remembers what was used when.

    ``on_look`` is told after each look at a changed file whether it is usable.
    """

    def __init__(self, source: Path, folder: Path, on_look: Callable[[bool], None]) -> None:
        self._book = BookOfUses(
            source=source,
            folder=folder,
            suffix=".yaml",
            take_up=parse_policy,
            reopen=parse_policy,
            name_of=lambda policy: f"policy {policy.version}",
            on_look=on_look,
        )

    def policy_for(self, batch_id: int, *, is_rerun: bool) -> Policy:
        """The policy of a batch; one that begins for the first time may bring a changed file in.

        Raises:
            BrokenPolicy: the file is not usable, and no policy was ever in use here.
        """
        try:
            return self._book.used_in(batch_id, is_rerun=is_rerun)
        except NothingToUse as error:
            raise BrokenPolicy(str(error)) from error
