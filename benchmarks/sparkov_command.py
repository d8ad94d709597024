"""Compare rankings of purchases on Sparkov's last months, and measure the final verdicts.

The amount, the default policy's rules, the isolation forest, a classifier trained on labels a week
old, and the final verdict with its alerts a day, declines and calibration. Takes about ten minutes
on two cores.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterator, Mapping
from typing import Any, Final

from benchmarks.dataset_run import DatasetRun
from benchmarks.labelled_table import LabelledTable
from benchmarks.sparkov import TESTED_MONTHS, measure
from benchmarks.sparkov_rankings import VERDICT
from benchmarks.verdict_text import reach_lines, verdict_lines
from fraudwatch.adapters.artefacts.policy_file import load_policy
from fraudwatch.stack.home import ROOT

POLICY: Final = ROOT / "contracts/policies/default.yaml"


def main() -> None:
    """Measure with the default policy and print the report."""
    policy = load_policy(POLICY)

    def report(table: LabelledTable, arguments: argparse.Namespace) -> dict[str, Any]:
        return measure(table, policy, arguments.months)

    DatasetRun("sparkov", __doc__, report, as_text, add_options).run()


def add_options(parser: argparse.ArgumentParser) -> None:
    """Add the number of tested months."""
    parser.add_argument(
        "--months",
        type=_whole_from_1,
        default=TESTED_MONTHS,
        help="test so many of the last months, as far as there are enough days before them",
    )


def as_text(report: Mapping[str, Any]) -> Iterator[str]:
    """Format one line per ranking, best first, then the figures of verdicts and the targets."""
    yield (
        f"{report['from']} to {report['until']}: {report['purchases']:,} purchases, "
        f"{report['frauds']:,} frauds; best possible CP@100 "
        f"{report['card_precision_at_100_perfect']:.3f}"
    )
    yield f"{'':<34}{'AUC':>7}{'AP':>7}{'CP@100':>8}{'recall at FPR .001':>20}"
    best_first = sorted(report["rankings"], key=lambda one: -float(one["average_precision"]))
    for one in best_first:
        yield (
            f"{one['name']:<34}{one['auc']:>7.3f}{one['average_precision']:>7.3f}"
            f"{one['card_precision_at_100']:>8.3f}{one['recall_at_fpr_0_001']:>20.3f}"
        )
    yield from verdict_lines(report[VERDICT])
    yield from reach_lines(report["reach"])
    yield f"{report['seconds']} s, {report['peak_rss_mib']} MiB, {report['machine']}"


def _whole_from_1(word: str) -> int:
    number = int(word)
    if number < 1:
        raise argparse.ArgumentTypeError("must be 1 at least")
    return number


if __name__ == "__main__":
    main()
