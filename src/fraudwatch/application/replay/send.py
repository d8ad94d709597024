"""Send purchases and refunds in order, wait when ingest asks to, stop at the first refused."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

from fraudwatch.application.replay.pace import Pace
from fraudwatch.application.replay.ports import (
    BadRow,
    BatchRefused,
    Ingest,
    Part,
    ReplayFailed,
    ReplayPurchases,
    RetryLater,
    TooLarge,
)

SHOWN_REASONS = 10
PATIENCE_SECONDS = 600.0


@dataclass(slots=True)
class SentCounts:
    """Counts of one kind of message that ingest has acknowledged."""

    sent: int = 0
    accepted: int = 0
    repeated: int = 0


@dataclass(slots=True)
class ReplayTally(SentCounts):
    """Counts of a replay so far, of purchases and apart from them of ``refunds``.

    A resumed replay starts at ``position``.
    """

    refunds: SentCounts = field(default_factory=SentCounts)
    position: int = 0
    rows_read: int = 0
    skipped: int = 0
    reasons: list[BadRow] = field(default_factory=list)

    def skip(self, bad: list[BadRow]) -> None:
        """Count skipped rows, and keep the first reasons."""
        self.skipped += len(bad)
        self.reasons.extend(bad[: SHOWN_REASONS - len(self.reasons)])


def as_sentence(bad: list[BadRow]) -> str:
    """Format the first reasons, one a line."""
    lines = [f"  {row}" for row in bad[:SHOWN_REASONS]]
    if len(bad) > SHOWN_REASONS:
        lines.append(f"  and {len(bad) - SHOWN_REASONS} more")
    return "\n".join(lines)


class Replay:
    """Replay of purchases to ingest at a pace."""

    def __init__(
        self,
        purchases: ReplayPurchases,
        ingest: Ingest,
        pace: Pace,
        *,
        sleep: Callable[[float], None],
        skip_bad_rows: bool = False,
    ) -> None:
        self._purchases = purchases
        self._ingest = ingest
        self._pace = pace
        self._sleep = sleep
        self._skip_bad_rows = skip_bad_rows

    def run(self, tally: ReplayTally, on_batch: Callable[[ReplayTally], None]) -> None:
        """Send everything from ``tally.position`` on; the tally stays correct if interrupted.

        Raises:
            ReplayFailed: with the cause; nothing of the batch in question was sent.
        """
        for batch in self._purchases.batches(tally.position, self._pace.batch_size):
            self.leave_out(batch.bad, tally, "none of its batch of purchases was sent")
            self._pace.wait(len(batch.rows))
            for part in batch.parts:
                self._deliver(part, tally)
            tally.position += len(batch)
            tally.rows_read += len(batch)
            on_batch(tally)

    def leave_out(self, bad: list[BadRow], tally: ReplayTally, effect: str) -> None:
        """Count these rows as skipped, if bad rows are to be skipped.

        Raises:
            ReplayFailed: if they are not.
        """
        if bad and not self._skip_bad_rows:
            raise ReplayFailed(
                f"{len(bad)} row(s) make no purchase and no refund; {effect}. Correct the file or"
                f" the mapping, or skip them with --skip-bad-rows:\n{as_sentence(bad)}"
            )
        tally.skip(bad)

    def _deliver(self, part: Part, tally: ReplayTally) -> None:
        if not part.rows:
            return
        try:
            self._send(part, tally)
        except TooLarge:
            if len(part.rows) == 1:
                raise ReplayFailed(
                    f"row {part.rows[0]} is too large for ingest; correct the file"
                ) from None
            for half in part.halves():
                self._deliver(half, tally)
        except BatchRefused as refused:
            bad = [
                BadRow(part.rows[o.index], o.field, f"is refused by ingest: {o.reason}")
                for o in refused.refused_items
            ]
            self.leave_out(bad, tally, "ingest accepted nothing of their batch")
            self._deliver(part.without({o.index for o in refused.refused_items}), tally)

    def _send(self, part: Part, tally: ReplayTally) -> None:
        send = self._ingest.send_refunds if part.is_refund else self._ingest.send
        counts: SentCounts = tally.refunds if part.is_refund else tally
        waited_seconds = 0.0
        while True:
            try:
                result = send(part.bodies)
            except RetryLater as not_now:
                # Before the first success, an unreachable ingest fails at once.
                patience = (
                    PATIENCE_SECONDS
                    if tally.sent or tally.refunds.sent or not_now.is_answer
                    else 0.0
                )
                if waited_seconds + not_now.after_seconds > patience:
                    raise ReplayFailed(str(not_now)) from not_now
                self._sleep(not_now.after_seconds)
                waited_seconds += not_now.after_seconds
            else:
                counts.sent += len(part.rows)
                counts.accepted += result.accepted
                counts.repeated += result.repeated
                return
