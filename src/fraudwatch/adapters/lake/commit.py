"""Writes to a Delta table beside other writers: one wins, the other tries once more or says so."""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import TypeVar

log = logging.getLogger(__name__)
Written = TypeVar("Written")
# Delta's own names of a lost race (DELTA_CONCURRENT_APPEND, ConcurrentAppendException and others).
_LOST_RACE = ("DELTA_CONCURRENT", "DELTA_METADATA_CHANGED", "io.delta.exceptions.Concurrent")


class LakeBusy(RuntimeError):
    """Another writer was quicker, twice."""


def commit(write: Callable[[], Written], table: str) -> Written:
    """What ``write`` gives; after a lost race it is called once more, on the table as it is then.

    Raises:
        LakeBusy: it lost again; Delta kept the table as the others wrote it.
    """
    from py4j.protocol import Py4JJavaError
    from pyspark.errors import PySparkException

    try:
        return write()
    except (PySparkException, Py4JJavaError) as error:
        if not _lost_race(error):
            raise
        log.info("another job wrote %s at the same time; trying once more", table)
    try:
        return write()
    except (PySparkException, Py4JJavaError) as error:
        if not _lost_race(error):
            raise
        raise LakeBusy(
            f"other jobs wrote {table} twice while this one did, so that nothing of this write was "
            "kept; wait until they have ended and run this again"
        ) from error


def _lost_race(error: Exception) -> bool:
    told = str(error)
    return any(name in told for name in _LOST_RACE)
