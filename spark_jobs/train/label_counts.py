"""Count the classes of training and test days, and the purchases that their labels leave out."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

from pyspark.sql import DataFrame

from fraudwatch.domain.training.label_truth import DeclineCounts, LeftOut


@dataclass(frozen=True, slots=True, kw_only=True)
class LabelCounts:
    """Frauds and genuine purchases of some days, those left out by reason, and the declines."""

    frauds: int
    genuine: int
    left_out: Mapping[LeftOut, int]
    declines: DeclineCounts


@dataclass(frozen=True, slots=True, kw_only=True)
class FoldLabels:
    """Counts of a fold's training days and of its test days."""

    training: LabelCounts
    test: LabelCounts

    @property
    def left_out_metrics(self) -> dict[str, float]:
        """Count what was left out of training and of both sides of the gate, by reason."""
        return {
            f"left_out.{reason}": self.training.left_out[reason] + self.test.left_out[reason]
            for reason in LeftOut
        }

    @property
    def left_out_document(self) -> dict[str, dict[str, int]]:
        """Count what was left out of training and of test days, by reason."""
        return {
            name: {str(reason): count for reason, count in counted.left_out.items()}
            for name, counted in (("training", self.training), ("test", self.test))
        }

    @property
    def declines_document(self) -> dict[str, Any]:
        """Describe the declines of the test days: counts, precision, and a sentence."""
        declines = self.test.declines
        return {
            **asdict(declines),
            "precision": declines.precision,
            "sentence": declines.sentence,
        }


def count_labels(rows: DataFrame) -> LabelCounts:
    """Count rows of :func:`~spark_jobs.train.training_rows.with_truth`."""
    kinds, labelled_declines = Counter[bool](), Counter[bool]()
    left_out, declined = Counter[str](), 0
    for row in rows.groupBy("left_out", "is_fraud", "is_declined").count().collect():
        count = row["count"]
        declined += count if row.is_declined else 0
        if row.left_out is not None:
            left_out[row.left_out] += count
            continue
        kinds[row.is_fraud] += count
        # Without a label it would have been left out.
        labelled_declines[row.is_fraud] += count if row.is_declined else 0
    return LabelCounts(
        frauds=kinds[True],
        genuine=kinds[False],
        left_out={reason: left_out[reason] for reason in LeftOut},
        declines=DeclineCounts(
            declined=declined,
            labelled=labelled_declines.total(),
            frauds=labelled_declines[True],
        ),
    )
