"""Run a measurement on a public data set: one file in, one JSON object or table out."""

from __future__ import annotations

import argparse
import json
import logging
import math
import platform
import resource
import sys
import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Any, Final

import xgboost

from benchmarks.labelled_table import LabelledTable, UnfitData, read_table
from benchmarks.machine import machine
from fraudwatch.adapters.artefacts.rate_file import load_rates
from fraudwatch.adapters.datasets.layout import UnreadableFile
from fraudwatch.adapters.datasets.mapping import WrongMapping, load_mapping
from fraudwatch.domain.features.fold import features_version
from fraudwatch.observability.logs import configure_logging
from fraudwatch.stack.home import ROOT, StackError

RATES: Final = ROOT / "contracts/rates/eur.csv"
MAPPINGS: Final = ROOT / "contracts/datasets"


@dataclass(frozen=True, slots=True)
class DatasetRun:
    """One benchmark command; its name is also the data folder's and the mapping's."""

    name: str
    purpose: str | None
    measure: Callable[[LabelledTable, argparse.Namespace], dict[str, Any]]
    as_text: Callable[[Mapping[str, Any]], Iterable[str]]
    add_options: Callable[[argparse.ArgumentParser], None] = lambda _: None

    def run(self) -> dict[str, Any]:
        """Read the file, measure, print the report with its time, memory, versions and machine.

        A file that cannot be measured ends the process with the reason and exit code 1.
        """
        arguments = self._parser().parse_args()
        configure_logging(self.name)
        try:
            table = self._table(data_file(ROOT, arguments.file, self.name))
            began = time.monotonic()
            report = self.measure(table, arguments)
        except (StackError, UnreadableFile, WrongMapping, UnfitData) as error:
            sys.exit(f"fraudwatch: {error}")
        report |= run_facts(time.monotonic() - began)
        shown = json.dumps(_with_null(report), indent=2, allow_nan=False)
        lines = [shown] if arguments.json else self.as_text(report)
        sys.stdout.writelines(f"{line}\n" for line in lines)
        return report

    def _parser(self) -> argparse.ArgumentParser:
        parser = argparse.ArgumentParser(
            prog=f"fraudwatch benchmark {self.name}",
            description=self.purpose,
            epilog=f"Example: ./fraudwatch benchmark {self.name} transactions.parquet --json",
            formatter_class=argparse.RawDescriptionHelpFormatter,
        )
        parser.add_argument(
            "file", type=Path, nargs="?", help="the data, CSV or Parquet; see data/source_data.txt"
        )
        parser.add_argument("--json", action="store_true", help="print exactly one JSON object")
        self.add_options(parser)
        return parser

    def _table(self, path: Path) -> LabelledTable:
        logging.getLogger(self.name).info("reading %s", path.name)
        return read_table(path, load_mapping(MAPPINGS / f"{self.name}.yaml"), load_rates(RATES))


def data_file(root: Path, path: Path | None, name: str) -> Path:
    """Return the given file, or the default one in or beside the checkout.

    Raises:
        StackError: no file is given and the default one does not exist.
    """
    if path is not None:
        return path
    default = Path(name) / "transactions.parquet"
    candidates = (root / "data" / default, root.parent / "shared/data" / default)
    for candidate in candidates:
        if candidate.exists():
            return candidate
    raise StackError(
        f"{candidates[0]} does not exist, so there is nothing to measure; download it as "
        "data/source_data.txt describes, or name another file: "
        f"./fraudwatch benchmark {name} PATH"
    )


def _with_null(value: Any) -> Any:
    """Replace every NaN by None: JSON has no other word for unknown."""
    if isinstance(value, Mapping):
        return {name: _with_null(one) for name, one in value.items()}
    if isinstance(value, (list, tuple)):
        return [_with_null(one) for one in value]
    return None if isinstance(value, float) and math.isnan(value) else value


def run_facts(seconds: float) -> dict[str, Any]:
    """Return time, peak memory, versions and machine of a measurement in this process."""
    return {
        "seconds": round(seconds, 1),
        "peak_rss_mib": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024,
        "versions": {
            "python": platform.python_version(),
            **{name: version(name) for name in ("numpy", "numba", "scikit-learn")},
            "xgboost": xgboost.__version__,  # two packages install it, under different names
            "features": features_version(),
        },
        "machine": machine(),
    }
