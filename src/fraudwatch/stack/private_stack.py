"""Start a private stack for tests, chaos runs and benchmarks: own home, secrets and free ports.

It does not touch other stacks on the machine, and is controlled by the same commands.
"""

from __future__ import annotations

import logging
import os
import random
import signal
import socket
import subprocess
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import Any

import httpx
from pydantic import SecretStr

from fraudwatch.settings import CassandraSettings, HiveSettings, KafkaSettings
from fraudwatch.stack import catalogue, env_file, java, processes, supervisor
from fraudwatch.stack.catalogue import Launch
from fraudwatch.stack.home import ROOT, Home, StackError
from fraudwatch.stack.launches import all_launches
from fraudwatch.stack.state import ServiceState, profile_of, status_of
from fraudwatch.stack.system_programs import runnable_profile

_COMMAND_SECONDS = 900
# The step divides no difference of two ports of the catalogue (ingest and the console: 500), so
# stacks with different offsets never need the same port. All ports stay below 32,768: Linux gives
# those above to outgoing connections, and one that was free when chosen may be in use at the start.
OFFSETS = range(11_000, 22_700, 319)
_LAST_CHARACTERS = 4_000

log = logging.getLogger(__name__)

# For chaos runs and benchmarks: they must know every purchase, so almost all come from their load.
QUIET_SHOP = {
    "SHOP_CUSTOMERS": "50",
    "SHOP_HISTORY_DAYS": "1",
    "SHOP_HISTORY_PURCHASES": "200",
    "SHOP_LIVE_PURCHASES_PER_SECOND": "0.2",
}


@dataclass(frozen=True)
class PrivateStack:
    """A private stack: its home, ports and secrets, and its command line."""

    folder: Path
    offset: int

    @property
    def home(self) -> Home:
        """Home of this stack."""
        return replace(Home.from_environment(), folder=self.folder.resolve())

    def command(self, *words: str, check: bool = True) -> subprocess.CompletedProcess[str]:
        """Run ./fraudwatch on this home.

        Raises:
            StackError: the command failed, and ``check`` is set.
        """
        mine = {"FRAUDWATCH_HOME": str(self.folder), "FRAUDWATCH_PORT_OFFSET": str(self.offset)}
        done = subprocess.run(
            [ROOT / "fraudwatch", *words],
            env=os.environ | mine,
            check=False,
            capture_output=True,
            text=True,
            timeout=_COMMAND_SECONDS,
        )
        if check and done.returncode != 0:
            output = f"{done.stdout}\n{done.stderr}".strip()
            raise StackError(
                f"fraudwatch {words[0]} of the stack in {self.folder} failed with status "
                f"{done.returncode}: {output[-_LAST_CHARACTERS:]}"
            )
        return done

    def kill_everything(self) -> None:
        """Kill -9 every process of this stack at once, the supervisor first, so it restarts none.

        Raises:
            StackError: it does not run, or a process survives.
        """
        if not supervisor.is_alive(self.home):
            raise StackError(f"the stack in {self.folder} does not run, so nothing was killed")
        os.kill(supervisor.call(self.home, "getPID"), signal.SIGKILL)
        processes.sweep(self.home)

    def start_again(self) -> None:
        """Start the profile that ran last.

        Raises:
            StackError: it did not start; the message has the end of the start's stderr.
        """
        self.start(profile_of(self.home))

    def start(self, profile: str) -> None:
        """Start a profile.

        Raises:
            StackError: it did not start; the message has the end of the start's stderr.
        """
        up = self.command("up", "--profile", profile, "--json", check=False)
        if up.returncode != 0:
            raise StackError(
                f"the stack in {self.folder} did not start:\n{up.stderr[-_LAST_CHARACTERS:]}"
            )

    def detector_command(self, module: str, *words: str) -> dict[str, Any]:
        """Return subprocess arguments of a module in the detector's environment, as Kafka admin."""
        kafka = self.kafka("admin")
        return {
            "args": [str(self.home.environments / "detector/bin/python"), "-m", module, *words],
            "cwd": ROOT,
            "env": {
                **os.environ,
                "KAFKA_BOOTSTRAP_SERVERS": kafka.bootstrap_servers,
                "KAFKA_USERNAME": kafka.username,
                "KAFKA_PASSWORD": kafka.password.get_secret_value(),
            },
            "text": True,
        }

    def port(self, service: str, name: str) -> int:
        """Return a port of a service."""
        return catalogue.load().port(service, name, self.offset)

    @cached_property
    def settings(self) -> dict[str, str]:
        """Settings of the home's .env, secrets included, with this stack's port offset."""
        own = env_file.parse((self.folder / ".env").read_text(encoding="utf-8"))
        return own | {env_file.PORT_OFFSET: str(self.offset)}

    @cached_property
    def launches(self) -> dict[str, Launch]:
        """Every service as this home starts it, by name."""
        java_home = java.ensure(self.home, log.info)
        return all_launches(self.home, catalogue.load(), self.settings, java_home)

    def kafka(self, user: str) -> KafkaSettings:
        """Return the Kafka settings of a user."""
        return KafkaSettings(
            bootstrap_servers=f"127.0.0.1:{self.port('kafka', 'broker')}",
            username=user,
            password=SecretStr(self.settings[f"KAFKA_{user.upper()}_PASSWORD"]),
        )

    def cassandra(self, role: str) -> CassandraSettings:
        """Return the Cassandra settings of a role."""
        return CassandraSettings(
            port=self.port("cassandra", "cql"),
            username=role,
            password=SecretStr(self.settings[f"CASSANDRA_{role.upper()}_PASSWORD"]),
        )

    def hive(self, user: str) -> HiveSettings:
        """Return the Thrift Server settings of a login."""
        return HiveSettings(
            port=self.port("thrift_server", "thrift"),
            username=user,
            password=SecretStr(self.settings[f"HIVE_{user.upper()}_PASSWORD"]),
        )

    def http(self, service: str, key: str) -> httpx.Client:
        """Open an HTTP client of a service, with an API key from .env."""
        return httpx.Client(
            base_url=f"http://127.0.0.1:{self.port(service, 'http')}",
            headers={"Authorization": f"Bearer {self.settings[key]}"},
            timeout=30,
        )

    @property
    def webhdfs_url(self) -> str:
        """URL of WebHDFS."""
        return f"http://127.0.0.1:{self.port('namenode', 'http')}"

    def states(self, *names: str) -> dict[str, ServiceState]:
        """Return the status of these services by name, of the whole profile if none is named.

        Probed in this process: `./fraudwatch status` would start a shell, Python and every driver.
        """
        services = catalogue.load()
        wanted = names or runnable_profile(services, profile_of(self.home))
        return {s.name: s for s in status_of(wanted, self.home, services, self.settings)}

    def pid(self, service: str) -> int:
        """Return the process id of a running service.

        Raises:
            StackError: it does not run.
        """
        found = supervisor.process(self.home, service)
        if found.pid <= 1:
            raise StackError(f"{service} does not run ({found.state}): it has no process id")
        return found.pid


@contextmanager
def running(folder: Path, settings: Mapping[str, str], profile: str) -> Iterator[PrivateStack]:
    """Start a profile in an empty home with these settings of .env; stop it afterwards.

    Raises:
        StackError: it did not start; the message has the end of the start's stderr.
    """
    (folder / ".env").write_text(_env_text(settings), encoding="utf-8")
    stack = PrivateStack(folder, free_offset())
    try:
        stack.start(profile)
        yield stack
    finally:
        stack.command("down", check=False)


def _env_text(settings: Mapping[str, str]) -> str:
    """Format the settings; the start adds the missing ones, secrets included."""
    return "".join(f"{name}={value}\n" for name, value in settings.items())


def free_offset() -> int:
    """Choose an offset with which every port of the catalogue is free now.

    It is random, because stacks that start at the same time find the same ports free.
    """
    services = catalogue.load().services.values()
    ports = [port for service in services for port in service.ports.values()]
    for offset in random.SystemRandom().sample(OFFSETS, len(OFFSETS)):
        if all(_is_free(port + offset) for port in ports):
            return offset
    raise StackError("no offset leaves every port free; end other stacks or test runs")


def _is_free(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) != 0
