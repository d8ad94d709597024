"""Run docker-compose.yml as a project of its own: own secrets, ports and volumes."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from fraudwatch.stack import env_file
from fraudwatch.stack.compose import overlay as overlays
from fraudwatch.stack.compose import secret_files
from fraudwatch.stack.home import ROOT, Home

PROJECT = "fraudwatch-test"
PORT_OFFSET = 20_000
START_SECONDS = 600
DAEMON_SECONDS = 30


class Platform:
    """A project of docker compose; each call is one command."""

    def __init__(self, home: Home, settings: Mapping[str, str]) -> None:
        self.settings = settings
        self._folder = secret_files.write(home, overlays.load(), settings)
        self._env_file = home.env_file

    def compose(self, *words: str, profile: str = "*", text: bool = True) -> str:
        """Run docker compose and return what it prints."""
        command = ["docker", "compose", "--project-name", PROJECT, "--env-file", self._env_file]
        done = subprocess.run(
            [*command, "--profile", profile, *words],
            cwd=ROOT,
            env={**os.environ, "FRAUDWATCH_SECRETS": str(self._folder)},
            check=False,
            stdout=subprocess.PIPE,
            text=text,
        )
        assert done.returncode == 0, f"docker compose {' '.join(words)}\n{done.stdout}"
        return str(done.stdout)

    def up(self, profile: str) -> None:
        """Build what is ours, and start a profile; other projects' images are there already."""
        self.compose("build", profile=profile)
        waiting = ("--wait", "--wait-timeout", str(START_SECONDS))
        self.compose("up", "--detach", "--no-build", "--pull", "never", *waiting, profile=profile)

    def url(self, port_variable: str) -> str:
        """Return the address of a published port."""
        return f"http://127.0.0.1:{self.settings[port_variable]}"

    def run_in(self, service: str, code: str) -> Any:
        """Run Python in a container, with its variables and secrets; return its JSON."""
        entry = ("exec", "-T", service, "/app/docker/entrypoint.sh", "python", "-c", code)
        return json.loads(self.compose(*entry).splitlines()[-1])

    def containers(self) -> list[dict[str, Any]]:
        """Return `docker inspect` of every container of the project."""
        ids = self.compose("ps", "--all", "--quiet").split()
        shown = subprocess.run(["docker", "inspect", *ids], check=True, capture_output=True)
        return list(json.loads(shown.stdout))


@contextmanager
def platform(folder: Path, changes: Mapping[str, str]) -> Iterator[Platform]:
    """Make a project with these settings; its containers and volumes are removed at the end."""
    home = Home(root=ROOT, runtime=folder / "runtime", folder=folder / "home")
    settings = env_file.ensure(home)
    ports = {name: str(int(settings[name]) + PORT_OFFSET) for name in overlays.load().published}
    lines = [f"{name}={value}" for name, value in (settings | ports | dict(changes)).items()]
    home.env_file.write_text("\n".join(lines) + "\n", encoding="utf-8")
    project = Platform(home, env_file.ensure(home))
    try:
        yield project
    finally:
        project.compose("down", "--volumes", "--timeout", "20")


@contextmanager
def docker_daemon(folder: Path) -> Iterator[None]:
    """Use the daemon that runs, or start one for the time of the test."""
    if _answers():
        yield
        return
    dockerd = shutil.which("dockerd")
    assert dockerd is not None
    with (folder / "dockerd.log").open("wb") as log:
        command = [dockerd, "--data-root", str(folder / "docker")]
        daemon = subprocess.Popen(command, stdout=log, stderr=log)
    try:
        deadline = time.monotonic() + DAEMON_SECONDS
        while not _answers():
            assert time.monotonic() < deadline, (folder / "dockerd.log").read_text()
            time.sleep(0.5)
        yield
    finally:
        daemon.terminate()
        daemon.wait()


def _answers() -> bool:
    return subprocess.run(["docker", "info"], check=False, capture_output=True).returncode == 0
