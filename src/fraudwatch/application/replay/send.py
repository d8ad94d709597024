"""Send every purchase in order, wait when ingest asks to, stop at the first that is refused."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

from fraudwatch.application.replay.pace import Pace
from fraudwatch.application.replay.ports import (
    BadRow,
    Batch,
    BatchRefused,
    Ingest,
    ReplayFailed,
    ReplayPurchases,
    RetryLater,
    TooLarge,
)

SHOWN_REASONS = 10
PATIENCE_SECONDS = 600.0


@dataclass(slots=True)
class ReplayTally:
    """Counts of a replay so far; a resumed replay starts at ``position``."""

    position: int = 0
    rows_read: int = 0
    sent: int = 0
    accepted: int = 0
    repeated: int = 0
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
            self._deliver(batch, tally)
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
                f"{len(bad)} row(s) make no purchase; {effect}. Correct the file or the mapping, or"
                f" skip them with --skip-bad-rows:\n{as_sentence(bad)}"
            )
        tally.skip(bad)

    def _deliver(self, batch: Batch, tally: ReplayTally) -> None:
        if not batch.rows:
            return
        try:
            self._send(batch, tally)
        except TooLarge:
            if len(batch.rows) == 1:
                raise ReplayFailed(
                    f"row {batch.rows[0]} is too large for ingest; correct the file"
                ) from None
            for half in batch.halves():
                self._deliver(half, tally)
        except BatchRefused as refused:
            bad = [
                BadRow(batch.rows[o.index], o.field, f"is refused by ingest: {o.reason}")
                for o in refused.refused_items
            ]
            self.leave_out(bad, tally, "ingest accepted nothing of their batch")
            self._deliver(batch.without({o.index for o in refused.refused_items}), tally)

    def _send(self, batch: Batch, tally: ReplayTally) -> None:
        waited_seconds = 0.0
        while True:
            try:
                result = self._ingest.send(batch.bodies)
            except RetryLater as not_now:
                # Before the first success, an unreachable ingest fails at once.
                patience = PATIENCE_SECONDS if tally.sent or not_now.is_answer else 0.0
                if waited_seconds + not_now.after_seconds > patience:
                    raise ReplayFailed(str(not_now)) from not_now
                self._sleep(not_now.after_seconds)
                waited_seconds += not_now.after_seconds
            else:
                tally.sent += len(batch.rows)
                tally.accepted += result.accepted
                tally.repeated += result.repeated
                return
