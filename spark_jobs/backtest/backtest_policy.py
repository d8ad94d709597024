"""Backtest a candidate policy: score some days' purchases by it and compare with live verdicts.

Runs the stream's own rules on the feature vectors that the stream served and the model scores of
that time. Writes a page and its numbers to BACKTEST_FOLDER; the lake only gets the job's outcome.
"""

from __future__ import annotations

import argparse
import json
import logging
import sys
import time
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, NamedTuple

from pyspark.sql import DataFrame, SparkSession

from fraudwatch import lake
from fraudwatch.adapters.artefacts.policy_file import (
    find_policy,
    load_policy,
    parse_lists,
    parse_rules,
)
from fraudwatch.adapters.lake.commit import LakeBusy
from fraudwatch.adapters.lake.outcomes import append_outcomes, code_version, outcome_of
from fraudwatch.adapters.lake.session import open_lake
from fraudwatch.application.backtest.measure import measure_backtest
from fraudwatch.application.backtest.purchases import Purchases
from fraudwatch.application.policy.versions import PolicyContents
from fraudwatch.batch_settings import ArtefactSettings, BacktestSettings, LiveListsSettings
from fraudwatch.domain.features.fold import features_version
from fraudwatch.domain.lake.counted_rows import CountedRows
from fraudwatch.domain.policy.bounds import Bounds
from fraudwatch.domain.policy.list_document import NO_LISTS_DOCUMENT, with_lists
from fraudwatch.domain.policy.policy import BrokenPolicy, Policy
from fraudwatch.observability.job_metrics import run_job
from fraudwatch.observability.logs import configure_logging
from fraudwatch.settings import LakeSettings
from spark_jobs.backtest.batches import RESULT_SCHEMA, RULE_NAMES, scorer_for, to_purchases
from spark_jobs.backtest.candidate_bounds import as_document, candidate_bounds
from spark_jobs.backtest.lost_frauds import lost_frauds
from spark_jobs.backtest.page import write_backtest
from spark_jobs.backtest.rows import (
    BacktestSources,
    count_versions,
    live_calibrations,
    rows_to_score,
)
from spark_jobs.days import Days, add_days
from spark_jobs.marts.judged import labels_known_by

JOB = "backtest_policy"
EXAMPLE = (
    "Example: spark-submit spark_jobs/backtest/backtest_policy.py --policy default "
    "--from 2026-11-01 --until 2026-11-20 --json"
)
POLICIES = Path(__file__).parents[2] / "contracts" / "policies"
PASTED = "pasted"
REFUSED = 2

log = logging.getLogger(JOB)


class Candidate(NamedTuple):
    """Candidate policy, its display name, and the hash of its files and lists."""

    name: str
    policy: Policy
    contents_sha256: str = ""


def backtest(
    spark: SparkSession,
    days: Days,
    candidate: Candidate,
    calibration_folders: Sequence[Path],
    began_at_ms: int,
) -> dict[str, Any]:
    """Build the backtest document: every number of this policy on these days.

    Raises:
        BrokenPolicy: the policy's floors alone exceed its budget of alerts on these days.
    """
    sources = _sources(spark, days, began_at_ms)
    named = live_calibrations(sources.verdicts)
    bounds = candidate_bounds(candidate.policy, named, calibration_folders)
    began = time.monotonic()
    purchases = rescore_purchases(sources, candidate.policy, bounds)
    seconds = time.monotonic() - began
    scored = len(purchases.event_at_ms)
    log.info("%d purchases in %.1f s, %.0f a second", scored, seconds, scored / seconds)
    return {
        "policy": {
            "name": candidate.name,
            "version": candidate.policy.version,
            "contents_sha256": candidate.contents_sha256,
        },
        "from": days.first.isoformat(),
        "until": days.last.isoformat(),
        "made_at": _iso(time.time_ns() // 1_000_000),
        "labels_known_until": _iso(began_at_ms),
        "code_version": code_version(),
        "features_version": features_version(),
        "seconds": round(seconds, 2),
        "purchases_per_second": round(scored / seconds, 1),
        "served_by": count_versions(sources.verdicts),
        "bounds": as_document(bounds),
        **measure_backtest(purchases, days.first, days.last),
        "lost_frauds": lost_frauds(sources.purchases, purchases),
    }


def rescore_purchases(
    sources: BacktestSources, policy: Policy, bounds: Mapping[str, Bounds]
) -> Purchases:
    """Join and score in Spark's tasks, and collect the results: some seventy bytes a purchase."""
    rows = rows_to_score(sources, features_version(), RULE_NAMES)
    return to_purchases(rows.mapInArrow(scorer_for(policy, bounds), RESULT_SCHEMA).toArrow())


def counted(document: dict[str, Any], days: Days) -> CountedRows:
    """Count scored and unscored purchases for the job outcome."""
    coverage = document["coverage"]
    return CountedRows(
        rows_in=coverage["purchases"],
        rows_out=coverage["judged"],
        rejected={name: rows for name, rows in coverage["not_judged"].items() if rows},
        from_ms=days.from_ms,
        until_ms=days.until_ms,
    )


def _sources(spark: SparkSession, days: Days, began_at_ms: int) -> BacktestSources:
    def table(name: str) -> DataFrame:
        return spark.table(f"{lake.DATABASE}.{name}")

    of_days = days.contains("event_on")
    return BacktestSources(
        purchases=table(lake.CORE_TRANSACTIONS).where(of_days),
        archived_vectors=table(lake.RAW_FEATURE_TOPIC).where(days.not_before("produced_on")),
        features=table(lake.CORE_FEATURES).where(of_days),
        verdicts=table(lake.CORE_VERDICTS).where(of_days),
        labels=labels_known_by(table(lake.CORE_LABELS), began_at_ms),
    )


def _parse_arguments() -> tuple[argparse.ArgumentParser, argparse.Namespace]:
    parser = argparse.ArgumentParser(prog=JOB, description=__doc__, epilog=EXAMPLE)
    which = parser.add_mutually_exclusive_group(required=True)
    which.add_argument("--policy", help="a file, or a name in contracts/policies")
    which.add_argument("--policy-text", help="the policy itself, as YAML text")
    parser.add_argument("--lists-text", help="its lists, as YAML text; without: the live ones")
    add_days(parser)
    parser.add_argument("--check", action="store_true", help="only check the policy; no Spark")
    parser.add_argument("--json", action="store_true", help="print exactly one JSON object")
    return parser, parser.parse_args()


def _candidate(arguments: argparse.Namespace) -> Candidate:
    """Load the candidate policy from the arguments.

    Raises:
        BrokenPolicy: it does not exist or is invalid; the text names place and reason.
    """
    lists = _lists(arguments.lists_text)
    if arguments.policy_text is not None:
        contents = PolicyContents(arguments.policy_text.encode(), lists)
        return Candidate(PASTED, parse_rules(*contents), contents.sha256)
    path = find_policy(arguments.policy, POLICIES)
    policy = with_lists(load_policy(path), parse_lists(lists))
    return Candidate(path.stem, policy, PolicyContents(path.read_bytes(), lists).sha256)


def _lists(text: str | None) -> bytes:
    """Return the given lists, else the live ones of this home."""
    if text is not None:
        return text.encode()
    path = LiveListsSettings().lists_path
    return path.read_bytes() if path and path.exists() else NO_LISTS_DOCUMENT


def _calibration_folders() -> tuple[Path, ...]:
    """Return where calibrations are published, and where the detector keeps those it used."""
    artefacts = ArtefactSettings()
    return artefacts.models_folder, artefacts.detector_folder / "models"


def _iso(at_ms: int) -> str:
    return datetime.fromtimestamp(at_ms // 1000, UTC).isoformat()


def main() -> int:
    """Run the backtest once, print its result and return the exit code."""
    parser, arguments = _parse_arguments()
    configure_logging(JOB)
    try:
        candidate, days = _candidate(arguments), Days(arguments.first, arguments.last)
    except BrokenPolicy as wrong:
        parser.error(f"the policy cannot be used, so nothing was scored: {wrong}")
    except ValueError as wrong:
        parser.error(str(wrong))
    if arguments.check:
        log.info("policy %s can be used", candidate.policy.version)
        return 0
    return _run(candidate, days, as_json=arguments.json)


def _run(candidate: Candidate, days: Days, *, as_json: bool) -> int:
    began_at_ms, folder = time.time_ns() // 1_000_000, BacktestSettings().folder
    spark = open_lake(LakeSettings(), JOB)
    try:
        document = backtest(spark, days, candidate, _calibration_folders(), began_at_ms)
    except BrokenPolicy as wrong:
        log.error("the policy cannot be used, so nothing was scored: %s", wrong)  # noqa: TRY400  the sentence is enough
        return REFUSED
    written = write_backtest(folder, document)
    try:
        append_outcomes(spark, [outcome_of(JOB, counted(document, days), began_at_ms=began_at_ms)])
    except LakeBusy as error:
        log.error("%s; the page is at %s", error, written.page)  # noqa: TRY400  the sentence is enough
        return 1
    paths = {"page": str(written.page), "numbers": str(written.numbers)}
    text = f"{document['purchases_per_second']:,.0f} purchases a second; the page: {written.page}"
    sys.stdout.write((json.dumps(paths | document) if as_json else text) + "\n")
    return 0


if __name__ == "__main__":
    sys.exit(run_job(JOB, main))
