"""Show where a process spends its processor time, by thread name.

``python -m benchmarks.thread_use PID --seconds 30`` needs no agent in the process. A profile of
Java code (``jcmd PID JFR.start settings=profile``) has no samples of the JVM's own threads: its
compilers and garbage collectors appear only here.
"""

from __future__ import annotations

import argparse
import os
import re
import sys
import time
from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Final, NamedTuple

_TICKS_PER_SECOND: Final = os.sysconf("SC_CLK_TCK")
_LINES: Final = 15
_NUMBERS = re.compile(r"\d+")


class ThreadTime(NamedTuple):
    """Name of a thread without numbers, and its processor seconds so far."""

    name: str
    seconds: float


def thread_times(pid: int) -> dict[str, ThreadTime]:
    """Read the threads of a process, by thread id.

    The layout is that of ``/proc/PID/task/TID/stat`` in proc(5). Linux keeps 15 characters of a
    name.
    """
    found = {}
    for path in Path(f"/proc/{pid}/task").glob("*/stat"):
        try:
            text = path.read_text(encoding="utf-8", errors="replace")
        except (FileNotFoundError, ProcessLookupError):
            continue  # it ended after it was listed
        name, _, rest = text.partition("(")[2].rpartition(")")
        user_ticks, system_ticks = rest.split()[11:13]
        seconds = (int(user_ticks) + int(system_ticks)) / _TICKS_PER_SECOND
        found[path.parent.name] = ThreadTime(_without_numbers(name), seconds)
    return found


def _without_numbers(name: str) -> str:
    # C1 and C2 are compilers, not numbered threads.
    return name if "CompilerThre" in name else _NUMBERS.sub("#", name)


def used_between(
    before: Mapping[str, ThreadTime], after: Mapping[str, ThreadTime]
) -> Sequence[tuple[str, float]]:
    """Return names with their processor seconds, most first; threads that ended are left out."""
    used: defaultdict[str, float] = defaultdict(float)
    for number, (name, seconds) in after.items():
        used[name] += seconds - (before[number].seconds if number in before else 0.0)
    return Counter(used).most_common()


def main() -> None:
    """Print the threads that used most in an interval."""
    parser = argparse.ArgumentParser(description="Processor time of a process, by thread.")
    parser.add_argument("pid", type=int)
    parser.add_argument("--seconds", type=float, default=30.0)
    asked = parser.parse_args()
    before = thread_times(asked.pid)
    time.sleep(asked.seconds)
    used = used_between(before, thread_times(asked.pid))
    in_all = sum(seconds for _, seconds in used)
    load = os.getloadavg()[0]
    sys.stdout.write(f"{in_all / asked.seconds:.3f} cores, load average {load:.1f}\n")
    for name, seconds in used[:_LINES]:
        share = seconds / max(in_all, 1 / _TICKS_PER_SECOND)
        sys.stdout.write(f"{seconds / asked.seconds:8.3f} cores {share:6.1%}  {name}\n")


if __name__ == "__main__":
    main()
