"""Measure the throughput of the feature fold in Spark over the whole archive, without output.

The job that builds features (``spark_jobs/features/build_features.py``) also starts Spark and
writes a table; this measures the fold alone, pass after pass in one session. The first pass also
starts the Python workers.

Example: python -m benchmarks.fold_pace --json
"""

from __future__ import annotations

import argparse
import json
import sys
import time
from collections.abc import Callable, Sequence
from typing import Any, Final

from fraudwatch import lake
from fraudwatch.adapters.lake.session import open_lake
from fraudwatch.adapters.lake.spark_features import features_of
from fraudwatch.settings import LakeSettings

_PASSES: Final = 3


def pace_of(messages: int, pass_seconds: Sequence[float]) -> dict[str, Any]:
    """Report all passes and the throughput of the last, which no longer starts anything."""
    return {
        "messages": messages,
        "pass_seconds": [round(seconds, 2) for seconds in pass_seconds],
        "messages_per_second": round(messages / pass_seconds[-1]),
    }


def timed(work: Callable[[], None]) -> float:
    """Run a function and return its seconds."""
    began = time.monotonic()
    work()
    return time.monotonic() - began


def main() -> int:
    """Fold the archive a few times and print the seconds of each pass."""
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.fold_pace",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--json", action="store_true", help="print exactly one JSON object")
    arguments, settings = parser.parse_args(), LakeSettings()
    spark = open_lake(settings, "fold_pace")
    archived = spark.table(f"{lake.DATABASE}.{lake.RAW_TRANSACTION_TOPIC}")

    def fold() -> None:
        features_of(archived, settings.shuffle_partitions).write.format("noop").mode(
            "overwrite"
        ).save()

    pace = pace_of(archived.count(), [timed(fold) for _ in range(_PASSES)])
    as_text = f"{pace['messages_per_second']} messages a second"
    sys.stdout.write((json.dumps(pace) if arguments.json else as_text) + "\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
