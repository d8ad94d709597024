"""Read back everything and count: what was promised against what is there.

``python -m chaos.verify LEDGER ROWS [SOURCE]`` prints one JSON object. It folds, so it
needs the detector's environment, and it reaches the broker as KAFKA_* in the environment say. With
a source, only that source's purchases are looked at: for a stack that others use as well.
"""

from __future__ import annotations

import json
import sys
from dataclasses import asdict
from pathlib import Path

from chaos.feature_comparison import compare_features
from chaos.findings import Findings, Seen, count
from chaos.ledger import accepted_ids
from chaos.rows_file import read_rows
from chaos.topics_read import Topics
from fraudwatch.domain.features.fold import features_version
from fraudwatch.domain.messages.dead_letter import Stage
from fraudwatch.settings import KafkaSettings
from fraudwatch.topics import FRAUD_TOPIC


def examine(kafka: KafkaSettings, ledger: Path, rows: Path, source: str | None = None) -> Findings:
    """Count over everything there is; nothing may be on its way any more.

    What is derived is read first and the log last: of all that is found, the source is there.
    """
    topics = Topics(kafka, source)
    stored = [row for row in read_rows(rows) if topics.is_ours(row[0])]
    stages = topics.letters()
    letters = {origin for origin, stage in stages.items() if _replaces_a_verdict(origin, stage)}
    put_aside: set[str] = set()
    logged: set[str] = set()
    judged = topics.judged(put_aside, letters)
    served = topics.served()
    folded = topics.folded(logged, put_aside, letters)
    seen = Seen(
        accepted={one for one in accepted_ids(ledger) if topics.is_ours(one)},
        rows=stored,
        judged=judged,
        logged=logged,
        put_aside=put_aside,
        dead_letters=len(stages),
    )
    findings = count(seen)
    compare_features(findings, served, folded, judged, features_version())
    return findings


def _replaces_a_verdict(origin: str, stage: str) -> bool:
    """A transaction that the persister alone could not store still has its verdict."""
    return stage == Stage.DETECTOR or origin.startswith(f"{FRAUD_TOPIC}-")


def main() -> None:
    """Examine as the command line says and print the findings."""
    ledger, rows, *source = sys.argv[1:]
    found = examine(KafkaSettings(), Path(ledger), Path(rows), source[0] if source else None)
    sys.stdout.write(json.dumps(asdict(found)) + "\n")


if __name__ == "__main__":
    main()
