"""Keep the filter of accepted ids current, on disk and in the metrics."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Annotated, Final

from annotated_types import Ge
from pydantic_settings import BaseSettings

from fraudwatch.adapters.id_filter_folder import IdFilterFolder
from fraudwatch.application.intake.known_ids import IdCatchUp, KnownIds, ScoredLog
from fraudwatch.application.ports import VerdictLookup
from fraudwatch.domain.id_filter import IdFilter
from fraudwatch.observability.metrics import counter, gauge
from fraudwatch.settings import from_environment

log = logging.getLogger("ingest")

FOLDER: Final = "ids"
SAVE_SECONDS: Final = 30.0
CATCH_UP_SECONDS: Final = 5.0
# Then the detector is down, or the last transaction has no verdict: that takes its time.
_QUICK_STEPS: Final = 12
# A start waits for the filter so long; a longer log is read beside the first purchases.
FIRST_SECONDS: Final = 10.0
_MIB: Final = 1 << 20

_ids = gauge("fraudwatch_ingest_id_filter_ids")
_since = gauge("fraudwatch_ingest_id_filter_since_seconds")
_is_complete = gauge("fraudwatch_ingest_id_filter_complete")
_lookups = counter("fraudwatch_ingest_id_filter_lookups")


class IdFilterSettings(BaseSettings):
    """Memory of the filter of accepted ids."""

    model_config = from_environment("ID_FILTER_")
    mib: Annotated[int, Ge(1)] = 64


def count_lookups(*, found: int = 0, missing: int = 0, unavailable: int = 0) -> None:
    """Count look-ups by outcome."""
    for outcome, ids in (("found", found), ("missing", missing), ("unavailable", unavailable)):
        if ids:
            _lookups.labels(outcome=outcome).inc(ids)


class IdFilterKeeper(threading.Thread):
    """Thread that catches up with the log, and saves the filter every half minute.

    ``save_also`` saves what else is kept of accepted purchases.
    """

    def __init__(self, catch_up: IdCatchUp, save_also: Callable[[], None]) -> None:
        super().__init__(name="id filter", daemon=True)
        self._catch_up, self._save_also = catch_up, save_also
        self._steps = 0
        self._has_stepped = threading.Event()

    def run(self) -> None:
        """Step for ever; without the broker the next step does it."""
        while True:
            time.sleep(self.step())

    def step(self) -> float:
        """Step once, and return the seconds to wait before the next."""
        self._steps += 1
        try:
            self._save_also()
            self._catch_up.step()
        except OSError as error:  # the broker is away, or the disk is full: purchases go on
            log.warning("the filter of accepted ids is not saved: %s; retrying", error)
        finally:
            self._has_stepped.set()
            self._export()
        is_catching_up = not self._catch_up.is_complete and self._steps <= _QUICK_STEPS
        return CATCH_UP_SECONDS if is_catching_up else SAVE_SECONDS

    def wait_for_first_step(self, within_seconds: float = FIRST_SECONDS) -> None:
        """Wait until the filter has caught up once, or the time is over."""
        if not self._has_stepped.wait(within_seconds):
            log.info("the filter of accepted ids still reads the log; repeats may pass meanwhile")

    def _export(self) -> None:
        kept = self._catch_up.known.filter
        _ids.set(kept.ids)
        _is_complete.set(self._catch_up.is_complete)
        if kept.since_ms is not None:
            _since.set(kept.since_ms / 1_000)


def _nothing() -> None:
    """Save nothing else."""


def kept_ids(
    state_folder: Path,
    stored: VerdictLookup,
    scored: ScoredLog,
    now_ms: Callable[[], int],
    save_also: Callable[[], None] = _nothing,
) -> tuple[KnownIds, IdFilterKeeper]:
    """Load the filter of this home; the keeper is not started yet."""
    store = IdFilterFolder(state_folder / FOLDER)
    segments, covered = store.load()
    kept = IdFilter(IdFilterSettings().mib * _MIB, segments)
    known = KnownIds(kept, stored, now_ms, count_lookups)
    return known, IdFilterKeeper(IdCatchUp(known, scored, store, covered), save_also)
