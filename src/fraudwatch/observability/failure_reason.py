"""Report a batch job's failure reason to the task that started it, by a file.

A job's output ends with Java's shutdown messages, so its last line is not the reason. The task
names a file in the environment; the job writes its ERROR log messages and an uncaught exception to
it. Without the variable nothing is written. For a job that could not write, the reason is taken
from its output: `last_sentence`.
"""

from __future__ import annotations

import logging
import os
import re
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from types import TracebackType
from typing import Final

VARIABLE: Final = "FRAUDWATCH_FAILURE_REASON_FILE"
# As in "2026-11-20 02:00:01,234Z ERROR refine_day: HDFS is full"; Spark's own lines have this form.
_LOG_LINE: Final = re.compile(r"\d{4}-\d\d-\d\d [\d:,]+Z (?P<level>[A-Z]+) [^:]+: (?P<text>.*)")
_ERRORS: Final = frozenset({"ERROR", "FATAL", "CRITICAL"})
_USAGE_ERROR: Final = re.compile(r"\S+: error: ")
# Frames of a Java stack, and the document that a job prints with --json.
_NO_SENTENCE: Final = ("at ", "... ", "{")


@dataclass(frozen=True, slots=True)
class ReasonFile:
    """The file that one run of a job writes its reason to."""

    path: Path

    def text(self) -> str:
        """Read the reason; empty where the job recorded none."""
        return self.path.read_text(encoding="utf-8").strip() if self.path.exists() else ""


@contextmanager
def reason_file() -> Iterator[ReasonFile]:
    """Create a temporary reason file for one run of a job."""
    with TemporaryDirectory(prefix="fraudwatch-job-") as folder:
        yield ReasonFile(Path(folder) / "reason")


class ReasonHandler(logging.Handler):
    """A log handler that records each ERROR of one job's logger."""

    def __init__(self) -> None:
        super().__init__(logging.ERROR)

    def emit(self, record: logging.LogRecord) -> None:
        """Append the message to the file; a full disk does not stop the job."""
        try:
            record_reason(record.getMessage())
        except OSError:
            self.handleError(record)


def install(process: str) -> None:
    """Record from now on this job's ERROR log messages and uncaught exceptions."""
    if VARIABLE not in os.environ:
        return
    logger = logging.getLogger(process)
    if not any(isinstance(handler, ReasonHandler) for handler in logger.handlers):
        logger.addHandler(ReasonHandler())
    sys.excepthook = _excepthook


def record_reason(sentence: str) -> None:
    """Append a reason; several are in their order, each on lines of its own."""
    path = os.environ.get(VARIABLE)
    if path:
        with Path(path).open("a", encoding="utf-8") as file:
            file.write(f"{sentence.strip()}\n")


def sentence_of_defect(kind: str, text: str) -> str:
    """Format cause, effect and fix of an unexpected error."""
    return (
        f"The job stopped with an unexpected error ({kind}: {text.strip()}). Its unfinished work "
        "changed nothing. The traceback is in the log of the task."
    )


def _excepthook(
    kind: type[BaseException], error: BaseException, traceback: TracebackType | None
) -> None:
    sys.__excepthook__(kind, error, traceback)
    record_reason(sentence_of_defect(kind.__name__, str(error)))


def last_sentence(lines: Sequence[str]) -> str | None:
    """Find the last line of a job's output that is not a Java stack or a log line below ERROR."""
    for line in reversed(lines):
        logged = _LOG_LINE.fullmatch(line)
        if logged and logged["level"] not in _ERRORS:
            continue
        text = logged["text"] if logged else line.strip()
        if text and not text.startswith(_NO_SENTENCE):
            return _USAGE_ERROR.sub("", text, count=1)
    return None
