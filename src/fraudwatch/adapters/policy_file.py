"""A policy out of its YAML file."""

from __future__ import annotations

import dataclasses
import hashlib
from pathlib import Path

import yaml

from fraudwatch.domain.policy import BrokenPolicy, Policy
from fraudwatch.domain.policy_document import policy_from

_NAMED_DIGITS = 8


def load_policy(path: Path) -> Policy:
    """Read and check a policy file.

    Its version becomes the author's and the content's hash, for example ``2026-11-21+1f3a9c04``: an
    edit that keeps the version is told apart all the same.

    Raises:
        BrokenPolicy: the file cannot be read, is no YAML, or no usable policy; the text names it.
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
    """The policy in a file's content; see :func:`load_policy`."""
    try:
        document = yaml.safe_load(content)
    except (UnicodeDecodeError, yaml.YAMLError) as error:
        raise BrokenPolicy(f"is no YAML: {error}") from error
    if not isinstance(document, dict):
        raise BrokenPolicy("is no mapping; see contracts/policies/default.yaml")
    policy = policy_from(document)
    named = hashlib.sha256(content).hexdigest()[:_NAMED_DIGITS]
    return dataclasses.replace(policy, version=f"{policy.version}+{named}")
