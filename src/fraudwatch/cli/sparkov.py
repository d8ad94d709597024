"""``fraudwatch benchmark sparkov``: a model with labels beside rules and forest alone."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Annotated, Any, Final

import typer

from fraudwatch.cli import output
from fraudwatch.cli.public_data import data_file, measured
from fraudwatch.proof.process_use import machine
from fraudwatch.stack.place import Place

MODULE: Final = "fraudwatch.proof.sparkov"
FILE: Final = Path("sparkov/transactions.parquet")


def sparkov(
    path: Annotated[
        Path | None, typer.Argument(help="The data, CSV or Parquet; see data/source_data.txt.")
    ] = None,
    *,
    as_json: Annotated[bool, typer.Option("--json", help="Print exactly one JSON object.")] = False,
) -> None:
    """Measure on Sparkov's last two months what each way of ranking purchases finds.

    The amount, the rules as they stand, the isolation forest, a model that learned from labels a
    week late, and the verdicts that are made of them. Some ten minutes on two cores.
    """
    place = Place.from_environment()
    report = measured(place, MODULE, data_file(place, path, FILE)) | {"machine": machine()}
    if as_json:
        output.print_json(report)
        return
    for line in as_text(report):
        typer.echo(line)


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
