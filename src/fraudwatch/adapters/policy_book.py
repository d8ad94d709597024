"""Which policy a batch is judged by: hot reload that a batch which is run again does not notice.

A changed file is taken up between batches. The change is logged, with the policy itself, before it
is used, so that a batch run again after a crash is judged by the policy it had.
"""

from __future__ import annotations

import hashlib
import json
import logging
import os
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple

from fraudwatch.adapters.keysets import write_durably
from fraudwatch.adapters.policy_file import parse_policy
from fraudwatch.domain.policy import BrokenPolicy, Policy

log = logging.getLogger(__name__)


class _Use(NamedTuple):
    """From this batch on the policy with this content was used."""

    first_batch_id: int
    sha256: str


@dataclass(slots=True)
class PolicyBook:
    """The policy file that people edit, and the folder that remembers what was used when.

    ``on_look`` is told after each look at a changed file whether it is usable.
    """

    source: Path
    folder: Path
    on_look: Callable[[bool], None]
    _uses: list[_Use] = field(init=False)
    _policies: dict[str, Policy] = field(default_factory=dict)
    _looked_at: tuple[int, int, int] | None = None

    def __post_init__(self) -> None:
        self._uses = _read(self._log) if self._log.exists() else []

    def policy_for(self, batch_id: int, *, is_rerun: bool) -> Policy:
        """The policy of a batch; one that begins for the first time may bring a changed file in.

        Raises:
            BrokenPolicy: the file is not usable, and no policy was ever in use here.
        """
        if not is_rerun or not self._uses:
            self._look(batch_id)
        used = [use for use in self._uses if use.first_batch_id <= batch_id]
        return self._policy(used[-1].sha256)

    def _look(self, batch_id: int) -> None:
        """Take the file up if it has changed; a broken one is told and the old one stays."""
        try:
            found = self.source.stat()
            signature = (found.st_mtime_ns, found.st_size, found.st_ino)
            if signature == self._looked_at:
                return
            content = self.source.read_bytes()
            policy = parse_policy(content)
        except (OSError, BrokenPolicy) as error:
            if not self._uses:
                raise BrokenPolicy(f"{self.source} is not usable: {error}") from error
            log.error("%s is not usable, the policy in use stays: %s", self.source, error)  # noqa: TRY400  its text says all
            self.on_look(False)
            return
        self._looked_at = signature
        self.on_look(True)
        self._use(batch_id, hashlib.sha256(content).hexdigest(), content, policy)

    def _use(self, batch_id: int, sha256: str, content: bytes, policy: Policy) -> None:
        if self._uses and self._uses[-1].sha256 == sha256:
            return
        write_durably(self.folder / f"{sha256}.yaml", content.decode())
        line = json.dumps({"first_batch_id": batch_id, "sha256": sha256})
        with self._log.open("a", encoding="utf-8") as file:
            file.write(line + "\n")
            file.flush()
            os.fsync(file.fileno())
        self._uses.append(_Use(batch_id, sha256))
        self._policies[sha256] = policy
        log.info("from batch %d on judging by policy %s", batch_id, policy.version)

    def _policy(self, sha256: str) -> Policy:
        if sha256 not in self._policies:
            content = (self.folder / f"{sha256}.yaml").read_bytes()
            self._policies[sha256] = parse_policy(content)
        return self._policies[sha256]

    @property
    def _log(self) -> Path:
        return self.folder / "used.jsonl"


def _read(path: Path) -> list[_Use]:
    uses = []
    for line in path.read_text(encoding="utf-8").splitlines():
        try:
            uses.append(_Use(**json.loads(line)))
        except ValueError:
            # Only the last line can be torn, by a crash before it was used.
            log.warning("%s: passed over a line that was not finished", path.name)
    return uses
