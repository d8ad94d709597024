"""End the orphaned processes of a killed service, then start the service in this process.

A killed scheduler leaves workers and their Spark jobs, which would run beside those of the
restarted scheduler. Only the supervisor runs
``python -m fraudwatch.stack.reap_orphans NAME COMMAND...``
"""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence

from fraudwatch.stack import processes
from fraudwatch.stack.home import MARK_VARIABLE

SERVICE_VARIABLE = "FRAUDWATCH_SERVICE"


def main(arguments: Sequence[str]) -> None:
    """End the orphans of this home's service, mark this process, and replace it by the service."""
    name, *command = arguments
    marks = {MARK_VARIABLE: os.environ[MARK_VARIABLE], SERVICE_VARIABLE: name}
    if killed := processes.end_all(marks):
        sys.stderr.write(f"{name}: ended {killed} processes that its last run left behind\n")
        sys.stderr.flush()
    os.execvpe(command[0], command, {**os.environ, **marks})  # noqa: S606  replaced by the service


if __name__ == "__main__":
    main(sys.argv[1:])
