"""Verify a chaos run: compare the ledger with topics and rows, and count the differences.

``python -m chaos.verify LEDGER ROWS [SOURCE]`` prints one JSON object. It folds, so it needs the
detector's environment, and logs in to the broker with ``KAFKA_*``. With a source, it counts only
that source's purchases: for a shared stack.
"""

from __future__ import annotations

import json
import sys
from dataclasses import asdict, replace
from pathlib import Path
from typing import Final

from chaos.feature_comparison import compare_features
from chaos.findings import Findings, ReadBack, count
from chaos.ledger import accepted_ids
from chaos.rows_file import Row, read_rows
from chaos.topics_read import Part, Topics
from fraudwatch.domain.features.fold import features_version
from fraudwatch.domain.messages.dead_letter import Stage
from fraudwatch.settings import KafkaSettings
from fraudwatch.topics import FRAUD_TOPIC

# Some 3 KiB of memory each, while their messages are compared.
PURCHASES_OF_A_PART: Final = 400_000


def verify(kafka: KafkaSettings, ledger: Path, rows: Path, source: str | None = None) -> Findings:
    """Count over all topics and rows; nothing may be in flight any more.

    Derived topics are read before the log, so that the log has the source of every message. A long
    run is counted by parts of the customers, so that it needs the memory of one part.
    """
    whole = Topics(kafka, source)
    accepted = {one for one in accepted_ids(ledger) if whole.is_ours(one)}
    stored = [row for row in read_rows(rows) if whole.is_ours(row[0])]
    stages = whole.dead_letter_stages()
    origins = {origin for origin, stage in stages.items() if _replaces_a_verdict(origin, stage)}
    findings = Findings(dead_letters=len(stages), mismatched_features=0)
    parts = 1 + len(accepted) // PURCHASES_OF_A_PART
    for number in range(parts):
        topics = replace(whole, part=Part(number, parts))
        counted, names = _count_part(topics, origins, accepted, stored, is_last=number == parts - 1)
        findings.add(counted)
        accepted -= names
        stored = [row for row in stored if row[0] not in names]
    return findings


def _count_part(
    topics: Topics,
    origins: set[str],
    accepted: set[str],
    stored: list[Row],
    *,
    is_last: bool,
) -> tuple[Findings, set[str]]:
    """Count one part; returns the ids that it has.

    The last part takes every id that is left: what is in no topic belongs to no part.
    """
    dead_lettered: set[str] = set()
    logged: set[str] = set()
    verdicts = topics.verdicts(dead_lettered, origins)
    served = topics.served()
    folded = topics.folded(logged, dead_lettered, origins)
    names = logged | verdicts.keys()
    read_back = ReadBack(
        accepted=accepted if is_last else accepted & names,
        rows=stored if is_last else [row for row in stored if row[0] in names],
        verdicts=verdicts,
        logged=logged,
        dead_lettered=dead_lettered,
    )
    findings = count(read_back)
    compare_features(findings, served, folded, verdicts, features_version())
    return findings, names


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
