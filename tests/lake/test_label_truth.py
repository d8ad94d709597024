"""Label truth as Spark columns, compared with the rule in plain Python."""

from __future__ import annotations

from collections import Counter
from itertools import product

from pyspark.sql import SparkSession

from fraudwatch.domain.messages.label import LabelValue
from fraudwatch.domain.messages.purchase import PaymentStatus
from fraudwatch.domain.messages.verdict import Outcome
from fraudwatch.domain.training.label_truth import LeftOut, Truth, truth_of
from spark_jobs.train.label_counts import count_labels
from spark_jobs.train.training_rows import known_rows, with_truth

CASES = list(product([None, *LabelValue], [None, *Outcome], [None, *PaymentStatus]))
ROWS = "transaction_id string, outcome string, payment_status string"


def test_the_columns_and_the_rule_agree(spark: SparkSession) -> None:
    named = {f"t:{number}": case for number, case in enumerate(CASES)}
    rows = spark.createDataFrame(
        [
            (name, outcome and str(outcome), status and str(status))
            for name, (_, outcome, status) in named.items()
        ],
        ROWS,
    )
    labels = {name: label for name, (label, _, _) in named.items() if label is not None}
    found = with_truth(rows, labels).persist()
    wanted = {name: truth_of(*case) for name, case in named.items()}
    assert {
        row.transaction_id: LeftOut(row.left_out)
        if row.left_out
        else (Truth.FRAUD if row.is_fraud else Truth.GENUINE)
        for row in found.collect()
    } == wanted
    known = known_rows(found)
    assert known.columns == ["transaction_id", "is_fraud"]
    assert known.count() == sum(isinstance(one, Truth) for one in wanted.values())

    counted, counts = count_labels(found), Counter(wanted.values())
    assert (counted.frauds, counted.genuine) == (counts[Truth.FRAUD], counts[Truth.GENUINE])
    assert counted.left_out == {reason: counts[reason] for reason in LeftOut}
    declined = [name for name, (_, outcome, _) in named.items() if outcome is Outcome.DECLINE]
    labelled = [wanted[name] for name in declined if isinstance(wanted[name], Truth)]
    assert counted.declines.declined == len(declined)
    assert counted.declines.labelled == len(labelled)
    assert counted.declines.frauds == labelled.count(Truth.FRAUD)
