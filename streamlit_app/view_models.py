"""An alert as an analyst reads it; pure: the moment of looking is an argument."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime
from decimal import Decimal

from fraudwatch.domain.money import MINOR_UNIT_EXPONENT
from fraudwatch.domain.purchase import Channel, PaymentStatus
from fraudwatch.domain.verdict import Outcome, Reason, Risk

# A word and a shape each, so that no one has to tell colours apart.
RISK_WORDS = {
    Risk.CRITICAL: "◆ Critical",
    Risk.HIGH: "▲ High",
    Risk.MEDIUM: "● Medium",
    Risk.LOW: "○ Low",
}
OUTCOME_WORDS = {
    Outcome.DECLINE: "Declined",
    Outcome.REVIEW: "To review",
    Outcome.APPROVE: "Approved",
}
CHANNEL_WORDS = {Channel.PRESENT: "Card present", Channel.NOT_PRESENT: "Online"}
PAYMENT_WORDS = {
    PaymentStatus.APPROVED: "went through",
    PaymentStatus.DECLINED: "refused by the bank",
    PaymentStatus.FAILED: "failed",
}
SHOWN_TOKEN_LENGTH = 8
UNKNOWN = "—"
_SECOND_MS, _MINUTE_S, _HOUR_S, _DAY_S = 1_000, 60, 3_600, 86_400


def amount_text(amount_minor: int, currency: str) -> str:
    """``1,234.50 GBP`` for 123450 pence; as many decimals as the currency has."""
    exponent = MINOR_UNIT_EXPONENT.get(currency, 2)
    return f"{Decimal(amount_minor).scaleb(-exponent):,.{exponent}f} {currency}"


def clock_time(epoch_ms: int, now_ms: int) -> str:
    """``14:03:27``, and the day before it when that is not today; UTC."""
    instant, today = _utc(epoch_ms), _utc(now_ms).date()
    return instant.strftime("%H:%M:%S" if instant.date() == today else "%d %b %H:%M:%S")


def short_token(token: str) -> str:
    """The first characters after the key's id: enough to recognise a customer in a list."""
    return token.rpartition("_")[2][:SHOWN_TOKEN_LENGTH]


def sentences(reasons: Iterable[Reason]) -> str:
    """The reasons' sentences, most points first, each ending in a full stop."""
    told = [reason.text.strip().rstrip(".") + "." for reason in reasons if reason.text.strip()]
    return " ".join(told) or "No rule explains it."


def age_text(age_ms: int) -> str:
    """``4 s``, ``12 min``, ``3 h``, ``2 d``: how long ago, in the unit a person would use."""
    seconds = max(0, age_ms) // _SECOND_MS
    units = ((_DAY_S, "d"), (_HOUR_S, "h"), (_MINUTE_S, "min"))
    for size, unit in units:
        if seconds >= size:
            return f"{seconds // size} {unit}"
    return f"{seconds} s"


def duration_text(took_ms: int) -> str:
    """``130 ms``, ``5,250 ms``, ``2 min``; below ten seconds in milliseconds."""
    return f"{took_ms:,} ms" if took_ms < 10 * _SECOND_MS else age_text(took_ms)


def _utc(epoch_ms: int) -> datetime:
    return datetime.fromtimestamp(epoch_ms // _SECOND_MS, UTC)
