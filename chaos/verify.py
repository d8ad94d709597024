"""Verify a chaos run: compare the ledger with topics and rows, and count the differences.

``python -m chaos.verify LEDGER ROWS [SOURCE]`` prints one JSON object. It folds, so it needs the
detector's environment, and logs in to the broker with ``KAFKA_*``. With a source, it counts only
that source's purchases: for a shared stack.
"""

from __future__ import annotations

import json
import sys
from dataclasses import asdict
from pathlib import Path

from chaos.feature_comparison import compare_features
from chaos.findings import Findings, ReadBack, count
from chaos.ledger import accepted_ids
from chaos.rows_file import read_rows
from chaos.topics_read import Topics
from fraudwatch.domain.features.fold import features_version
from fraudwatch.domain.messages.dead_letter import Stage
from fraudwatch.settings import KafkaSettings
from fraudwatch.topics import FRAUD_TOPIC


def verify(kafka: KafkaSettings, ledger: Path, rows: Path, source: str | None = None) -> Findings:
    """Count over all topics and rows; nothing may be in flight any more.

    Derived topics are read before the log, so that the log has the source of every message.
    """
    topics = Topics(kafka, source)
    stored = [row for row in read_rows(rows) if topics.is_ours(row[0])]
    stages = topics.dead_letter_stages()
    origins = {origin for origin, stage in stages.items() if _replaces_a_verdict(origin, stage)}
    dead_lettered: set[str] = set()
    logged: set[str] = set()
    verdicts = topics.verdicts(dead_lettered, origins)
    served = topics.served()
    folded = topics.folded(logged, dead_lettered, origins)
    read_back = ReadBack(
        accepted={one for one in accepted_ids(ledger) if topics.is_ours(one)},
        rows=stored,
        verdicts=verdicts,
        logged=logged,
        dead_lettered=dead_lettered,
        dead_letters=len(stages),
    )
    findings = count(read_back)
    compare_features(findings, served, folded, verdicts, features_version())
    return findings


def _replaces_a_verdict(origin: str, stage: str) -> bool:
    """Whether the dead letter replaces a verdict; the persister's of a transaction does not."""
    return stage == Stage.DETECTOR or origin.startswith(f"{FRAUD_TOPIC}-")


def main() -> None:
    """Verify the run of the command line and print the findings as JSON."""
    ledger, rows, *source = sys.argv[1:]
    findings = verify(KafkaSettings(), Path(ledger), Path(rows), source[0] if source else None)
    sys.stdout.write(json.dumps(asdict(findings)) + "\n")


if __name__ == "__main__":
    main()
