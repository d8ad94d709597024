"""``fraudwatch systemd-unit``: print the systemd unit of this checkout."""

from __future__ import annotations

import getpass
import os
import sys
from typing import Annotated

import typer

from fraudwatch.stack import catalogue as catalogues
from fraudwatch.stack.home import Home
from fraudwatch.stack.state import DEFAULT_PROFILE
from fraudwatch.stack.systemd_unit import unit_of


def systemd_unit(
    user: Annotated[str, typer.Option(help="Account that runs it; default: yours.")] = "",
    profile: Annotated[str, typer.Option(help="Which services, as for up.")] = DEFAULT_PROFILE,
) -> None:
    """Print the systemd unit that keeps this checkout up; it changes nothing."""
    catalogues.load().profile(profile)
    found = unit_of(
        Home.from_environment(),
        user=user or getpass.getuser(),
        profile=profile,
        environment=os.environ,
    )
    sys.stdout.write(found)
