"""``fraudwatch restore``: copy a backup into an empty home."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer

from fraudwatch.cli import output
from fraudwatch.stack import runner
from fraudwatch.stack.home import Home
from fraudwatch.stack.restore import Restore


def restore(
    folder: Annotated[Path, typer.Argument(help="The folder of a backup.")],
    *,
    keys_folder: Annotated[
        Path | None,
        typer.Option(
            "--keys",
            help="The folder of its keys and passwords. Without it, keys/ and .env must be in the "
            "home already.",
        ),
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print exactly one JSON object.")] = False,
) -> None:
    """Compare every file with the manifest, then copy the backup into an empty home."""
    home = Home.from_environment()
    with runner.lock(home, output.notify):
        report = Restore(
            home=home,
            notify=output.notify,
            folder=folder.absolute(),
            keys_folder=keys_folder.absolute() if keys_folder else None,
        ).run()
    if as_json:
        output.print_json(asdict(report))
        return
    output.notify(f"restored {report.files} files of {report.made_at} into {home.folder}")
    for name in report.databases_elsewhere:
        output.notify(f"restore the database of {name} of the same time before the start")
    output.notify(f"start it with ./fraudwatch up --profile {report.profile}")
