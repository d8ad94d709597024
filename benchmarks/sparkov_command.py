"""Compare rankings of purchases on Sparkov's last two months: how much fraud each one finds.

The amount, the default policy's rules, the isolation forest, a classifier trained on labels a week
old, and the verdicts made of them. Takes about ten minutes on two cores.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Final

from benchmarks.dataset_run import DatasetRun
from benchmarks.labelled_table import LabelledTable
from benchmarks.sparkov import measure
from fraudwatch.adapters.artefacts.policy_file import load_policy
from fraudwatch.stack.home import ROOT

POLICY: Final = ROOT / "contracts/policies/default.yaml"


def main() -> None:
    """Measure with the default policy and print the report."""
    policy = load_policy(POLICY)

    def report(table: LabelledTable) -> dict[str, Any]:
        return measure(table, policy)

    DatasetRun("sparkov", __doc__, report, as_text).run()


def as_text(report: Mapping[str, Any]) -> Iterator[str]:
    """Format one line per ranking, best first."""
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
    yield f"{report['seconds']} s, {report['peak_rss_mib']} MiB, {report['machine']}"


if __name__ == "__main__":
    main()
