"""Guard the canary: count the verdicts of both groups, and roll it back when it leaves the band."""

from __future__ import annotations

import logging
import secrets
from collections.abc import Callable, Mapping
from threading import Event
from typing import Final, Protocol

from fraudwatch.adapters.artefacts.model_pointer import CanaryPointer, Pointer
from fraudwatch.adapters.codecs.json_codec import decode
from fraudwatch.adapters.kafka_log.consumer_group import Message
from fraudwatch.application.console.audit import AuditLog
from fraudwatch.application.ports import NotDelivered
from fraudwatch.application.promotion.canary_trial import (
    CanaryTrial,
    CanaryTrials,
    Position,
    roll_back,
)
from fraudwatch.domain.messages.audit import (
    AUDIT_SCHEMA,
    LONGEST_REASON,
    AuditAction,
    AuditRecord,
)
from fraudwatch.domain.messages.dead_letter import Refused
from fraudwatch.domain.messages.verdict import Verdict
from fraudwatch.domain.models.canary_check import MEASURES
from fraudwatch.domain.models.fitted import VERSION_LENGTH, ModelKind
from fraudwatch.observability.metrics import counter, gauge
from streaming.shadow.partition import Cursor

log = logging.getLogger("shadow")
ACTOR: Final = "canary-guard"
_POLL_SECONDS: Final = 0.2
_IDLE_SECONDS: Final = 1.0
_SAVE_MS: Final = 5_000

_share = gauge("fraudwatch_shadow_canary_share_ratio")
_purchases = counter("fraudwatch_shadow_canary_purchases")
_ratio = gauge("fraudwatch_shadow_canary_times_champion")
_rolled_back_at = gauge("fraudwatch_shadow_canary_rolled_back_at_seconds")


class Canaries(Protocol):
    """The pointer of the stream."""

    def read(self) -> Pointer:
        """Return the pointer."""

    def end(self, canary: CanaryPointer) -> None:
        """End this canary, if it still runs."""


class CanaryGuard:
    """Follows the pointer until stopped; idle without a canary."""

    def __init__(
        self,
        canaries: Canaries,
        trials: CanaryTrials,
        cursors: Mapping[int, Cursor],
        audit: AuditLog,
        now_ms: Callable[[], int],
        *,
        max_messages: int,
        check_topics: Callable[[CanaryTrial], Mapping[str, str]],
    ) -> None:
        """Continue the trial that is stored.

        Args:
            canaries: the pointer of the stream.
            trials: the trial with its counts.
            cursors: of the verdicts' topic, by partition.
            audit: for roll-backs.
            now_ms: the clock.
            max_messages: of one read of a partition.
            check_topics: returns the ids of the topics, and raises if the trial is of others.
        """
        self._check_topics = check_topics
        self._canaries, self._trials, self._cursors = canaries, trials, cursors
        self._audit, self._now_ms, self._max_messages = audit, now_ms, max_messages
        self._trial = trials.read()
        self._is_sought = False
        self._saved_at_ms, self._is_unsaved = 0, False
        if self._trial and self._trial.rolled_back_because:
            _rolled_back_at.set((self._trial.ended_at_ms or 0) / 1000)

    def run(self, stopping: Event) -> None:
        """Guard until stopped."""
        while not stopping.is_set():
            if not self.step():
                stopping.wait(_IDLE_SECONDS)
        if self._trial is not None and self._is_unsaved:
            self._save(self._trial)

    def step(self) -> bool:
        """Follow the pointer and count once; return whether a canary is counted."""
        self._write_audit()
        pointer = self._canaries.read()
        canary, champion = pointer.canary, pointer.models.get(ModelKind.XGBOOST)
        _share.set(canary.share_ratio if canary else 0.0)
        if canary is None or champion is None:
            self._finish()
            return False
        trial = self._follow(canary, champion)
        if trial.rolled_back_because:
            self._canaries.end(canary)  # it was recorded, and the process died before the end
            return False
        counted = self._count(trial)
        if counted and (reason := trial.deviation()):
            self._roll_back(trial, canary, reason)
            return False
        self._is_unsaved |= bool(counted)
        if self._is_unsaved and self._now_ms() >= self._saved_at_ms + _SAVE_MS:
            self._save(trial)
        return True

    def _save(self, trial: CanaryTrial) -> None:
        self._trials.write(trial)
        self._saved_at_ms, self._is_unsaved = self._now_ms(), False

    def _follow(self, canary: CanaryPointer, champion: str) -> CanaryTrial:
        """Continue the trial of this canary, or begin one at its start."""
        trial = self._trial
        if trial is None or (trial.model, trial.started_at_ms) != (
            canary.model,
            canary.started_at_ms,
        ):
            starts = {
                partition: Position(cursor.offset_at(canary.started_at_ms))
                for partition, cursor in self._cursors.items()
            }
            trial = CanaryTrial(
                model=canary.model,
                champion=champion,
                share_ratio=canary.share_ratio,
                started_at_ms=canary.started_at_ms,
                positions=starts,
            )
            self._trials.write(trial)
            self._trial, self._is_sought = trial, False
            log.info(
                "canary %s scores %.1f %% of the customers",
                canary.model[:VERSION_LENGTH],
                100 * canary.share_ratio,
            )
        if not self._is_sought:
            topic_ids = dict(self._check_topics(trial))
            if trial.topic_ids != topic_ids:
                trial.topic_ids = topic_ids
                self._trials.write(trial)
            for partition, cursor in self._cursors.items():
                cursor.seek(trial.positions[partition].verdict_offset)
            self._is_sought = True
        return trial

    def _count(self, trial: CanaryTrial) -> int:
        counted = 0
        for partition, cursor in self._cursors.items():
            for message in cursor.read(self._max_messages, _POLL_SECONDS):
                verdict = _verdict_in(message)
                group = verdict and trial.add(partition, message.offset() or 0, verdict)
                if group:
                    _purchases.labels(group).inc()
                    counted += 1
        if counted:
            _export_ratios(trial)
        return counted

    def _roll_back(self, trial: CanaryTrial, canary: CanaryPointer, reason: str) -> None:
        roll_back(trial, reason, self._trials, lambda: self._canaries.end(canary), self._now_ms())
        _rolled_back_at.set((trial.ended_at_ms or 0) / 1000)
        log.error(
            "canary %s was rolled back, and the champion scores all customers again: %s",
            canary.model[:VERSION_LENGTH],
            reason,
        )
        self._write_audit()

    def _finish(self) -> None:
        """Record the end of a canary that somebody ended, or that another champion ended."""
        trial = self._trial
        if trial is not None and trial.ended_at_ms is None:
            trial.ended_at_ms = self._now_ms()
            self._save(trial)
            log.info("canary %s has ended", trial.model[:VERSION_LENGTH])

    def _write_audit(self) -> None:
        """Write the audit record of a roll-back; what cannot be delivered is tried again."""
        trial = self._trial
        if trial is None or not trial.rolled_back_because or trial.is_audited:
            return
        record = AuditRecord(
            schema=AUDIT_SCHEMA,
            record_id=secrets.token_hex(16),
            at_ms=trial.ended_at_ms or self._now_ms(),
            deed=AuditAction.CANARY_ROLLED_BACK,
            by=ACTOR,
            reason=trial.rolled_back_because[:LONGEST_REASON],
            subject=f"model {trial.model[:VERSION_LENGTH]}",
        )
        try:
            self._audit.write(record)
        except NotDelivered as error:
            log.warning("the roll-back of the canary is not audited yet: %s", error)
            return
        trial.is_audited = True
        self._trials.write(trial)


def _export_ratios(trial: CanaryTrial) -> None:
    for measure in MEASURES:
        of_champion = trial.of_champion.ratio(measure.name)
        if of_champion:
            _ratio.labels(measure.name).set(trial.of_canary.ratio(measure.name) / of_champion)


def _verdict_in(message: Message) -> Verdict | None:
    """Decode the verdict; None if it is invalid, which the persister dead-letters."""
    try:
        return decode(Verdict, message.value() or b"")
    except Refused:
        return None
