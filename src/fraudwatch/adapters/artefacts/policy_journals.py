"""Find the policies and lists that verdicts name, in the detector's reload journals.

A version ends with the hashes of policy and lists, and each file is named by its content's hash. So
neither is ever searched by the policy's name, and a file of another content is never used.
"""

from __future__ import annotations

import hashlib
import logging
import re
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import NamedTuple

from fraudwatch.adapters.artefacts.policy_file import NAMED_DIGITS, parse_lists, parse_policy
from fraudwatch.domain.policy.list_document import PolicyLists, with_lists
from fraudwatch.domain.policy.policy import BrokenPolicy, Policy

_CONTENT_NAME = re.compile(r"[0-9a-f]{64}")
log = logging.getLogger(__name__)


class PolicyFiles(NamedTuple):
    """Files of one policy version; no lists where they were a part of the policy."""

    policy: Path
    lists: Path | None = None

    def open_in(self, folder: Path) -> Policy:
        """Open copies of the files that are in this folder, under their own names."""
        lists = None if self.lists is None else folder / self.lists.name
        return PolicyFiles(folder / self.policy.name, lists).open()

    def open(self) -> Policy:
        """Open the files."""
        policy = parse_policy(self.policy.read_bytes())
        if self.lists is None:
            return policy
        return with_lists(policy, parse_lists(self.lists.read_bytes()))


def find_policies(folders: Iterable[Path], wanted: set[str]) -> Iterator[tuple[str, PolicyFiles]]:
    """Yield each wanted version with its files; a broken or missing one is left out."""
    by_hash = _by_hash(folders)
    for version in sorted(wanted):
        for hashes in _hashes_of(version):
            paths = [by_hash[one] for one in hashes if one in by_hash]
            if len(paths) == len(hashes) and _is_version(files := PolicyFiles(*paths), version):
                yield version, files
                break


def find_lists(policies_folder: Path, lists_folder: Path, version: str) -> PolicyLists | None:
    """Return the lists of a policy version; None where they are not there or are broken.

    They are empty, and without a version, where they were a part of the policy.
    """
    named = version.rpartition("+")[2]
    path = _by_hash([lists_folder]).get(named)
    if path is None:
        return PolicyLists() if named in _by_hash([policies_folder]) else None
    try:
        lists = parse_lists(path.read_bytes())
    except (OSError, BrokenPolicy) as error:
        log.warning("the lists of %s are skipped: %s", version, error)
        return None
    if lists.version != named:
        log.warning("%s is skipped: its content was changed", path.name)
        return None
    return lists


def _by_hash(folders: Iterable[Path]) -> Mapping[str, Path]:
    return {
        path.stem[:NAMED_DIGITS]: path
        for folder in folders
        for path in folder.glob("*.yaml")
        if _CONTENT_NAME.fullmatch(path.stem)
    }


def _hashes_of(version: str) -> Iterator[list[str]]:
    """Yield the hashes that a version may name: of policy and lists, or of the policy alone."""
    _, *hashes = version.split("+")
    if hashes:
        yield hashes[-2:]
        yield hashes[-1:]


def _is_version(files: PolicyFiles, version: str) -> bool:
    """Check that the files have the content of their names, and are this version."""
    try:
        for path in filter(None, files):
            if hashlib.sha256(path.read_bytes()).hexdigest() != path.stem:
                log.warning("%s is skipped: its content was changed", path.name)
                return False
        return files.open().version == version
    except (OSError, BrokenPolicy) as error:
        log.warning("the policy %s is skipped: %s", version, error)
        return False
