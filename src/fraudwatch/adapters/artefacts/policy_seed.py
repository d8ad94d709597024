"""Seed the live policy of a home once, and read what the detector has used.

A home of before the policy was in it has one in the detector's reload journal: that one becomes
the live policy, its embedded lists a file of their own, so that an upgrade changes no verdict.
"""

from __future__ import annotations

import logging
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

from fraudwatch.adapters.artefacts.policy_file import (
    document_of,
    lists_yaml,
    parse_policy,
    parse_rules,
    policy_yaml,
)
from fraudwatch.adapters.artefacts.policy_folder import PolicyFolder
from fraudwatch.adapters.artefacts.reloadable_policy import LISTS_FOLDER
from fraudwatch.adapters.durable_file import replace_file
from fraudwatch.adapters.jsonl_journal import JsonlJournal
from fraudwatch.application.policy.going_live import UsedContent
from fraudwatch.application.policy.versions import SYSTEM, LiveVersion, Origin, PolicyContents
from fraudwatch.domain.policy.list_document import (
    NO_LISTS_DOCUMENT,
    ListEntry,
    ListKind,
    ListName,
)
from fraudwatch.domain.policy.policy import BrokenPolicy

POLICIES_FOLDER: Final = "policies"
SHIPPED_FILE: Final = "shipped.yaml"
_EMBEDDED = re.compile(r"^lists:.*\n(?:(?:[ \t]+.*|[ \t]*)\n)*", re.MULTILINE)
log = logging.getLogger(__name__)


def seed_policy(
    folder: PolicyFolder, default: bytes, detector_folder: Path, now_ms: int
) -> LiveVersion | None:
    """Make the first live policy of a home; None, and nothing changed, if there is one.

    Raises:
        BrokenPolicy: the default is invalid.
    """
    with folder.lock():
        if folder.policy_path.exists():
            return None
        used = last_used(detector_folder / POLICIES_FOLDER)
        contents = PolicyContents(default, NO_LISTS_DOCUMENT)
        reason = "the shipped default"
        if used is not None and used != default:
            try:
                moved = without_embedded_lists(used, now_ms)
                contents, reason = moved, "the policy that this home used before"
            except BrokenPolicy as error:
                log.warning("the policy used before cannot be used, so the default is: %s", error)
        policy = parse_rules(*contents)
        version = LiveVersion(
            version=policy.version,
            policy_sha256=contents.policy_sha256,
            lists_sha256=contents.lists_sha256,
            at_ms=now_ms,
            origin=Origin.SEEDED,
            drafted_by=SYSTEM,
            promoted_by=SYSTEM,
            reason=reason,
        )
        replace_file(folder.folder / SHIPPED_FILE, default)
        folder.record(version, contents)
        folder.replace_live(contents)
    log.info("the live policy is %s: %s", folder.policy_path, reason)
    return version


def new_default(folder: PolicyFolder, default: bytes) -> bool:
    """Return whether another default is shipped than at the last call, and remember this one."""
    path = folder.folder / SHIPPED_FILE
    if not path.exists() or path.read_bytes() == default:
        return False
    replace_file(path, default)
    return folder.live().policy != default


def without_embedded_lists(content: bytes, now_ms: int) -> PolicyContents:
    """Move the lists that a policy embeds to a file of their own.

    Raises:
        BrokenPolicy: the policy is invalid.
    """
    parse_policy(content)
    document = document_of(content)
    lists = document.pop("lists", None)
    if lists is None:
        return PolicyContents(content, NO_LISTS_DOCUMENT)
    entries = tuple(_entries(lists, now_ms))
    points = lists.get("deny", {}).get("points", 100)
    added = {} if points == 100 else {"deny_points": points}  # noqa: PLR2004  the default
    text = _EMBEDDED.sub("", content.decode()).encode()
    if document_of(text) != document or added:
        text = policy_yaml(document | added, "Moved here from contracts/policies.")
    return PolicyContents(text, lists_yaml(entries) if entries else NO_LISTS_DOCUMENT)


def last_used(journal: Path) -> bytes | None:
    """Return the content that the detector used last; None if there is none."""
    used = JsonlJournal(journal / "used.jsonl").entries()
    path = journal / f"{used[-1]['sha256']}.yaml" if used else None
    return path.read_bytes() if path and path.exists() else None


def used_contents(detector_folder: Path) -> Iterator[UsedContent]:
    """Yield the policies and lists of the detector's reload journals, each in its order."""
    for name in (POLICIES_FOLDER, LISTS_FOLDER):
        for entry in JsonlJournal(detector_folder / name / "used.jsonl").entries():
            path = detector_folder / name / f"{entry['sha256']}.yaml"
            if path.exists():
                since_ms = path.stat().st_mtime_ns // 1_000_000
                yield UsedContent(path.stem, since_ms, name == LISTS_FOLDER, path.read_bytes)


def _entries(lists: dict[str, Any], now_ms: int) -> Iterator[ListEntry]:
    kinds = {kind.column: kind for kind in ListKind}
    for name in ListName:
        for column, values in (lists.get(name) or {}).items():
            if column in kinds:
                for value in values:
                    yield ListEntry(
                        name=name,
                        kind=kinds[column],
                        value=value,
                        reason="moved from the policy, which embedded its lists",
                        by=SYSTEM,
                        added_at_ms=now_ms,
                    )
