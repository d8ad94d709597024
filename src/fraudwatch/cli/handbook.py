"""``fraudwatch benchmark handbook``: our models beside a published table, on its own data."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Annotated, Any, Final

import typer

from fraudwatch.cli import output
from fraudwatch.cli.public_data import data_file, measured
from fraudwatch.proof.process_use import machine
from fraudwatch.stack.place import Place

FAILED: Final = 1
MODULE: Final = "fraudwatch.proof.handbook"
FILE: Final = Path("handbook/transactions.parquet")
# The figures that were published, and how the table heads them.
SHOWN: Final = (
    ("auc", "AUC"),
    ("average_precision", "AP"),
    ("card_precision_at_100", "CP@100"),
)


def handbook(
    path: Annotated[
        Path | None,
        typer.Argument(help="The joined data, CSV or Parquet; see data/source_data.txt."),
    ] = None,
    *,
    as_json: Annotated[bool, typer.Option("--json", help="Print exactly one JSON object.")] = False,
) -> None:
    """Measure detection on the Fraud Detection Handbook's data, by its own protocol.

    First the book's models on its own fifteen features, which must come out as published; then
    ours on what the stream serves. Better than anybody can be without labels that are not known
    yet is a leak, and the exit code is 1.
    """
    place = Place.from_environment()
    report = measured(place, MODULE, data_file(place, path, FILE)) | {"machine": machine()}
    if as_json:
        output.print_json(report)
    else:
        for line in as_text(report):
            typer.echo(line)
    if report["leak"]:
        output.say(
            f"leak: an average precision above {report['protocol']['leak_above']} cannot be had "
            "with labels a week old, so younger ones got in"
        )
        raise typer.Exit(FAILED)


def as_text(report: Mapping[str, Any]) -> Iterator[str]:
    """A line a model, measured beside published."""
    heads = "".join(f"{head:>8}{'book':>7}" for _, head in SHOWN)
    yield f"{'mean of four test weeks':<26}{heads}{'perfect':>9}"
    for model in report["models"]:
        published = model["published"] or {}
        pairs = "".join(
            f"{_three(model[name]):>8}{_three(published.get(name)):>7}" for name, _ in SHOWN
        )
        perfect = _three(model["card_precision_at_100_perfect"])
        yield f"{model['name']:<26}{pairs}{perfect:>9}"
    yield f"{report['seconds']} s, {report['peak_rss_mib']} MiB, {report['machine']}"


def _three(figure: float | None) -> str:
    return "" if figure is None else f"{figure:.3f}"
