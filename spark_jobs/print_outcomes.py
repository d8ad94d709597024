"""What a job says when it ends: lines for people, or one object for machines."""

from __future__ import annotations

import json
import sys
from collections.abc import Sequence
from dataclasses import asdict

from fraudwatch.domain.lake.job_outcome import JobOutcome


def say(outcomes: Sequence[JobOutcome], *, as_json: bool, failed: Sequence[str] = ()) -> None:
    """Print outcomes on standard output; the failures go to the log."""
    if as_json:
        told = {"outcomes": [asdict(one) for one in outcomes], "failed": list(failed)}
        sys.stdout.write(json.dumps(told) + "\n")
        return
    for one in outcomes:
        seconds = (one.ended_at_ms - one.began_at_ms) / 1000
        sys.stdout.write(
            f"{one.job}: {one.rows_in} rows in, {one.rows_out} out, {one.rows_rejected} put aside "
            f"{one.reasons}, {seconds:.1f} s\n"
        )
