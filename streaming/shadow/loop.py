"""Loop of the shadow: follow the candidate's folder, and compare every partition in turn."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Final

from fraudwatch.adapters.artefacts.candidate import Candidate, load_candidate
from fraudwatch.adapters.artefacts.candidate_folder import MANIFEST_NAME, BrokenCandidate
from fraudwatch.adapters.kafka_log.consumer_group import FIRST_RETRY_SECONDS, LONGEST_RETRY_SECONDS
from fraudwatch.adapters.kafka_log.topic_check import TopicChanged
from fraudwatch.application.ports import StoreUnavailable
from fraudwatch.application.shadow.comparing import ShadowStore
from fraudwatch.domain.models.serving import ServingVersions
from fraudwatch.observability.metrics import gauge
from streaming.shadow.partition import PartitionShadow

log = logging.getLogger("shadow")
IDLE_SECONDS: Final = 1.0

_active = gauge("fraudwatch_shadow_active")
_usable = gauge("fraudwatch_shadow_candidate_usable")
_paused = gauge("fraudwatch_shadow_paused")
_lag = gauge("fraudwatch_shadow_lag_seconds")

OpenPartitions = Callable[[Candidate], Sequence[PartitionShadow]]


class CandidateWatch:
    """Loads the candidate again when its manifest changes."""

    def __init__(self, folder: Path, serving: ServingVersions) -> None:
        self._folder, self._serving = folder, serving
        self._signature: tuple[int, ...] | None = None
        self._current: Candidate | None = None

    def current(self) -> Candidate | None:
        """Return the candidate; None if there is none, or it cannot be used."""
        signature = self._signature_now()
        if signature != self._signature:
            self._signature = signature
            self._current = self._load()
        return self._current

    def _load(self) -> Candidate | None:
        try:
            candidate = load_candidate(self._folder, self._serving)
        except BrokenCandidate as error:
            log.error("%s; nothing is compared until it is replaced", error)  # noqa: TRY400
            _usable.set(0)
            return None
        _usable.set(1)
        return candidate

    def _signature_now(self) -> tuple[int, ...]:
        try:
            found = (self._folder / MANIFEST_NAME).stat()
        except FileNotFoundError:
            return ()
        return found.st_mtime_ns, found.st_size, found.st_ino


class ShadowLoop:
    """Compares the current candidate until stopped; idle without one."""

    def __init__(
        self,
        watch: CandidateWatch,
        store: ShadowStore,
        open_partitions: OpenPartitions,
        now_seconds: Callable[[], float],
    ) -> None:
        self._watch, self._store, self._open = watch, store, open_partitions
        self._now_seconds = now_seconds
        self._candidate: Candidate | None = None
        self._partitions: Sequence[PartitionShadow] = ()
        self._retry_seconds = FIRST_RETRY_SECONDS
        self.stopping = threading.Event()
        # Evaluated at each scrape, so the age grows while the loop waits for the store.
        _lag.set_function(self._lag_seconds)

    def run(self) -> None:
        """Compare until stopped; ends after the current step."""
        try:
            while not self.stopping.is_set():
                self.step()
        finally:
            self._close()

    def step(self) -> None:
        """Follow the folder, and step through the partitions once."""
        try:
            self._follow()
            handled = sum(partition.step() for partition in self._partitions)
        except StoreUnavailable as error:
            log.warning("%s; retrying in %.1f s", error, self._retry_seconds)
            _paused.set(1)
            self.stopping.wait(self._retry_seconds)
            self._retry_seconds = min(2 * self._retry_seconds, LONGEST_RETRY_SECONDS)
            return
        _paused.set(0)
        self._retry_seconds = FIRST_RETRY_SECONDS
        if not handled and not self._partitions:
            self.stopping.wait(IDLE_SECONDS)

    def _follow(self) -> None:
        """Begin with another candidate, or end with none."""
        candidate = self._watch.current()
        if candidate is self._candidate:
            return
        self._close()
        if candidate is not None:
            self._store.begin(candidate.comparison)
            is_compared = self._begin(candidate)
        else:
            log.info("no candidate; idle")
            is_compared = False
        self._candidate = candidate
        _active.set(is_compared)

    def _begin(self, candidate: Candidate) -> bool:
        """Open the candidate's partitions; False if its counts are of other topics."""
        try:
            self._partitions = self._open(candidate)
        except TopicChanged as error:
            # The canary and the sandbox beside it go on.
            log.error("%s", error)  # noqa: TRY400  a sentence
            _usable.set(0)
            return False
        log.info("comparing %s", candidate.comparison)
        return True

    def _close(self) -> None:
        for partition in self._partitions:
            partition.close()
        self._partitions = ()

    def _lag_seconds(self) -> float:
        """Return the age of the oldest verdict that is read and not counted; 0 if none is."""
        found = [one.oldest_ms for one in self._partitions]
        oldest_ms = min((at for at in found if at is not None), default=None)
        return 0.0 if oldest_ms is None else max(0.0, self._now_seconds() - oldest_ms / 1000)
