"""Select what archived verdicts record beside the classifier's output: rules, anomaly, outcome."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np
import numpy.typing as npt
import pyarrow as pa
from pyspark.sql import functions as F  # noqa: N812  its customary name

from fraudwatch.domain.arrays import Bools, Float64s
from fraudwatch.domain.calibration.fit_calibration import RULE_SEPARATOR, RecordedPurchases
from fraudwatch.domain.messages.verdict import Outcome
from fraudwatch.domain.time_units import DAY_MS

if TYPE_CHECKING:
    from pyspark.sql import Column

_FRAUD_MODEL: Final = "fraud"  # as verdicts name them
_ANOMALY_MODEL: Final = "anomaly"


def recorded_columns() -> list[Column]:
    """Select the columns of a verdict that training and calibration read, with its id."""
    fraud, anomaly = _of_model(_FRAUD_MODEL), _of_model(_ANOMALY_MODEL)
    return [
        F.col("transaction_id"),
        F.col("score").alias("served_score"),
        F.col("outcome"),
        fraud["version"].alias("model_version"),
        fraud["score"].alias("model_score"),
        anomaly["score"].alias("anomaly_score"),
        anomaly["version"].alias("forest_version"),
        _rule_set().alias("rule_set"),
        (F.col("outcome") != F.lit(str(Outcome.APPROVE))).alias("is_alert"),
        _is_score_decline().alias("is_score_decline"),
    ]


def recorded_purchases(rows: pa.Table) -> RecordedPurchases:
    """Convert rows with these columns and ``event_at_ms``."""
    return RecordedPurchases(
        day=rows.column("event_at_ms").to_numpy() // DAY_MS,
        rule_sets=objects(rows, "rule_set"),
        anomaly=doubles(rows, "anomaly_score"),
        forest_version=objects(rows, "forest_version"),
    )


def doubles(rows: pa.Table, name: str) -> Float64s:
    """Convert a column of numbers; NULL becomes NaN."""
    return np.asarray(rows.column(name).cast("double").to_numpy(), dtype=np.float64)


def objects(rows: pa.Table, name: str) -> npt.NDArray[np.object_]:
    """Convert a column of texts; NULL becomes None."""
    return np.array(rows.column(name).to_pylist(), dtype=np.object_)


def flags(rows: pa.Table, name: str) -> Bools:
    """Convert a column of booleans; NULL becomes false."""
    known = rows.column(name).cast("boolean").fill_null(pa.scalar(value=False))
    return np.asarray(known.to_numpy(zero_copy_only=False), dtype=np.bool_)


def _of_model(model: str) -> Column:
    return F.get(F.filter("model_scores", lambda one: one["model"] == model), 0)


def _rule_set() -> Column:
    names = F.array_sort(F.array_distinct(F.transform("rules", lambda one: one["rule"])))
    return F.array_join(names, RULE_SEPARATOR)


def _is_score_decline() -> Column:
    """Whether its score declined it, or would have if it were not of the control group."""
    is_declined = F.col("outcome") == F.lit(str(Outcome.DECLINE))
    return (F.col("score") >= F.col("decline_from_score")) & (is_declined | F.col("is_control"))
