"""Load the contracts of sources: one YAML file each, named by its source."""

from __future__ import annotations

from pathlib import Path

import msgspec
import yaml

from fraudwatch.domain.source_contract import DEFAULT_SOURCE, SourceContract, SourceContracts


class BrokenSourceContract(ValueError):
    """A contract is invalid; the message names the file and the cause."""


def load_source_contracts(folder: Path) -> SourceContracts:
    """Read and check all contracts of a folder.

    Raises:
        BrokenSourceContract: a file is invalid, or ``default.yaml`` is missing.
    """
    found = {path.stem: _contract(path) for path in sorted(folder.glob("*.yaml"))}
    if DEFAULT_SOURCE not in found:
        raise BrokenSourceContract(
            f"{folder} has no {DEFAULT_SOURCE}.yaml, so sources without a file have no deadline; "
            "restore it"
        )
    return SourceContracts(found)


def _contract(path: Path) -> SourceContract:
    try:
        document = yaml.safe_load(path.read_text(encoding="utf-8"))
        contract = msgspec.convert(document, SourceContract)
    except (OSError, UnicodeDecodeError, yaml.YAMLError, msgspec.ValidationError) as error:
        raise BrokenSourceContract(f"{path} cannot be used: {error}") from error
    if faults := contract.faults():
        raise BrokenSourceContract(f"{path}: {'; '.join(faults)}")
    return contract
