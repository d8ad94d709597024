"""Judge sandbox purchases: fold them over a state of their own, and score them as live.

Nothing is stored. The state is in memory and begins anew with the process, and purchases that were
published before it began get no verdict: their callers have gone. Risk views are left out, because
tokens of a sandbox are in no view.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from threading import Event
from typing import Final, Protocol

import numpy as np

from fraudwatch.adapters.artefacts.newest_artefacts import ScoringArtefacts
from fraudwatch.adapters.codecs.log_fold import fold_messages, full_vector
from fraudwatch.adapters.kafka_log.consumer_group import Message
from fraudwatch.application.ports import NotDelivered, Publisher
from fraudwatch.domain.features.state import CustomerState
from fraudwatch.domain.views.published import NO_VIEWS
from fraudwatch.observability.metrics import counter
from streaming.shadow.partition import Cursor
from streaming.shadow.scoring import Origin, Scorer, encode_scored

log = logging.getLogger("shadow")
MOST_CUSTOMERS: Final = 20_000
_AT_ONCE: Final = 200
_POLL_SECONDS: Final = 0.1
_IDLE_SECONDS: Final = 1.0

_verdicts = counter("fraudwatch_shadow_sandbox_verdicts")
_unscored = counter("fraudwatch_shadow_sandbox_unscored")


class Live(Protocol):
    """Opens what the detector scores with now."""

    def is_known(self) -> bool:
        """Return whether the detector has scored anything; opens nothing."""

    def current(self) -> ScoringArtefacts | None:
        """Return it; None if the detector has scored nothing yet."""


class SandboxLoop:
    """Scores the purchases of all partitions until stopped."""

    def __init__(
        self,
        cursors: Sequence[Cursor],
        live: Live,
        verdicts: Publisher,
        now_ms: Callable[[], int],
        *,
        most_customers: int = MOST_CUSTOMERS,
    ) -> None:
        """Begin at the present end of each partition; ``cursors`` are in their order."""
        self._cursors, self._live, self._topic = cursors, live, verdicts
        self._now_ms, self._most_customers = now_ms, most_customers
        self._customers = CustomerState()
        self._scorer: Scorer | None = None
        for cursor in cursors:
            cursor.seek(cursor.offset_at(now_ms()))

    def run(self, stopping: Event) -> None:
        """Score until stopped; ends after the current step."""
        while not stopping.is_set():
            if self.step() is None:
                stopping.wait(_IDLE_SECONDS)

    def step(self) -> int | None:
        """Score what has come; return how many purchases, None without a live policy.

        Without one nothing is read, so that purchases wait for it on the topic.
        """
        # Opened only after a purchase came: models take memory, and most homes have no sandbox.
        if not self._live.is_known():
            return None
        read = 0
        for partition, cursor in enumerate(self._cursors):
            messages = cursor.read(_AT_ONCE, _POLL_SECONDS)
            if messages:
                self._score(partition, messages)
                read += len(messages)
        return read

    def _score(self, partition: int, messages: Sequence[Message]) -> None:
        scorer = self._scorer_now()
        if scorer is None:
            _unscored.inc(len(messages))
            return
        produced_at_ms = np.array([one.timestamp()[1] for one in messages], dtype=np.int64)
        offsets = np.array([one.offset() or 0 for one in messages], dtype=np.int64)
        values = [one.value() or b"" for one in messages]
        folded = fold_messages(self._customers, values, produced_at_ms)
        features = full_vector(folded, folded.enrich_with_views(NO_VIEWS))
        made = encode_scored(
            folded,
            features,
            scorer,
            Origin(
                risk_view=[""] * len(folded.position),
                partition=np.full(len(folded.position), partition, dtype=np.int64),
                offset=offsets[folded.position],
                decided_at_ms=self._now_ms(),
            ),
        )
        tokens = folded.frame["customer_token"].to_list()
        times = produced_at_ms[folded.position].tolist()
        _unscored.inc(len(messages) - len(made))
        self._publish(list(zip(tokens, made, times, strict=True)))
        if self._customers.customers > self._most_customers:
            log.info("over %d sandbox customers: their state begins anew", self._most_customers)
            self._customers = CustomerState()

    def _publish(self, verdicts: Sequence[tuple[str, bytes, int]]) -> None:
        try:
            self._topic.publish(verdicts)
        except NotDelivered as error:
            # Its caller sees the purchase as pending, and sends another one.
            log.warning("%d sandbox verdicts are lost: %s", len(verdicts), error)
            _unscored.inc(len(verdicts))
        else:
            _verdicts.inc(len(verdicts))

    def _scorer_now(self) -> Scorer | None:
        live, known = self._live.current(), self._scorer
        if live is not None and (
            known is None or known.policy is not live.policy or known.models is not live.models
        ):
            self._scorer = known = Scorer.of(live.policy, live.models)
        return known
