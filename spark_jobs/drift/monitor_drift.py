"""Monitor drift: compare a day's features, scores, alert rate and performance with reference days.

Features are compared with the days that the supervised champion was trained on, else with the seven
days before. Scores and the alert rate are always compared with those seven: no model has scored its
own training days. Precision and recall are those of seven days past the label delay, compared with
the four weeks before them, by the labels known at the day's end.

Measures past their bound are listed, and the document sets ``model_wanted``; the run does not fail.
Drift, quality by the age of labels, and the calibration of served scores are sent as metrics.
"""

from __future__ import annotations

import json
import logging
import sys
import time
from datetime import UTC, date, datetime
from typing import Any, Final

from pyspark.sql import SparkSession

from fraudwatch import lake
from fraudwatch.adapters.lake.commit import LakeBusy
from fraudwatch.adapters.lake.outcomes import append_outcomes, outcome_of, run_id
from fraudwatch.adapters.lake.session import open_lake
from fraudwatch.batch_settings import ArtefactSettings
from fraudwatch.domain.evaluation.drift import DriftStatus, Measure, needs_training, sentence_of
from fraudwatch.domain.lake.counted_rows import CountedRows
from fraudwatch.observability.job_metrics import run_job
from fraudwatch.observability.logs import configure_logging
from fraudwatch.settings import LabelSettings, LakeSettings
from spark_jobs.days import Days, parse_day_arguments, replace_days
from spark_jobs.drift.day import JOB, DayDrift, trained_on
from spark_jobs.drift.day_metrics import send_drift, send_quality
from spark_jobs.drift.rows import DayWindow

EXAMPLE = "Example: spark-submit spark_jobs/drift/monitor_drift.py --date 2026-11-20 --json"
_COLUMNS: Final = """what STRING, name STRING, value DOUBLE, reference_value DOUBLE, rows BIGINT,
  reference_rows BIGINT, judgement STRING, said STRING, reference STRING, run_id STRING,
  monitored_at TIMESTAMP, event_on DATE"""

log = logging.getLogger(JOB)


def save_drift(
    spark: SparkSession, day: date, measured: list[tuple[Measure, DayWindow]], began_at_ms: int
) -> None:
    """Replace the day's drift rows and record the job outcome.

    Raises:
        LakeBusy: concurrent writers kept winning; the day's rows were not changed by this run.
    """
    beside = (run_id(), datetime.now(UTC), day)
    rows = [
        (str(one.what), one.name, one.value, one.reference_value, one.rows, one.reference_rows,
         str(one.judgement), one.said, reference.label, *beside)
        for one, reference in measured
    ]  # fmt: skip
    frame = spark.createDataFrame(rows, _COLUMNS).coalesce(1)
    replace_days(frame, f"{lake.DATABASE}.{lake.CORE_DRIFT}", "event_on", Days(day, day))
    counted = CountedRows(
        rows_in=max((one.rows for one, _ in measured), default=0),
        rows_out=len(rows),
        rejected={
            str(status): count
            for status in DriftStatus
            if status is not DriftStatus.QUIET
            and (count := sum(one.judgement is status for one, _ in measured))
        },
        from_ms=Days(day, day).from_ms,
        until_ms=Days(day, day).until_ms,
    )
    append_outcomes(spark, [outcome_of(JOB, counted, began_at_ms=began_at_ms)])


def document_of(day: date, measures: list[Measure]) -> dict[str, Any]:
    """Build the run's result as one JSON object."""
    past = [one.name for one in measures if one.judgement is DriftStatus.PAST_BOUND]
    few = [one.name for one in measures if one.judgement is DriftStatus.TOO_FEW_ROWS]
    return {
        "date": day.isoformat(),
        "model_wanted": needs_training(measures),
        "past_bound": past,
        "too_few_rows": few,
        "measures": len(measures),
        "said": sentence_of(day.isoformat(), measures),
    }


def main() -> int:
    """Run the job once, print its result and return the exit code."""
    arguments = parse_day_arguments(JOB, __doc__, EXAMPLE)
    configure_logging(JOB)
    began_at_ms, spark = time.time_ns() // 1_000_000, open_lake(LakeSettings(), JOB)
    window = trained_on(ArtefactSettings().models_folder, arguments.date)
    label_delay_days = LabelSettings().delay_days
    try:
        measured = DayDrift(
            spark=spark,
            day=arguments.date,
            label_delay_days=label_delay_days,
            trained_on=window,
        ).measure()
        save_drift(spark, arguments.date, measured, began_at_ms)
    except LakeBusy as error:
        log.error("%s", error)  # noqa: TRY400  the sentence is enough; a traceback would bury it
        return 1
    measures = [one for one, _ in measured]
    send_drift(measures)
    send_quality(spark, arguments.date, label_delay_days)
    document = document_of(arguments.date, measures)
    sys.stdout.write((json.dumps(document) if arguments.json else document["said"]) + "\n")
    return 0


if __name__ == "__main__":
    sys.exit(run_job(JOB, main))
