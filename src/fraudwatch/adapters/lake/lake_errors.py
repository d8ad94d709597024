"""Summarise uncaught Spark and Hadoop errors in one sentence: cause, effect and fix.

Spark passes Java exceptions on as a traceback of a hundred lines, whose end is useless in a failure
mail. The traceback is printed first, the sentence last; the task that started the job gets the
sentence alone.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from types import TracebackType
from typing import Any, Final

from fraudwatch.observability.failure_reason import record_reason, sentence_of_defect

# A file system or server that is unreachable, full or closed; all else is our defect or Spark's.
_OUTSIDE: Final = ("java.net.", "java.io.", "org.apache.hadoop.", "org.apache.thrift.")


def install_excepthook() -> None:
    """Install an excepthook that follows an uncaught lake exception by one sentence about it."""
    sys.excepthook = _hook


def sentence_of(error: BaseException) -> str | None:
    """Return cause, effect and fix; None if the lake is not the cause."""
    java: Any = getattr(error, "java_exception", None)
    outside = next((text for text in _causes(java) if text.startswith(_OUTSIDE)), None)
    if outside is None:
        return None
    return (
        f"The lake failed ({outside}), so the job stopped. Data it had not committed is unchanged. "
        "./fraudwatch status shows which service is down; free space if the disk is full; then run "
        "the job again."
    )


def _causes(java: Any) -> Iterator[str]:
    """Yield each exception's name and the first line of its text, outermost first."""
    while java is not None:
        yield str(java.toString()).splitlines()[0]
        java = java.getCause()


def _hook(kind: type[BaseException], error: BaseException, traceback: TracebackType | None) -> None:
    sys.__excepthook__(kind, error, traceback)
    sentence = sentence_of(error)
    if sentence is not None:
        sys.stderr.write(sentence + "\n")
    record_reason(sentence or sentence_of_defect(*_described(kind, error)))


def _described(kind: type[BaseException], error: BaseException) -> tuple[str, str]:
    """Return type and text; for a Java exception its innermost cause, without the stack trace."""
    causes = list(_causes(getattr(error, "java_exception", None)))
    return (kind.__name__, causes[-1] if causes else str(error))
