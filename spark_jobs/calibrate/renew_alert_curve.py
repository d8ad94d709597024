"""Renew the alert curve of the active model, and its novelty curve, by the days that it scored.

Alert curves need no labels: those of the last seven days replace the ones in the active
calibration. Calibrator and labelled curve stay, and so does the model, byte for byte. With fewer
than three days that the model scored whole, or where it was replaced meanwhile, nothing changes.

Exit code 0: renewed, or nothing to renew; 1: failed, and the active calibration stays.
"""

from __future__ import annotations

import json
import logging
import sys
import time
from datetime import date
from typing import Any

from fraudwatch.adapters.lake.commit import LakeBusy
from fraudwatch.adapters.lake.outcomes import append_outcomes, outcome_of
from fraudwatch.adapters.lake.session import open_lake
from fraudwatch.batch_settings import ModelFolderSettings
from fraudwatch.domain.calibration.calibrator import BrokenCalibration
from fraudwatch.domain.models.fitted import BrokenModel
from fraudwatch.observability.job_metrics import run_job
from fraudwatch.observability.logs import configure_logging
from fraudwatch.settings import LakeSettings
from spark_jobs.calibrate.renewal import Renewal, renew
from spark_jobs.days import parse_day_arguments

JOB = "renew_alert_curve"
EXAMPLE = "Example: spark-submit spark_jobs/calibrate/renew_alert_curve.py --date 2026-11-20 --json"

log = logging.getLogger(JOB)


def document_of(last: date, renewal: Renewal) -> dict[str, Any]:
    """Build the run's result as one JSON object."""
    return {
        "date": last.isoformat(),
        "outcome": str(renewal.outcome),
        "because": renewal.because,
        "calibration": renewal.calibration,
        "days": renewal.days,
        "purchases": renewal.counted.rows_out,
    }


def main() -> int:
    """Run the job once, print its result and return the exit code."""
    arguments = parse_day_arguments(JOB, __doc__, EXAMPLE)
    configure_logging(JOB)
    began_at_ms, spark = time.time_ns() // 1_000_000, open_lake(LakeSettings(), JOB)
    folder = ModelFolderSettings().models_folder
    try:
        renewal = renew(spark, folder, arguments.date, began_at_ms)
        append_outcomes(spark, [outcome_of(JOB, renewal.counted, began_at_ms=began_at_ms)])
    except (BrokenCalibration, BrokenModel, FileNotFoundError, LakeBusy) as error:
        log.error("%s", error)  # noqa: TRY400  the sentence is enough; a traceback would bury it
        return 1
    document = document_of(arguments.date, renewal)
    text = json.dumps(document) if arguments.json else f"{renewal.outcome}: {renewal.because}"
    sys.stdout.write(f"{text}\n")
    return 0


if __name__ == "__main__":
    sys.exit(run_job(JOB, main))
