"""Uncaught Spark and Hadoop errors in one sentence: cause, effect and fix.

Spark passes Java's exceptions on as a traceback of a hundred lines, whose end is no use to the
person who gets it by mail. The traceback is printed first, the sentence last; the task that started
the job gets the sentence alone.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from types import TracebackType
from typing import Any, Final

from fraudwatch.observability.failure_reason import record_reason, sentence_of_defect

# A file system or a server that is away, full or closed; all else is a fault of ours or of Spark's.
_OUTSIDE: Final = ("java.net.", "java.io.", "org.apache.hadoop.", "org.apache.thrift.")


def tell_last() -> None:
    """From now on, an uncaught exception of the lake's is followed by one sentence about it."""
    sys.excepthook = _hook


def sentence_of(error: BaseException) -> str | None:
    """Cause, effect and cure; None where the lake is not the cause."""
    java: Any = getattr(error, "java_exception", None)
    outside = next((told for told in _causes(java) if told.startswith(_OUTSIDE)), None)
    if outside is None:
        return None
    return (
        f"The lake did not do what it was asked ({outside}), so the job stopped. What it had "
        "not finished is as it was before. ./fraudwatch status says what is down; free space if "
        "it is full; then run the job again."
    )


def _causes(java: Any) -> Iterator[str]:
    """Each exception by its name and the first line of its text, the outermost first."""
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
    """Kind and text; of a Java exception its innermost cause, without a hundred lines of stack."""
    causes = list(_causes(getattr(error, "java_exception", None)))
    return (kind.__name__, causes[-1] if causes else str(error))
