"""``fraudwatch backup``: copy a home, drained and stopped, into a folder."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer

from fraudwatch.cli import output
from fraudwatch.stack import catalogue
from fraudwatch.stack.backup import Backup
from fraudwatch.stack.home import Home


def backup(
    folder: Annotated[Path, typer.Argument(help="A new or empty folder, outside the home.")],
    *,
    keys_folder: Annotated[
        Path | None,
        typer.Option(
            "--keys",
            help="Copy keys and passwords into this folder, which must be outside the backup. "
            "Without it they are copied nowhere.",
        ),
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print exactly one JSON object.")] = False,
) -> None:
    """Drain and stop the stack, copy it with a hash of every file, and start it again.

    Until it runs again purchases are refused, and their senders must send them again.
    """
    report = Backup(
        home=Home.from_environment(),
        catalogue=catalogue.load(),
        notify=output.notify,
        folder=folder.absolute(),
        keys_folder=keys_folder.absolute() if keys_folder else None,
    ).run()
    if as_json:
        output.print_json(asdict(report))
        return
    output.notify(
        f"{report.files} files, {report.bytes / 1e6:,.1f} MB in {report.folder}; ingest was closed "
        f"for {report.closed_seconds} s"
    )
    for name in report.databases_elsewhere:
        output.notify(f"NOT in the backup: the database of {name}; back it up with its own tools")
    output.notify(
        f"keys and passwords: {report.keys_folder}; keep them apart from the backup"
        if report.keys_folder
        else "NOT in the backup: keys and passwords, without which it cannot be restored; copy "
        "them with --keys FOLDER, or as docs/runbooks/backup_and_restore.md describes"
    )
