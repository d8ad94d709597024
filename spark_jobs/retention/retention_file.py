"""Load the retention policy from its YAML file."""

from __future__ import annotations

from pathlib import Path

import yaml

from fraudwatch.domain.lake.retention import BrokenRetention, Retention, retention_from


def load_retention(path: Path) -> Retention:
    """Read and check a retention policy.

    Raises:
        BrokenRetention: the file cannot be read or is no retention policy; the message names it.
    """
    try:
        return retention_from(yaml.safe_load(path.read_bytes()))
    except (OSError, UnicodeDecodeError, yaml.YAMLError) as error:
        raise BrokenRetention(f"{path} cannot be read as YAML: {error}") from error
    except BrokenRetention as error:
        raise BrokenRetention(f"{path}: {error}; nothing was deleted; correct the file") from error
