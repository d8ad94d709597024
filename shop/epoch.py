"""When a world begins: at an instant that was given, or so that its history ends now."""

from __future__ import annotations

from datetime import datetime

from shop.plan import MINUTE_MS, MINUTES_PER_DAY, ImpossibleWorld

FROM_THE_CLOCK = "auto"
_EARLIEST_YEAR = 2_000
_FORM = "write it as 2026-11-14T00:00Z, or auto"


def live_from_minute(epoch: str, *, history_days: int, now_ms: int) -> int:
    """The minute in which the world goes live: its epoch and the days of its history.

    Args:
        epoch: Where history begins, as in 2026-11-14T00:00Z; "auto" lets it end now.
        history_days: How long history is.
        now_ms: What the clock says.

    Raises:
        ImpossibleWorld: when the epoch is no whole minute with a time zone, or lies ahead.
    """
    if epoch == FROM_THE_CLOCK:
        return now_ms // MINUTE_MS
    instant = _instant(epoch)
    if instant.timestamp() * 1_000 > now_ms:
        raise ImpossibleWorld("SHOP_EPOCH lies ahead, so nothing has happened yet; set a past one")
    return int(instant.timestamp()) // 60 + history_days * MINUTES_PER_DAY


def _instant(epoch: str) -> datetime:
    try:
        instant = datetime.fromisoformat(epoch)
    except ValueError as error:
        raise ImpossibleWorld(f"SHOP_EPOCH is no time ({error}); {_FORM}") from error
    is_whole_minute = instant.second == instant.microsecond == 0
    if instant.tzinfo is None or not is_whole_minute or instant.year < _EARLIEST_YEAR:
        raise ImpossibleWorld(
            f"SHOP_EPOCH needs a time zone, a whole minute and a year from 2000 on; {_FORM}"
        )
    return instant
