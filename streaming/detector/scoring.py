"""Score micro-batches: fold, enrich, score, explain, dead-letter, publish."""

from __future__ import annotations

import logging
import time
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Protocol

import numpy as np
import numpy.typing as npt

from fraudwatch.adapters.codecs.log_fold import FoldedMessages, fold_messages, full_vector, packed
from fraudwatch.adapters.codecs.verdict_frames import VerdictInputs, encode_verdicts
from fraudwatch.adapters.lake.spark_stream import MicroBatch
from fraudwatch.application.ports import DeadLetters, ScoredBatch, VerdictLog
from fraudwatch.application.scoring.serving_bounds import serving_bounds
from fraudwatch.domain.features.fold import features_version
from fraudwatch.domain.features.state import CustomerState
from fraudwatch.domain.messages.dead_letter import DeadLetter, Stage
from fraudwatch.domain.models.active_models import ActiveModels
from fraudwatch.domain.policy.bounds import NO_BOUNDS, Bounds
from fraudwatch.domain.policy.policy import Policy
from fraudwatch.domain.time_units import HOUR_MS
from fraudwatch.domain.views.published import NO_VIEWS, RiskViews
from fraudwatch.observability.metrics import counter, gauge, histogram
from fraudwatch.observability.phases import Phases
from fraudwatch.topics import TRANSACTION_TOPIC
from streaming.detector.counting import count_latencies, count_verdicts, set_budget
from streaming.detector.model_groups import ModelGroup, Served, in_batch_order, score_groups

log = logging.getLogger("detector")

_repeats = counter("fraudwatch_detector_repeats")
_late = counter("fraudwatch_detector_late")
_refunds = counter("fraudwatch_detector_refunds")
_dead_letters = counter("fraudwatch_dead_letters", stage=Stage.DETECTOR)
_batch_seconds = histogram("fraudwatch_detector_batch_seconds")
_review_from = gauge("fraudwatch_detector_review_from_score")
_decline_from = gauge("fraudwatch_detector_decline_from_score")
_customers = gauge("fraudwatch_detector_customers")
_state_bytes = gauge("fraudwatch_detector_state_bytes")
_scored_until = gauge("fraudwatch_detector_judged_until_seconds")
_lag = gauge("fraudwatch_detector_lag_seconds")
_seconds = counter("fraudwatch_detector_seconds")
timed = Phases(_seconds).timed


class Snapshots(Protocol):
    """Accepts committed states between batches, to write snapshots of them."""

    def offer(self, state: CustomerState, ends: dict[int, int]) -> None:
        """Offer a state; everything in it up to ``ends`` is committed now."""


@dataclass(slots=True)
class _BoundsInUse:
    """Keeps the bounds until policy or models change: they are read off curves, at some cost."""

    is_exported: bool
    policy: Policy | None = None
    models: ActiveModels | None = None
    bounds: Bounds = NO_BOUNDS

    def of(self, policy: Policy, models: ActiveModels) -> Bounds:
        """Return the bounds of the policy beside these models."""
        if policy is not self.policy or models is not self.models:
            self.policy, self.models = policy, models
            self.bounds = serving_bounds(policy, models)
            if self.is_exported:
                _review_from.set(self.bounds.review_from)
                _decline_from.set(self.bounds.decline_from)
                set_budget(policy)
        return self.bounds


@dataclass(slots=True)
class Detector:
    """Scores micro-batches over a state of its own."""

    policy_of: Callable[[MicroBatch], Policy]
    models_of: Callable[[MicroBatch], ActiveModels]
    verdicts: VerdictLog
    dead_letters: DeadLetters
    snapshots: Snapshots
    views_of: Callable[[MicroBatch], RiskViews] = lambda _: NO_VIEWS
    check_refusals: Callable[[Sequence[DeadLetter], int], None] = lambda *_: None
    customers: CustomerState = field(default_factory=CustomerState)
    ends: dict[int, int] = field(default_factory=dict)
    _evicted_at_ms: int = 0
    _bounds: _BoundsInUse = field(default_factory=lambda: _BoundsInUse(is_exported=True))
    _canary_bounds: _BoundsInUse = field(default_factory=lambda: _BoundsInUse(is_exported=False))

    def fold_history(self, messages: list[bytes], produced_at_ms: npt.NDArray[np.int64]) -> None:
        """Fold messages that were scored before this process began; publishes nothing."""
        fold_messages(self.customers, messages, produced_at_ms)

    def score(self, batch: MicroBatch) -> None:
        """Score a micro-batch and return when the broker has acknowledged all its messages."""
        # Spark begins a batch after committing the previous one, so this state may be snapshot now.
        self.snapshots.offer(self.customers, self.ends)
        self._evict_idle(batch)
        _lag.set(max(0.0, time.time() - batch.produced_at_ms.min() / 1000))
        with _batch_seconds.time():
            with timed("folding"):
                folded = fold_messages(self.customers, batch.values, batch.produced_at_ms)
            self._dead_letter(folded, batch)
            self._publish(folded, batch)
        self.ends |= batch.ends
        _seconds.labels(phase="reading").inc(batch.read_seconds)
        _repeats.inc(folded.repeats)
        _late.inc(folded.late)
        _refunds.inc(folded.refunds)
        _customers.set(self.customers.customers)
        _state_bytes.set(self.customers.nbytes)
        _scored_until.set(batch.produced_at_ms.max() / 1000)

    def _evict_idle(self, batch: MicroBatch) -> None:
        """Once an hour, remove customers who would begin anew with this batch."""
        # A producer whose clock is ahead must not remove those of everybody else.
        now_ms = min(int(batch.produced_at_ms.min()), batch.decided_at_ms)
        if now_ms >= self._evicted_at_ms + HOUR_MS:
            self._evicted_at_ms = now_ms
            if evicted := self.customers.evict_idle(now_ms):
                log.info("removed the state of %d customers idle for over 60 days", evicted)

    def _publish(self, folded: FoldedMessages, batch: MicroBatch) -> None:
        policy, models = self.policy_of(batch), self.models_of(batch)
        with timed("looking_up"):
            view_features = folded.enrich_with_views(self.views_of(batch))
            features = full_vector(folded, view_features)
        with timed("judging"):
            groups = score_groups(folded, features, policy, self._served(policy, models))
        produced_at_ms = batch.produced_at_ms[folded.position]
        with timed("encoding"):
            scored = ScoredBatch(
                customer_tokens=folded.frame["customer_token"].to_list(),
                transaction_ids=folded.frame["transaction_id"].to_list(),
                verdicts=in_batch_order(
                    groups,
                    [_encode(group, policy, view_features.view, batch) for group in groups],
                ),
                features=packed(features),
                produced_at_ms=produced_at_ms.tolist(),
                features_version=features_version(),
            )
        with timed("publishing"):
            self.verdicts.append(scored)
        count_latencies(time.time() - produced_at_ms / 1000)
        for group in groups:
            count_verdicts(group.result, policy, group.models)

    def _served(self, policy: Policy, models: ActiveModels) -> Served:
        bounds = self._bounds.of(policy, models)
        if models.canary is None:
            return Served(models, bounds)
        return Served(models, bounds, self._canary_bounds.of(policy, models.canary.models))

    def _dead_letter(self, folded: FoldedMessages, batch: MicroBatch) -> None:
        records = [
            DeadLetter(
                code=refusal.code,
                stage=Stage.DETECTOR,
                origin=f"{TRANSACTION_TOPIC}-{batch.partition[row]}-{batch.offset[row]}",
                reason=refusal.reason,
                payload=batch.values[row],
                at_ms=batch.decided_at_ms,
            )
            for row, refusal in folded.refused
        ]
        self.check_refusals(records, len(batch.values))
        if records:
            self.dead_letters.put(records)
        for code, count in Counter(record.code for record in records).items():
            _dead_letters.labels(stage=Stage.DETECTOR, code=code).inc(count)
        for record in records:
            log.warning("dead-lettered %s: %s", record.origin, record.reason)


def _encode(
    group: ModelGroup, policy: Policy, risk_view: Sequence[str], batch: MicroBatch
) -> list[bytes]:
    folded, rows = group.folded, group.rows
    return encode_verdicts(
        folded.frame,
        VerdictInputs(
            assessment=group.result,
            policy=policy,
            models=group.models,
            evidence=group.evidence,
            explanations=group.explanations,
            features_version=features_version(),
            risk_view=risk_view if rows is None else [risk_view[row] for row in rows.tolist()],
            source_partition=batch.partition[folded.position],
            source_offset=batch.offset[folded.position],
            decided_at_ms=batch.decided_at_ms,
        ),
    )
