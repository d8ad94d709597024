"""systemd: the notify protocol against a socket of ours, and the printed unit."""

from __future__ import annotations

import shutil
import signal
import socket
import subprocess
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from fraudwatch.stack import catalogue, runner, supervisor
from fraudwatch.stack.environments import exclusive
from fraudwatch.stack.home import ROOT, Home, StackError
from fraudwatch.stack.incidents import Incident
from fraudwatch.stack.supervisor import Process
from fraudwatch.stack.systemd_notify import Notifier
from fraudwatch.stack.systemd_unit import unit_of
from fraudwatch.stack.watch import VITAL_SECONDS, Health, StopWatching, Watch, judge
from fraudwatch.stack.watchdog_report import STALE_SECONDS, WatchdogReport, write_report

VITAL = {"kafka"}


class FakeSystemd:
    """The receiving end of NOTIFY_SOCKET, emptied all the time: a full one blocks its sender."""

    def __init__(self, address: str) -> None:
        self._address = address.replace("@", "\0", 1) if address.startswith("@") else address
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self._socket.bind(self._address)
        self._messages = list[list[str]]()
        self._thread = threading.Thread(target=self._receive, daemon=True)
        self._thread.start()

    def _receive(self) -> None:
        while text := self._socket.recv(4_096).decode():
            self._messages.append(text.split("\n"))

    def received(self) -> list[list[str]]:
        """End with an empty datagram, and return the messages before it."""
        if self._thread.is_alive():
            with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as end:
                end.sendto(b"", self._address)
            self._thread.join(10)
        return self._messages

    def close(self) -> None:
        self.received()
        self._socket.close()


@pytest.fixture
def address(tmp_path: Path) -> str:
    return str(tmp_path / "notify")


@pytest.fixture
def systemd(address: str) -> Iterator[FakeSystemd]:
    fake = FakeSystemd(address)
    yield fake
    fake.close()


def test_a_message_is_one_datagram_with_one_assignment_a_line(
    systemd: FakeSystemd, address: str
) -> None:
    Notifier(address).send("READY=1", "STATUS=two\nlines")
    assert systemd.received() == [["READY=1", "STATUS=two lines"]]


def test_an_abstract_socket_is_reached(tmp_path: Path) -> None:
    fake = FakeSystemd(f"@{tmp_path}")
    Notifier(f"@{tmp_path}").send("WATCHDOG=1")
    assert fake.received() == [["WATCHDOG=1"]]
    fake.close()


def test_without_systemd_nothing_is_sent_and_no_ping_is_due() -> None:
    notifier = Notifier.from_environment({})
    notifier.send("READY=1")
    assert notifier == Notifier("", None)


def test_the_ping_interval_comes_from_systemd() -> None:
    environment = {"NOTIFY_SOCKET": "/run/n", "WATCHDOG_USEC": "120000000"}
    assert Notifier.from_environment(environment) == Notifier("/run/n", 120.0)


def a_report(**unready_seconds: float) -> WatchdogReport:
    return WatchdogReport(checked_at=10_000, unready_seconds=unready_seconds)


@pytest.mark.parametrize(
    ("report", "now", "started_at", "expected"),
    [
        (a_report(kafka=0), 10_010, 0, Health(True, "all are ready")),
        (a_report(kafka=0, console=9), 10_010, 0, Health(True, "not ready yet: console")),
        (a_report(kafka=VITAL_SECONDS), 10_010, 0, Health(True, "not ready yet: kafka")),
        (
            a_report(kafka=VITAL_SECONDS + 1),
            10_010,
            0,
            Health(False, "not ready for more than 30 minutes: kafka"),
        ),
        (a_report(console=9e9), 10_010, 0, Health(True, "not ready yet: console")),
        (
            a_report(),
            10_001 + STALE_SECONDS,
            10_000,
            Health(False, "the watchdog does not report"),
        ),
        (None, 10_010, 10_000, Health(True, "the watchdog does not report")),
        (None, 10_001 + STALE_SECONDS, 10_000, Health(False, "the watchdog does not report")),
    ],
)
def test_systemd_is_pinged_while_vital_services_are_ready_or_within_their_grace(
    report: WatchdogReport | None, now: float, started_at: float, expected: Health
) -> None:
    assert judge(report, VITAL, now, started_at) == expected


def test_an_incident_is_shown_in_the_status() -> None:
    incident = Incident(service="console", kind="hung", began_at=1, next_restart_at=2)
    report = WatchdogReport(checked_at=10_000, incidents=(incident,))
    assert judge(report, VITAL, 10_001, 0) == Health(True, "restarting console hung")


class World:
    """A watch over a stack whose commands and supervisor are replaced."""

    def __init__(self, home: Home, address: str, patched: pytest.MonkeyPatch) -> None:
        self.home, self.now = home, 10_000.0
        self.commands: list[str] = []
        self.failures = 0
        self.alive, self.watchdog_state = True, "RUNNING"
        self.at_sleep: list[Callable[[], None]] = []
        self.watch = Watch(
            home=home,
            catalogue=catalogue.load(),
            profile="kafka",
            systemd=Notifier(address, 120.0),
            now=lambda: self.now,
            sleep=self._sleep,
        )
        patched.setattr(runner, "up", self._up)
        patched.setattr(runner, "down", lambda *_: self.commands.append("down"))
        patched.setattr(supervisor, "is_alive", lambda _: self.alive)
        patched.setattr(supervisor, "process", lambda _, name: self._process(name))
        patched.setattr(supervisor, "start_process", lambda _, name: self.commands.append(name))

    def _up(self, *_: object) -> None:
        self.commands.append("up")
        self.alive = True
        if self.failures:
            self.failures -= 1
            raise StackError("port 9092 is in use")

    def _process(self, name: str) -> Process:
        return Process(name=name, state=self.watchdog_state, pid=1, exit_status=0, uptime_seconds=1)

    def _sleep(self, seconds: float) -> None:
        self.now += seconds
        if not self.at_sleep:
            raise StopWatching
        self.at_sleep.pop(0)()

    def sleeps(self, count: int) -> None:
        self.at_sleep += [lambda: None] * count


@pytest.fixture
def world(
    tmp_path: Path, address: str, systemd: FakeSystemd, monkeypatch: pytest.MonkeyPatch
) -> World:
    assert systemd
    home = Home(root=tmp_path, runtime=tmp_path, folder=tmp_path / "home")
    home.make_folders()
    return World(home, address, monkeypatch)


def pings(messages: list[list[str]]) -> int:
    return sum("WATCHDOG=1" in message for message in messages)


def statuses(messages: list[list[str]]) -> list[str]:
    return [line.removeprefix("STATUS=") for m in messages for line in m if "STATUS=" in line]


def test_a_watch_starts_reports_ready_pings_and_stops_in_order(
    world: World, systemd: FakeSystemd
) -> None:
    write_report(world.home, a_report(kafka=0))
    world.sleeps(2)
    world.watch.run()
    received = systemd.received()
    assert world.commands == ["up", "down"]
    assert received[0] == ["READY=1"]
    assert received[1:4] == [["STATUS=all are ready", "WATCHDOG=1"]] * 3
    assert received[-1] == ["STOPPING=1", "STATUS=stopping"]


def test_a_vital_service_that_stays_unready_ends_the_pings(
    world: World, systemd: FakeSystemd
) -> None:
    write_report(world.home, a_report(kafka=VITAL_SECONDS + 1))
    world.sleeps(3)
    world.watch.run()
    assert pings(systemd.received()) == 0


def test_a_failed_start_is_repeated_later_and_ready_comes_after_it(
    world: World, systemd: FakeSystemd
) -> None:
    world.failures = 2
    world.sleeps(12)  # 60 s and 120 s in steps of 15 s
    world.watch.run()
    assert world.commands == ["up", "up", "up", "down"]
    assert world.now == 10_000 + 60 + 120 + 15
    received = systemd.received()
    assert statuses(received)[0] == "not started, again in 60 s: port 9092 is in use"
    assert received.index(["READY=1"]) > received.index(["WATCHDOG=1"])


def test_a_dead_supervisor_is_started_again(world: World) -> None:
    def die() -> None:
        world.alive = False

    world.at_sleep = [die]
    world.watch.run()
    assert world.commands == ["up", "up", "down"]


def test_a_stack_that_a_person_stopped_is_not_started_again(
    world: World, systemd: FakeSystemd
) -> None:
    def down_by_a_person() -> None:
        world.alive = False
        (world.home.run_folder / "stopped").touch()

    world.at_sleep = [down_by_a_person]
    world.sleeps(4)
    world.watch.run()
    assert world.commands == ["up", "down"]
    received = systemd.received()
    assert "stopped by ./fraudwatch down; ./fraudwatch up resumes" in statuses(received)
    assert pings(received) == 6


def test_nothing_is_decided_while_another_command_works_on_the_stack(
    world: World, systemd: FakeSystemd
) -> None:
    world.alive = False
    with exclusive(world.home.run_folder / "stack.lock"):
        world.watch.follow()
    assert world.commands == []
    assert statuses(systemd.received()) == ["another command is starting or stopping the stack"]


def test_a_watchdog_that_was_given_up_is_started(world: World) -> None:
    world.watchdog_state = "FATAL"
    world.watch.follow()
    assert world.commands == ["watchdog"]


def test_down_marks_the_stack_as_stopped_and_up_as_wanted(tmp_path: Path) -> None:
    home = Home(root=ROOT, runtime=tmp_path, folder=tmp_path / "home")
    small = catalogue.parse("[profiles]\nnone = []")
    runner.down(home, small, lambda _: None)
    assert runner.is_stopped_by_command(home)
    with pytest.raises(StackError, match="FRAUDWATCH_PORT_OFFSET"):
        _up_with_a_bad_setting(home)
    assert not runner.is_stopped_by_command(home)


def _up_with_a_bad_setting(home: Home) -> None:
    (home.folder / ".env").write_text("FRAUDWATCH_PORT_OFFSET=x\n")
    runner.up(home, catalogue.load(), "kafka", lambda _: None)


def test_a_second_signal_does_not_interrupt_the_orderly_stop(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    from fraudwatch.cli import watch as command

    handlers = dict[int, object]()
    monkeypatch.setattr(signal, "signal", handlers.__setitem__)
    with pytest.raises(StopWatching, match="SIGTERM"):
        command._stop(signal.SIGTERM, None)
    assert set(handlers.values()) == {signal.SIG_IGN}
    assert len(handlers) == 2
    assert world.commands == []


def a_unit(folder: str = f"{ROOT}/var", **environment: str) -> str:
    home = Home(root=ROOT, runtime=ROOT / ".runtime", folder=Path(folder))
    return unit_of(home, user="root", profile="speed", environment=environment)


def test_the_unit_is_filled_for_the_checkout_and_passes_settings_on() -> None:
    unit = a_unit("/data/100%", FRAUDWATCH_HOME="../100%", FRAUDWATCH_PORT_OFFSET="10", OTHER="x")
    assert f'ExecStart="{ROOT}/fraudwatch" watch --profile speed' in unit
    assert f"WorkingDirectory={ROOT}" in unit
    assert "User=root" in unit
    assert 'Environment="FRAUDWATCH_HOME=/data/100%%"' in unit
    assert 'Environment="FRAUDWATCH_PORT_OFFSET=10"' in unit
    assert f'ReadWritePaths="-{ROOT}" "-/data/100%%" "-{ROOT}/.runtime"' in unit
    assert "OTHER" not in unit
    assert "@" not in unit


@pytest.mark.parametrize("path", ['/data/"x', "/data/$HOME", "/data/\\x", "/data/\nx"])
def test_a_path_that_the_unit_cannot_hold_is_refused(path: str) -> None:
    with pytest.raises(StackError, match="another path"):
        a_unit(path)


@pytest.mark.skipif(shutil.which("systemd-analyze") is None, reason="needs systemd-analyze")
def test_systemd_accepts_the_unit(tmp_path: Path) -> None:
    path = tmp_path / "fraudwatch.service"
    path.write_text(a_unit("/var/lib/fraudwatch", FRAUDWATCH_HOME="/var/lib/fraudwatch"))
    done = subprocess.run(
        ["systemd-analyze", "verify", "--recursive-errors=no", str(path)],
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    own = [line for line in done.stderr.splitlines() if "fraudwatch.service" in line]
    assert (done.returncode, own) == (0, [])


@pytest.mark.skipif(shutil.which("systemd-analyze") is None, reason="needs systemd-analyze")
def test_systemd_refuses_a_broken_unit(tmp_path: Path) -> None:
    path = tmp_path / "fraudwatch.service"
    path.write_text(a_unit().replace("Type=notify", "Type=nonsense"))
    done = subprocess.run(
        ["systemd-analyze", "verify", "--recursive-errors=no", str(path)],
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert "nonsense" in done.stderr
