"""``fraudwatch mapping``: begin a mapping file for a data set."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from fraudwatch.adapters.datasets.layout import UnreadableFile
from fraudwatch.adapters.datasets.suggestion import suggested

USAGE_ERROR = 2

mapping = typer.Typer(no_args_is_help=True, help="Begin a mapping file for a data set.")


@mapping.callback()
def _mapping() -> None:
    """Begin a mapping file for a data set; contracts/datasets/README.md explains its keys."""


@mapping.command(epilog="Example: ./fraudwatch mapping suggest purchases.csv > mapping.yaml")
def suggest(
    file: Annotated[Path, typer.Argument(help="CSV, JSON or Parquet file of purchases.")],
) -> None:
    """Print a mapping to begin with, by the names of the columns and the form of their values."""
    try:
        text = suggested(file)
    except UnreadableFile as error:
        typer.echo(str(error), err=True)
        raise typer.Exit(USAGE_ERROR) from error
    typer.echo(text, nl=False)
