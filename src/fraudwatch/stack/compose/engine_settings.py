"""Render the settings of other projects' engines into their volumes, before these start.

``python -m fraudwatch.stack.compose.engine_settings``: the same templates and code as natively.
"""

from __future__ import annotations

import os
import shutil
import sys
from dataclasses import replace
from pathlib import Path

from fraudwatch.stack import catalogue
from fraudwatch.stack.compose import overlay as overlays
from fraudwatch.stack.compose.container_settings import launch_of, settings_here
from fraudwatch.stack.compose.containers import argv
from fraudwatch.stack.compose.overlay import Overlay
from fraudwatch.stack.compose.paths import HOME, prepared
from fraudwatch.stack.environments import to_stderr
from fraudwatch.stack.home import Home, StackError
from fraudwatch.stack.launches import all_jars
from fraudwatch.stack.prepare import prepare
from fraudwatch.stack.scrape_targets import write_targets

PROFILES = "COMPOSE_PROFILES"
EVERY_PROFILE = "*"
JMX_AGENT = "jmx_agent"


def watched_services(overlay: Overlay, profiles: str) -> list[str]:
    """Return the services of the profiles that run, a list with commas or `*`."""
    wanted = overlay.profiles if profiles == EVERY_PROFILE else profiles.split(",")
    members = {name for profile in wanted for name in overlay.members(profile.strip())}
    return [name for name in overlay.services if name in members]


def place_jmx_agents(home: Home, overlay: Overlay) -> None:
    """Copy the JMX agent into the volumes of the engines whose images do not have it."""
    agent = Path(all_jars(home)[f"jars.{JMX_AGENT}"])
    paths = {overlay.adjustment(name).jars.get(JMX_AGENT) for name in prepared(overlay)}
    for path in sorted(filter(None, paths)):
        target = home.folder / Path(path).relative_to(HOME)
        beside = target.with_suffix(".new")
        try:
            shutil.copyfile(agent, beside)
            beside.replace(target)  # an engine that runs keeps the file that it has opened
        except FileNotFoundError as error:
            raise StackError(
                f"{error.filename} is missing, so {target.parent.name} cannot publish its metrics; "
                "build the images again"
            ) from error


def main() -> int:
    """Render all of them; exit code 1 on the first that fails."""
    home, overlay = Home.from_environment(), overlays.load()
    try:
        settings = settings_here(home)
        for name in prepared(overlay):
            command = argv(overlay.services[name], overlay.adjustment(name))
            prepare(home, launch_of(name, command), settings)
            to_stderr(f"the settings of {name} are rendered")
        place_jmx_agents(home, overlay)
        watched = watched_services(overlay, os.environ.get(PROFILES) or EVERY_PROFILE)
        everything = replace(catalogue.load(), services=overlay.services)
        write_targets(home, everything, watched, settings)
    except StackError as error:
        to_stderr(f"engines cannot start: {error}")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
