"""Run a job of the catalogue in the foreground, with arguments and live progress.

The runner starts services through the supervisor, which accepts no arguments and mixes stdout and
stderr in one log. Commands with arguments and a result run their job here instead. Such a job
prints one JSON object as its last line of stdout, and everything else on stderr.
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
from fraudwatch.stack.environments import Notify
from fraudwatch.stack.home import MARK_VARIABLE, Home, StackError
from fraudwatch.stack.launches import all_launches
from fraudwatch.stack.supervisor import Process


class JobResult(NamedTuple):
    """A job's exit code, and the JSON object that it printed last."""

    exit_code: int
    document: dict[str, Any]


def run_in_foreground(
    home: Home,
    catalogue: Catalogue,
    name: str,
    arguments: Sequence[str],
    notify: Notify,
    *,
    accepted_codes: Collection[int] = (0,),
) -> JobResult:
    """Run a job and wait until it ends; its progress is printed on this terminal.

    A job that needs no service can run while the stack is down.

    Raises:
        StackError: a service that it needs does not run in this home, or its exit code is not one
            of ``accepted_codes``.
    """
    running = supervisor.processes(home)
    missing = [
        need for need in catalogue.services[name].needs if not _is_available(running.get(need))
    ]
    if missing:
        raise StackError(
            f"{name} needs {', '.join(missing)}, which do not run in this home, so nothing was "
            "done; start them with ./fraudwatch up --profile lake"
        )
    java_home = install.ensure(home, catalogue, [name], notify)
    launch = all_launches(home, catalogue, env_file.ensure(home), java_home)[name]
    with reason_file() as reason:
        done = subprocess.run(
            command_of(launch, arguments),
            env={**environment_of(home, launch), VARIABLE: str(reason.path)},
            cwd=home.root,
            stdout=subprocess.PIPE,
            text=True,
            check=False,
        )
        recorded = reason.text()
    if done.returncode not in accepted_codes:
        raise StackError(recorded or f"{name} ended with {done.returncode}; see the lines above")
    return JobResult(done.returncode, json.loads(done.stdout.strip().splitlines()[-1]))


def _is_available(process: Process | None) -> bool:
    """Whether a service runs, or a job has succeeded."""
    return process is not None and (
        process.state == "RUNNING" or (process.state == "EXITED" and process.exit_status == 0)
    )


def command_of(launch: Launch, arguments: Sequence[str]) -> list[str]:
    """Return the job's command, with the CPU priority that the supervisor would give it."""
    guard = ("nice", "-n", str(launch.service.nice)) if launch.service.nice else ()
    return [*guard, *launch.argv, *arguments]


def environment_of(home: Home, launch: Launch) -> Mapping[str, str]:
    """Return the job's own settings, HOME and the stack's mark; nothing else of the caller's."""
    return {
        "HOME": os.environ.get("HOME", str(home.folder)),
        "PATH": "/usr/local/bin:/usr/bin:/bin",
        "LANG": "C.UTF-8",
        "TZ": "UTC",
        MARK_VARIABLE: home.mark,
        **launch.environment,
    }
