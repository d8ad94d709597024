"""The start behind the stream: one line a milestone, its failure named, Ctrl-C passed on."""

from __future__ import annotations

import sys
import threading
from pathlib import Path

import pytest

from fraudwatch.cli.background_start import NICE, BackgroundStart, Milestone, up_command
from fraudwatch.cli.step_times import StepTimes
from fraudwatch.stack.home import StackError
from tests.waiting import eventually

LAKE = Milestone("lake", frozenset({"lake_setup"}))
AIRFLOW = Milestone("Airflow", frozenset({"airflow_scheduler", "airflow_triggerer"}), "log in")
LINES = """
installing the lake environment ...
namenode ready after 4.0 s
airflow_triggerer ready after 9.1 s
lake_setup done after 30.5 s
airflow_scheduler ready after 12.0 s
"""


class Terminal:
    """Records what a start prints, and what it reaches."""

    def __init__(self) -> None:
        self.lines = list[str]()
        self.steps = list[tuple[str, str]]()

    def start(self, script: str) -> BackgroundStart:
        """Return a start whose command runs this script of Python."""
        return BackgroundStart(
            [sys.executable, "-c", script],
            lambda: [LAKE, AIRFLOW],
            self.lines.append,
            lambda step, hint: self.steps.append((step, hint)),
        )


@pytest.fixture
def terminal() -> Terminal:
    return Terminal()


def printing(text: str, exit_code: int = 0) -> str:
    return f"import sys; sys.stderr.write({text.strip()!r}); sys.exit({exit_code})"


def test_a_milestone_is_reached_once_all_its_services_are_ready(terminal: Terminal) -> None:
    with terminal.start(printing(LINES)) as rest:
        rest.until_ready()
    assert terminal.steps == [("lake ready", ""), ("Airflow ready", "log in")]
    assert terminal.lines == ["     installing the lake environment ..."]


def test_a_caller_goes_on_with_its_milestone_while_other_services_start(
    terminal: Terminal, tmp_path: Path
) -> None:
    may_end = tmp_path / "may_end"
    script = (
        "import pathlib, sys, time\n"
        "print('lake_setup done after 3.0 s', file=sys.stderr, flush=True)\n"
        f"while not pathlib.Path({str(may_end)!r}).exists(): time.sleep(0.05)\n"
    )
    with terminal.start(script) as rest:
        rest.until_reached(["lake"])
        assert terminal.steps == [("lake ready", "")]
        may_end.touch()
        rest.until_ready()


def test_a_start_that_finds_everything_running_reaches_no_milestone(terminal: Terminal) -> None:
    with terminal.start("") as rest:
        rest.until_reached(["lake", "Airflow"])
    assert terminal.steps == []


def test_a_start_that_fails_before_a_milestone_is_a_failure_for_who_waits(
    terminal: Terminal,
) -> None:
    with (
        pytest.raises(StackError, match="without lake, Airflow"),
        terminal.start(printing("fraudwatch: no disk", exit_code=1)) as rest,
    ):
        rest.until_reached(["lake"])


def test_a_failure_names_cause_effect_and_cure(terminal: Terminal) -> None:
    lines = (
        "lake_setup done after 3.0 s\nfraudwatch: airflow_setup failed with exit status 1\n  | x"
    )
    with (
        pytest.raises(
            StackError, match=r"airflow_setup failed with exit status 1\n  [|] x"
        ) as found,
        terminal.start(printing(lines, exit_code=1)) as rest,
    ):
        rest.until_ready()
    assert "without Airflow:" in str(found.value)
    assert "The stream goes on" in str(found.value)
    assert "./fraudwatch demo starts the rest" in str(found.value)
    assert terminal.steps == [("lake ready", "")]


def test_a_start_that_dies_without_a_word_is_a_failure(terminal: Terminal) -> None:
    script = "import os, signal; os.kill(os.getpid(), signal.SIGKILL)"
    with pytest.raises(StackError, match="exit code -9"), terminal.start(script) as rest:
        rest.until_ready()


def test_a_failure_of_the_stream_waits_for_the_start_behind_it(
    terminal: Terminal, tmp_path: Path
) -> None:
    done = tmp_path / "done"
    script = f"import time, pathlib; time.sleep(0.5); pathlib.Path({str(done)!r}).touch()"
    with pytest.raises(StackError, match="no forest"), terminal.start(script):
        raise StackError("no forest")
    assert done.exists()
    assert terminal.lines == ["     the rest of the platform still starts ..."]


def test_ctrl_c_interrupts_the_start_and_its_children_once(
    terminal: Terminal, tmp_path: Path
) -> None:
    interrupted, began = tmp_path / "interrupted", tmp_path / "began"
    child = (
        "import pathlib, signal, time\n"
        f"signal.signal(signal.SIGINT, lambda *_: pathlib.Path({str(interrupted)!r}).open('a')"
        ".write('x') and exit())\n"
        f"pathlib.Path({str(began)!r}).touch()\n"
        "time.sleep(60)\n"
    )
    parent = (
        "import subprocess, sys\n"
        "try:\n"
        f"    subprocess.run([sys.executable, '-c', {child!r}])\n"
        "except KeyboardInterrupt:\n"
        "    sys.exit(130)\n"
    )

    def press_ctrl_c() -> None:
        eventually(began.exists, within_seconds=30, what="the child of the start")
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt), terminal.start(parent):
        press_ctrl_c()
    assert interrupted.read_text() == "x"
    assert not any(thread.name == "background_start" for thread in threading.enumerate())


def test_ctrl_c_while_it_is_planned_starts_nothing(tmp_path: Path) -> None:
    planning, started = threading.Event(), tmp_path / "started"
    interrupted = threading.Event()

    def plan() -> list[Milestone]:
        planning.set()
        assert interrupted.wait(10)
        return []

    def press_ctrl_c() -> None:
        assert planning.wait(10)
        threading.Timer(0.2, interrupted.set).start()
        raise KeyboardInterrupt

    command = [sys.executable, "-c", f"open({str(started)!r}, 'w')"]
    rest = BackgroundStart(command, plan, print, lambda _step, _hint: None)
    with pytest.raises(KeyboardInterrupt), rest:
        press_ctrl_c()
    assert not started.exists()


def test_the_command_keeps_running_services_and_has_low_priority() -> None:
    command = up_command("lake")
    assert command[:3] == ["nice", "-n", str(NICE)]
    assert command[-5:] == ["fraudwatch.cli", "up", "--profile", "lake", "--json"]


def test_steps_are_counted_from_the_start_of_the_command() -> None:
    clock, lines = iter([100.0, 141.26, 190.0]), list[str]()
    times = StepTimes(lines.append, lambda: next(clock))
    times.reached("stream ready")
    times.reached("Airflow ready", "log in")
    assert times.seconds == {"stream ready": 41.3, "Airflow ready": 90.0}
    assert lines == [
        "     stream ready: after 41.3 s",
        "     Airflow ready: after 90.0 s; log in",
    ]
