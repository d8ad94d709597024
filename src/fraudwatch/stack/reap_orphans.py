"""Begins a service's next life: ends what its last one left behind, then becomes the service.

A scheduler that was killed leaves workers and their Spark jobs, which would work on beside those of
its successor. ``python -m fraudwatch.stack.reap_orphans NAME COMMAND...``, by the supervisor alone.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence

from fraudwatch.stack import processes
from fraudwatch.stack.place import MARK_VARIABLE

SERVICE_VARIABLE = "FRAUDWATCH_SERVICE"


def main(arguments: Sequence[str]) -> None:
    """End the orphans of this home's service, mark this process as it, and hand over."""
    name, *command = arguments
    marks = {MARK_VARIABLE: os.environ[MARK_VARIABLE], SERVICE_VARIABLE: name}
    if killed := processes.end_all(marks):
        sys.stderr.write(f"{name}: ended {killed} processes that its last life left behind\n")
        sys.stderr.flush()
    os.execvpe(command[0], command, {**os.environ, **marks})  # noqa: S606  it becomes the service


if __name__ == "__main__":
    main(sys.argv[1:])
