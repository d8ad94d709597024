"""Render the settings of other projects' engines into their volumes, before these start.

``python -m fraudwatch.stack.compose.engine_settings``: the same templates and code as natively.
"""

from __future__ import annotations

import sys

from fraudwatch.stack.compose import overlay as overlays
from fraudwatch.stack.compose.container_settings import launch_of, settings_here
from fraudwatch.stack.compose.containers import argv
from fraudwatch.stack.compose.paths import prepared
from fraudwatch.stack.environments import to_stderr
from fraudwatch.stack.home import Home, StackError
from fraudwatch.stack.prepare import prepare


def main() -> int:
    """Render all of them; exit code 1 on the first that fails."""
    home, overlay = Home.from_environment(), overlays.load()
    try:
        settings = settings_here(home)
        for name in prepared(overlay):
            command = argv(overlay.services[name], overlay.adjustment(name))
            prepare(home, launch_of(name, command), settings)
            to_stderr(f"the settings of {name} are rendered")
    except StackError as error:
        to_stderr(f"engines cannot start: {error}")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
