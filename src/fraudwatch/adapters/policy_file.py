"""A policy out of its YAML file."""

from __future__ import annotations

from pathlib import Path

import yaml

from fraudwatch.domain.policy import BrokenPolicy, Policy, policy_from


def load_policy(path: Path) -> Policy:
    """Read and check a policy file.

    Raises:
        BrokenPolicy: the file cannot be read, is no YAML, or no usable policy; the text names it.
    """
    try:
        document = yaml.safe_load(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, yaml.YAMLError) as error:
        raise BrokenPolicy(f"{path} cannot be read: {error}") from error
    if not isinstance(document, dict):
        raise BrokenPolicy(f"{path} is no mapping; see contracts/policies/default.yaml")
    try:
        return policy_from(document)
    except BrokenPolicy as error:
        raise BrokenPolicy(f"{path}: {error}") from error
