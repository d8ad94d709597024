"""Print a job's outcomes: lines for people, or one JSON object."""

from __future__ import annotations

import json
import sys
from collections.abc import Sequence
from dataclasses import asdict

from fraudwatch.domain.lake.job_outcome import JobOutcome


def print_outcomes(
    outcomes: Sequence[JobOutcome], *, as_json: bool, failed: Sequence[str] = ()
) -> None:
    """Print outcomes on standard output; the caller logs the failures."""
    if as_json:
        document = {"outcomes": [asdict(one) for one in outcomes], "failed": list(failed)}
        sys.stdout.write(json.dumps(document) + "\n")
        return
    for one in outcomes:
        seconds = (one.ended_at_ms - one.began_at_ms) / 1000
        sys.stdout.write(
            f"{one.job}: {one.rows_in} rows in, {one.rows_out} out, {one.rows_rejected} rejected "
            f"{one.reasons}, {seconds:.1f} s\n"
        )
