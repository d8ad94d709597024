"""A one-shot of the catalogue in front of whoever asks: with arguments, its progress as it comes.

The runner starts services through the supervisor, which takes no arguments and mixes a job's two
outputs in one log; this is for commands that say what they want and print what came of it. Such a
one-shot prints one JSON object, last, and everything else on its standard error.
"""

from __future__ import annotations

import json
import os
import subprocess
from collections.abc import Collection, Mapping, Sequence
from typing import Any, NamedTuple

from fraudwatch.observability.failure_reason import VARIABLE, reason_file
from fraudwatch.stack import env_file, install, supervisor
from fraudwatch.stack.catalogue import Catalogue, Launch
from fraudwatch.stack.environments import Say
from fraudwatch.stack.launches import all_launches
from fraudwatch.stack.place import MARK_VARIABLE, Place, Unusable
from fraudwatch.stack.supervisor import Process


class Ended(NamedTuple):
    """How a job ended, and the JSON object that it printed last."""

    exit_code: int
    told: dict[str, Any]


def run_in_front(
    place: Place,
    catalogue: Catalogue,
    name: str,
    arguments: Sequence[str],
    say: Say,
    *,
    good: Collection[int] = (0,),
) -> Ended:
    """Run it and wait for its end; its progress goes to this terminal.

    One that needs nothing may be run while nothing runs here.

    Raises:
        Unusable: what it needs does not run here, or it ended otherwise than ``good`` says.
    """
    running = supervisor.processes(place)
    missing = [need for need in catalogue.services[name].needs if not _is_there(running.get(need))]
    if missing:
        raise Unusable(
            f"{name} needs {', '.join(missing)}, which do not run in this home, so nothing was "
            "done; start them with ./fraudwatch up --profile lake"
        )
    java_home = install.ensure(place, catalogue, [name], say)
    launch = all_launches(place, catalogue, env_file.ensure(place), java_home)[name]
    with reason_file() as reason:
        done = subprocess.run(
            command_of(launch, arguments),
            env={**environment_of(place, launch), VARIABLE: str(reason.path)},
            cwd=place.root,
            stdout=subprocess.PIPE,
            text=True,
            check=False,
        )
        recorded = reason.text()
    if done.returncode not in good:
        raise Unusable(recorded or f"{name} ended with {done.returncode}; the lines above say why")
    return Ended(done.returncode, json.loads(done.stdout.strip().splitlines()[-1]))


def _is_there(process: Process | None) -> bool:
    """Running, or a one-shot that has done its work."""
    return process is not None and (
        process.state == "RUNNING" or (process.state == "EXITED" and process.exit_status == 0)
    )


def command_of(launch: Launch, arguments: Sequence[str]) -> list[str]:
    """As nice as the supervisor would start it."""
    guard = ("nice", "-n", str(launch.service.nice)) if launch.service.nice else ()
    return [*guard, *launch.argv, *arguments]


def environment_of(place: Place, launch: Launch) -> Mapping[str, str]:
    """The job's own settings; of the caller's nothing but the home, and the mark of this stack."""
    return {
        "HOME": os.environ.get("HOME", str(place.home)),
        "PATH": "/usr/local/bin:/usr/bin:/bin",
        "LANG": "C.UTF-8",
        "TZ": "UTC",
        MARK_VARIABLE: place.mark,
        **launch.environment,
    }
