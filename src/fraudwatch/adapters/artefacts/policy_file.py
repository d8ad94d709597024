"""Load a policy and its lists from their YAML files."""

from __future__ import annotations

import dataclasses
import difflib
import hashlib
import re
from pathlib import Path
from typing import Any, Final

import yaml

from fraudwatch.application.policy.versions import PolicyContents
from fraudwatch.domain.policy.document import policy_from
from fraudwatch.domain.policy.list_document import (
    NO_LISTS_DOCUMENT,
    ListEntry,
    PolicyLists,
    lists_document,
    lists_from,
    with_lists,
)
from fraudwatch.domain.policy.policy import BrokenPolicy, Policy

NAMED_DIGITS: Final = 8
_NAME = re.compile(r"[A-Za-z0-9_-]+")


def find_policy(given: str, folder: Path) -> Path:
    """Find a policy file by its path, or by its name in ``folder``.

    Raises:
        BrokenPolicy: there is no such file; the message lists the names.
    """
    path = folder / f"{given}.yaml" if _NAME.fullmatch(given) else Path(given)
    if path.is_file():
        return path.resolve()
    names = ", ".join(sorted(one.stem for one in folder.glob("*.yaml"))) or "none"
    raise BrokenPolicy(
        f"there is no file {path}; give the path of a YAML document, or a name of {folder.name}/ "
        f"(there is {names})"
    )


def load_policy(path: Path) -> Policy:
    """Read and check a policy file; it has no lists.

    Its version becomes the author's version plus a hash of the content, for example
    ``2026-11-21+1f3a9c04``, so that an edit without a new version is distinguished.

    Raises:
        BrokenPolicy: the file cannot be read, is no YAML, or no valid policy; the message names it.
    """
    try:
        content = path.read_bytes()
    except OSError as error:
        raise BrokenPolicy(f"{path} cannot be read: {error}") from error
    try:
        return parse_new_policy(content)
    except BrokenPolicy as error:
        raise BrokenPolicy(f"{path}: {error}") from error


def parse_policy(content: bytes) -> Policy:
    """Parse a policy from a file's content, as it was recorded; see :func:`load_policy`."""
    policy = policy_from(document_of(content))
    return dataclasses.replace(policy, version=f"{policy.version}+{short_hash(content)}")


def parse_new_policy(content: bytes) -> Policy:
    """Parse a policy that is to become live: its lists are a file of their own.

    Raises:
        BrokenPolicy: it is no valid policy, or embeds lists.
    """
    if "lists" in document_of(content):
        raise BrokenPolicy(
            "lists are no part of a policy any more: move their entries to lists.yaml beside the "
            "live policy (./fraudwatch policy lists add) and remove the key lists"
        )
    return parse_policy(content)


def parse_lists(content: bytes) -> PolicyLists:
    """Parse the lists from a file's content.

    Raises:
        BrokenPolicy: it is no YAML, or an entry is invalid.
    """
    return PolicyLists(short_hash(content), lists_from(document_of(content)))


def parse_rules(policy: bytes, lists: bytes = NO_LISTS_DOCUMENT) -> Policy:
    """Parse a policy to be used with these lists, as the detector uses them.

    Raises:
        BrokenPolicy: either of them is invalid.
    """
    return with_lists(parse_new_policy(policy), parse_lists(lists))


def policy_yaml(document: dict[str, Any], heading: str = "") -> bytes:
    """Write a policy document as YAML, below a heading of comment lines."""
    lines = "".join(f"# {line}\n" for line in heading.splitlines())
    return (lines + yaml.safe_dump(document, sort_keys=False, allow_unicode=True)).encode()


def lists_yaml(entries: tuple[ListEntry, ...]) -> bytes:
    """Write lists as YAML."""
    return policy_yaml(lists_document(entries))


def difference(before: PolicyContents, after: PolicyContents) -> str:
    """Return the difference of two policies and their lists; comments do not count."""
    lines: list[str] = []
    for name, old, new in zip(("policy.yaml", "lists.yaml"), before, after, strict=True):
        plain = [policy_yaml(document_of(one)).decode().splitlines() for one in (old, new)]
        lines += difflib.unified_diff(plain[0], plain[1], f"live {name}", name, lineterm="", n=2)
    return "\n".join(lines)


def short_hash(content: bytes) -> str:
    """Return the part of a content's hash that versions name."""
    return hashlib.sha256(content).hexdigest()[:NAMED_DIGITS]


def document_of(content: bytes) -> dict[str, Any]:
    """Parse a policy or lists as plain values.

    Raises:
        BrokenPolicy: the content is no YAML mapping.
    """
    try:
        document = yaml.safe_load(content)
    except (UnicodeDecodeError, yaml.YAMLError) as error:
        raise BrokenPolicy(f"is no YAML: {error}") from error
    if not isinstance(document, dict):
        raise BrokenPolicy("is no mapping; see contracts/policies/default.yaml")
    return document
