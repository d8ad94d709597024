"""How a measurement on public data is run: one file in, one JSON object out."""

from __future__ import annotations

import argparse
import json
import logging
import platform
import resource
import sys
import time
from collections.abc import Callable
from importlib.metadata import version
from pathlib import Path
from typing import Any, Final

import xgboost

from fraudwatch.adapters.datasets.files import UnreadableFile
from fraudwatch.adapters.datasets.mapping import WrongMapping, load_mapping
from fraudwatch.adapters.rate_file import load_rates
from fraudwatch.domain.features.fold import features_version
from fraudwatch.observability.logs import configure_logging
from fraudwatch.proof.labelled_table import Table, UnfitData, read_table

RATES: Final = Path("contracts/rates/eur.csv")


def run(
    job: str, purpose: str | None, mapping: Path, measure: Callable[[Table], dict[str, Any]]
) -> int:
    """Read the file, measure, print what came of it with its time, memory and versions."""
    parser = argparse.ArgumentParser(
        prog=f"python -m fraudwatch.proof.{job}",
        description=purpose,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("file", type=Path, help="the data, joined: CSV or Parquet")
    asked = parser.parse_args()
    configure_logging(job)
    try:
        logging.getLogger(job).info("reading %s", asked.file.name)
        table = read_table(asked.file, load_mapping(mapping), load_rates(RATES))
    except (UnreadableFile, WrongMapping, UnfitData) as wrong:
        sys.stderr.write(f"{wrong}\n")
        return 1
    began = time.monotonic()
    report = measure(table)
    sys.stdout.write(json.dumps(report | _told(time.monotonic() - began)) + "\n")
    return 0


def _told(seconds: float) -> dict[str, Any]:
    return {
        "seconds": round(seconds, 1),
        "peak_rss_mib": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024,
        "versions": {
            "python": platform.python_version(),
            **{name: version(name) for name in ("numpy", "numba", "scikit-learn")},
            "xgboost": xgboost.__version__,  # two packages install it under names of their own
            "features": features_version(),
        },
    }
