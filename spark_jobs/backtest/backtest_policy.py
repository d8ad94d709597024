"""Judges the purchases of some days by a candidate policy, and compares it with the live verdicts.

The rules are the code that the stream runs, the vectors those that the stream served, the evidence
what the models said when they served. Writes a page and its numbers into BACKTEST_FOLDER and
nothing into the lake but its row of the ledger.
"""

from __future__ import annotations

import argparse
import json
import logging
import sys
import time
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, NamedTuple

from pyspark.sql import DataFrame, SparkSession

from fraudwatch import lake
from fraudwatch.adapters.artefacts.policy_file import find_policy, load_policy, parse_policy
from fraudwatch.adapters.lake.commit import LakeBusy
from fraudwatch.adapters.lake.outcomes import append_outcomes, code_version, outcome_of
from fraudwatch.adapters.lake.session import open_lake
from fraudwatch.application.backtest.measure import measure_backtest
from fraudwatch.application.backtest.purchases import Purchases
from fraudwatch.batch_settings import BacktestSettings
from fraudwatch.domain.features.fold import features_version
from fraudwatch.domain.lake.counted_rows import CountedRows
from fraudwatch.domain.policy.policy import BrokenPolicy, Policy
from fraudwatch.observability.logs import configure_logging
from fraudwatch.settings import LakeSettings
from spark_jobs.backtest.batches import ANSWER_SCHEMA, RULE_NAMES, gathered, judge_by
from spark_jobs.backtest.page import write_backtest
from spark_jobs.backtest.rows import Sources, rows_to_judge, served_by
from spark_jobs.days import Days, add_days
from spark_jobs.marts.judged import known_by

JOB = "backtest_policy"
EXAMPLE = (
    "Example: spark-submit spark_jobs/backtest/backtest_policy.py --policy default "
    "--from 2026-11-01 --until 2026-11-20 --json"
)
POLICIES = Path(__file__).parents[2] / "contracts" / "policies"
PASTED = "pasted"

log = logging.getLogger(JOB)


class Candidate(NamedTuple):
    """A policy, and what people call it."""

    name: str
    policy: Policy


def backtest(
    spark: SparkSession, days: Days, candidate: Candidate, began_at_ms: int
) -> dict[str, Any]:
    """The document: every number there is of this policy on these days."""
    sources = _sources(spark, days, began_at_ms)
    began = time.monotonic()
    purchases = judged_again(sources, candidate.policy)
    seconds = time.monotonic() - began
    judged = len(purchases.event_at_ms)
    log.info("%d purchases in %.1f s, %.0f a second", judged, seconds, judged / seconds)
    return {
        "policy": {"name": candidate.name, "version": candidate.policy.version},
        "from": days.first.isoformat(),
        "until": days.last.isoformat(),
        "made_at": _iso(time.time_ns() // 1_000_000),
        "labels_known_until": _iso(began_at_ms),
        "code_version": code_version(),
        "features_version": features_version(),
        "seconds": round(seconds, 2),
        "purchases_per_second": round(judged / seconds, 1),
        "served_by": served_by(sources.verdicts),
        **measure_backtest(purchases, days.first, days.last),
    }


def judged_again(sources: Sources, policy: Policy) -> Purchases:
    """Join, judge in Spark's tasks, and gather what is left: some seventy bytes a purchase."""
    rows = rows_to_judge(sources, features_version(), RULE_NAMES)
    return gathered(rows.mapInArrow(judge_by(policy), ANSWER_SCHEMA).toArrow())


def counted(document: dict[str, Any], days: Days) -> CountedRows:
    """What became of the purchases, for the ledger."""
    coverage = document["coverage"]
    return CountedRows(
        rows_in=coverage["purchases"],
        rows_out=coverage["judged"],
        rejected={name: rows for name, rows in coverage["not_judged"].items() if rows},
        from_ms=days.from_ms,
        until_ms=days.until_ms,
    )


def _sources(spark: SparkSession, days: Days, began_at_ms: int) -> Sources:
    def table(name: str) -> DataFrame:
        return spark.table(f"{lake.DATABASE}.{name}")

    of_days = days.holds("event_on")
    return Sources(
        purchases=table(lake.CORE_TRANSACTIONS).where(of_days),
        archived_vectors=table(lake.RAW_FEATURE_TOPIC).where(days.not_before("produced_on")),
        features=table(lake.CORE_FEATURES).where(of_days),
        verdicts=table(lake.CORE_VERDICTS).where(of_days),
        labels=known_by(table(lake.CORE_LABELS), began_at_ms),
    )


def _asked() -> tuple[argparse.ArgumentParser, argparse.Namespace]:
    parser = argparse.ArgumentParser(prog=JOB, description=__doc__, epilog=EXAMPLE)
    which = parser.add_mutually_exclusive_group(required=True)
    which.add_argument("--policy", help="a file, or a name in contracts/policies")
    which.add_argument("--policy-text", help="the document itself, YAML")
    add_days(parser)
    parser.add_argument("--check", action="store_true", help="only check the policy; no Spark")
    parser.add_argument("--json", action="store_true", help="print exactly one JSON object")
    return parser, parser.parse_args()


def _candidate(asked: argparse.Namespace) -> Candidate:
    """The policy asked for.

    Raises:
        BrokenPolicy: there is none, or it may not be used; the text says where and why.
    """
    if asked.policy_text is not None:
        return Candidate(PASTED, parse_policy(asked.policy_text.encode()))
    path = find_policy(asked.policy, POLICIES)
    return Candidate(path.stem, load_policy(path))


def _iso(at_ms: int) -> str:
    return datetime.fromtimestamp(at_ms // 1000, UTC).isoformat()


def main() -> int:
    """Wire the job, run it once and say what came of it."""
    parser, asked = _asked()
    configure_logging(JOB)
    try:
        candidate, days = _candidate(asked), Days(asked.first, asked.last)
    except BrokenPolicy as wrong:
        parser.error(f"the policy cannot be used, so nothing was judged: {wrong}")
    except ValueError as wrong:
        parser.error(str(wrong))
    if asked.check:
        log.info("policy %s can be used", candidate.policy.version)
        return 0
    return _run(candidate, days, as_json=asked.json)


def _run(candidate: Candidate, days: Days, *, as_json: bool) -> int:
    began_at_ms, folder = time.time_ns() // 1_000_000, BacktestSettings().folder
    spark = open_lake(LakeSettings(), JOB)
    document = backtest(spark, days, candidate, began_at_ms)
    written = write_backtest(folder, document)
    try:
        append_outcomes(spark, [outcome_of(JOB, counted(document, days), began_at_ms=began_at_ms)])
    except LakeBusy as error:
        log.error("%s; the page is at %s", error, written.page)  # noqa: TRY400  the sentence says it
        return 1
    found = {"page": str(written.page), "numbers": str(written.numbers)}
    said = f"{document['purchases_per_second']:,.0f} purchases a second; the page: {written.page}"
    sys.stdout.write((json.dumps(found | document) if as_json else said) + "\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
