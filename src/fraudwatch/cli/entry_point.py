"""Run a command line so that an expected error prints one sentence and sets the exit code."""

from __future__ import annotations

import sys
from typing import Final

import typer

from fraudwatch.cli import output
from fraudwatch.stack.catalogue import CatalogueError
from fraudwatch.stack.place import Unusable

FAILED: Final = 1
WRONG_USE: Final = 2


def run(app: typer.Typer, name: str) -> None:
    """Run a command line under the name that its help shows."""
    try:
        app(prog_name=name)
    except CatalogueError as wrong:
        output.say(f"fraudwatch: {wrong}")
        sys.exit(WRONG_USE)
    except Unusable as wrong:
        output.say(f"fraudwatch: {wrong}")
        sys.exit(FAILED)
