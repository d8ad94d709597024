"""Measure detection on the Fraud Detection Handbook's data, by its own protocol.

First the handbook's models on its own fifteen features, which must reproduce the published
figures; then ours on the stream's features, and the final verdict made of it with its alerts a day,
declines and calibration. A result that is impossible with labels a week old means a label leak, and
the exit code is 1.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterator, Mapping
from typing import Any, Final

from benchmarks.dataset_run import DatasetRun
from benchmarks.handbook import VERDICT
from benchmarks.handbook import report as measure
from benchmarks.labelled_table import LabelledTable
from benchmarks.verdict_text import reach_lines, verdict_lines
from fraudwatch.adapters.artefacts.policy_file import load_policy
from fraudwatch.stack.home import ROOT

POLICY: Final = ROOT / "contracts/policies/default.yaml"
FAILED: Final = 1
# Published figures and their column headings.
SHOWN: Final = (
    ("auc", "AUC"),
    ("average_precision", "AP"),
    ("card_precision_at_100", "CP@100"),
)


def main() -> int:
    """Measure, print, and fail on a leak."""
    policy = load_policy(POLICY)

    def measured(table: LabelledTable, _: argparse.Namespace) -> dict[str, Any]:
        return measure(table, policy)

    report = DatasetRun("handbook", __doc__, measured, as_text).run()
    if not report["leak"]:
        return 0
    sys.stderr.write(
        f"leak: an average precision above {report['protocol']['leak_above']} is impossible "
        "with labels a week old, so features or training rows use younger labels; check the "
        "label delay\n"
    )
    return FAILED


def as_text(report: Mapping[str, Any]) -> Iterator[str]:
    """Format one line per model, measured beside published figures; then verdicts and targets."""
    heads = "".join(f"{head:>8}{'book':>7}" for _, head in SHOWN)
    yield f"{'mean of four test weeks':<26}{heads}{'perfect':>9}"
    for model in report["models"]:
        published = model["published"] or {}
        pairs = "".join(
            f"{_three(model[name]):>8}{_three(published.get(name)):>7}" for name, _ in SHOWN
        )
        perfect = _three(model["card_precision_at_100_perfect"])
        yield f"{model['name']:<26}{pairs}{perfect:>9}"
    yield "final verdicts on all purchases of the four weeks, known cards too"
    yield from verdict_lines(report[VERDICT])
    yield from reach_lines(report["reach"])
    yield f"{report['seconds']} s, {report['peak_rss_mib']} MiB, {report['machine']}"


def _three(figure: float | None) -> str:
    return "" if figure is None else f"{figure:.3f}"


if __name__ == "__main__":
    sys.exit(main())
