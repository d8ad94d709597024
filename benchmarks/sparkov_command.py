"""Measure on Sparkov's last two months what each way of ranking purchases finds.

The amount, the rules as they are, the isolation forest, a model that learned from labels a week
late, and the verdicts that are made of them. Some ten minutes on two cores.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Final

from benchmarks.labelled_table import Table
from benchmarks.public_run import PublicRun
from benchmarks.sparkov import measure
from fraudwatch.adapters.artefacts.policy_file import load_policy
from fraudwatch.stack.place import ROOT

POLICY: Final = ROOT / "contracts/policies/default.yaml"


def main() -> None:
    """Measure by the policy that is shipped, and print."""
    policy = load_policy(POLICY)

    def report(table: Table) -> dict[str, Any]:
        return measure(table, policy)

    PublicRun("sparkov", __doc__, report, as_text).run()


def as_text(report: Mapping[str, Any]) -> Iterator[str]:
    """A line a ranking, best first."""
    yield (
        f"{report['from']} to {report['until']}: {report['purchases']:,} purchases, "
        f"{report['frauds']:,} frauds; CP@100 can be {report['card_precision_at_100_perfect']:.3f}"
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
