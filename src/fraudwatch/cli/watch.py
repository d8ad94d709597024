"""``fraudwatch watch``: keep the stack up in the foreground, as systemd expects of a service."""

from __future__ import annotations

import os
import signal
from types import FrameType
from typing import Annotated, NoReturn

import typer

from fraudwatch.observability.logs import configure_logging
from fraudwatch.stack import catalogue as catalogues
from fraudwatch.stack.environments import exclusive_if_free
from fraudwatch.stack.home import Home, StackError
from fraudwatch.stack.state import DEFAULT_PROFILE
from fraudwatch.stack.systemd_notify import Notifier
from fraudwatch.stack.watch import StopWatching, Watch


def watch(
    profile: Annotated[str, typer.Option(help="Which services, as for up.")] = DEFAULT_PROFILE,
) -> None:
    """Start all services and keep them up in the foreground; SIGTERM or Ctrl-C stops them."""
    home, catalogue = Home.from_environment(), catalogues.load()
    catalogue.profile(profile)  # an unknown one is a usage error
    configure_logging("watch")
    home.make_folders()
    with exclusive_if_free(home.run_folder / "watch.lock") as is_free:
        if not is_free:
            raise StackError(
                f"another ./fraudwatch watch keeps {home.folder} up, so this one ends; "
                "systemctl status fraudwatch shows it if systemd started it"
            )
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, _stop)
        systemd = Notifier.from_environment(os.environ)
        Watch(home=home, catalogue=catalogue, profile=profile, systemd=systemd).run()


def _stop(number: int, _frame: FrameType | None) -> NoReturn:
    # A second signal must not interrupt the orderly stop.
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    raise StopWatching(signal.Signals(number).name)
