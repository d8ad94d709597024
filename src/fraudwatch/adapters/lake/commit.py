"""Commit to a Delta table with one retry when a concurrent writer wins."""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import TypeVar

log = logging.getLogger(__name__)
Written = TypeVar("Written")
# Delta's own names of a lost race (DELTA_CONCURRENT_APPEND, ConcurrentAppendException and others).
_LOST_RACE = ("DELTA_CONCURRENT", "DELTA_METADATA_CHANGED", "io.delta.exceptions.Concurrent")


class LakeBusy(RuntimeError):
    """Concurrent writers won twice; this write was not committed."""


def commit(write: Callable[[], Written], table: str) -> Written:
    """Call ``write`` and return its result; after a lost race, call it once more.

    Raises:
        LakeBusy: it lost again; the table is as the other writers left it.
    """
    from py4j.protocol import Py4JJavaError
    from pyspark.errors import PySparkException

    try:
        return write()
    except (PySparkException, Py4JJavaError) as error:
        if not _lost_race(error):
            raise
        log.info("another job wrote %s at the same time; retrying once", table)
    try:
        return write()
    except (PySparkException, Py4JJavaError) as error:
        if not _lost_race(error):
            raise
        raise LakeBusy(
            f"other jobs wrote {table} twice at the same time, so nothing of this write was "
            "committed; wait until they have ended and run this again"
        ) from error


def _lost_race(error: Exception) -> bool:
    text = str(error)
    return any(name in text for name in _LOST_RACE)
