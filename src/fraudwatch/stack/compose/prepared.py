"""Prepare an engine of our own image, then run it: ``... compose.prepared NAME -- COMMAND``."""

from __future__ import annotations

import os
import sys
from typing import NoReturn

from fraudwatch.stack.compose.container_settings import launch_of, settings_here
from fraudwatch.stack.environments import to_stderr
from fraudwatch.stack.home import Home, StackError
from fraudwatch.stack.prepare import prepare


def main() -> NoReturn:
    """Render the engine's settings into its volume, then become the engine."""
    name, command = sys.argv[1], sys.argv[sys.argv.index("--") + 1 :]
    home = Home.from_environment()
    try:
        prepare(home, launch_of(name, command), settings_here(home))
    except StackError as error:
        to_stderr(f"{name} was not started: {error}")
        raise SystemExit(1) from error
    os.execvp(command[0], command)  # noqa: S606  the catalogue's command


if __name__ == "__main__":
    main()
