"""Parse the epoch of a world: a given instant, or such that the history ends now."""

from __future__ import annotations

from datetime import datetime

from shop.plan import MINUTE_MS, MINUTES_PER_DAY, InvalidPlan

FROM_THE_CLOCK = "auto"
_EARLIEST_YEAR = 2_000
_FORM = "write 2026-11-14T00:00Z, or auto"


def live_from_minute(epoch: str, *, history_days: int, now_ms: int) -> int:
    """Compute the minute in which the world goes live: its epoch plus the days of its history.

    Args:
        epoch: Start of the history, as in 2026-11-14T00:00Z; "auto" makes the history end now.
        history_days: Length of the history.
        now_ms: Current time.

    Raises:
        InvalidPlan: the epoch is not a whole minute with a time zone, or is in the future.
    """
    if epoch == FROM_THE_CLOCK:
        return now_ms // MINUTE_MS
    instant = _instant(epoch)
    if instant.timestamp() * 1_000 > now_ms:
        raise InvalidPlan("SHOP_EPOCH is in the future, so no purchase exists yet; set a past one")
    return int(instant.timestamp()) // 60 + history_days * MINUTES_PER_DAY


def _instant(epoch: str) -> datetime:
    try:
        instant = datetime.fromisoformat(epoch)
    except ValueError as error:
        raise InvalidPlan(f"SHOP_EPOCH is not a time ({error}); {_FORM}") from error
    is_whole_minute = instant.second == instant.microsecond == 0
    if instant.tzinfo is None or not is_whole_minute or instant.year < _EARLIEST_YEAR:
        raise InvalidPlan(
            f"SHOP_EPOCH needs a time zone, a whole minute and a year from 2000 on; {_FORM}"
        )
    return instant
