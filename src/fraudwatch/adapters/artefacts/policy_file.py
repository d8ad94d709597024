"""Load a policy from its YAML file."""

from __future__ import annotations

import dataclasses
import hashlib
import re
from pathlib import Path

import yaml

from fraudwatch.domain.policy.document import policy_from
from fraudwatch.domain.policy.policy import BrokenPolicy, Policy

_NAMED_DIGITS = 8
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
    """Read and check a policy file.

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
        return parse_policy(content)
    except BrokenPolicy as error:
        raise BrokenPolicy(f"{path}: {error}") from error


def parse_policy(content: bytes) -> Policy:
    """Parse a policy from a file's content; see :func:`load_policy`."""
    try:
        document = yaml.safe_load(content)
    except (UnicodeDecodeError, yaml.YAMLError) as error:
        raise BrokenPolicy(f"is no YAML: {error}") from error
    if not isinstance(document, dict):
        raise BrokenPolicy("is no mapping; see contracts/policies/default.yaml")
    policy = policy_from(document)
    named = hashlib.sha256(content).hexdigest()[:_NAMED_DIGITS]
    return dataclasses.replace(policy, version=f"{policy.version}+{named}")
