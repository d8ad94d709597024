"""Run a command line; an expected error prints one sentence and sets the exit code."""

from __future__ import annotations

import sys
from typing import Final

import typer

from fraudwatch.cli import output
from fraudwatch.stack.catalogue import CatalogueError
from fraudwatch.stack.home import StackError

FAILED: Final = 1
USAGE_ERROR: Final = 2


def run(app: typer.Typer, name: str) -> None:
    """Run a command line under the name that its help shows."""
    try:
        app(prog_name=name)
    except CatalogueError as error:
        output.notify(f"fraudwatch: {error}")
        sys.exit(USAGE_ERROR)
    except StackError as error:
        output.notify(f"fraudwatch: {error}")
        sys.exit(FAILED)
