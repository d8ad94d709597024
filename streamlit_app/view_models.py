"""Texts of times, risk levels and reasons; pure: the current time is an argument."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime
from textwrap import shorten

from fraudwatch.application.scoring.reasons import NOVELTY
from fraudwatch.domain.messages.label import LabelValue
from fraudwatch.domain.messages.purchase import Channel, PaymentStatus
from fraudwatch.domain.messages.verdict import Outcome, Reason, Risk

# Word and shape, so that colour alone never carries the meaning.
RISK_WORDS = {
    Risk.CRITICAL: "◆ Critical",
    Risk.HIGH: "▲ High",
    Risk.MEDIUM: "● Medium",
    Risk.LOW: "○ Low",
}
OUTCOME_WORDS = {
    Outcome.DECLINE: "Declined",
    Outcome.CHALLENGE: "Challenge",
    Outcome.REVIEW: "Review",
    Outcome.APPROVE: "Approved",
}
CHANNEL_WORDS = {Channel.PRESENT: "Card present", Channel.NOT_PRESENT: "Online"}
LABEL_WORDS = {
    LabelValue.FRAUD: "Fraud",
    LabelValue.GENUINE: "Genuine",
    LabelValue.UNSURE: "Unsure",
}
PAYMENT_WORDS = {
    PaymentStatus.APPROVED: "Paid",
    PaymentStatus.DECLINED: "Declined by the bank",
    PaymentStatus.FAILED: "Failed",
}
SHOWN_TOKEN_LENGTH = 8
UNKNOWN = "—"
NO_REASON = "No rule hit."
# Letters that fit into two lines of the list's column "Why".
LIST_CHARACTERS = 140
_SECOND_MS, _MINUTE_S, _HOUR_S, _DAY_S = 1_000, 60, 3_600, 86_400


def clock_time(epoch_ms: int, now_ms: int) -> str:
    """Time of day in UTC: ``14:03:27``, with the date if it is not today."""
    instant, today = _utc(epoch_ms), _utc(now_ms).date()
    return instant.strftime("%H:%M:%S" if instant.date() == today else "%d %b %H:%M:%S")


def short_token(token: str) -> str:
    """Shorten a token to its first characters after the key id, for lists."""
    return token.rpartition("_")[2][:SHOWN_TOKEN_LENGTH]


def sentences(reasons: Iterable[Reason]) -> str:
    """All reasons of an alert, each as a sentence."""
    return " ".join(_sentence(reason) for reason in reasons if reason.text.strip()) or NO_REASON


def strongest_reason(reasons: Iterable[Reason]) -> str:
    """Reason with the most points, and how many more there are: ``Far from home. +2 more``.

    Novelty goes first: the model calls the purchase harmless, so its reason explains nothing.
    Too long a sentence loses its limit, which follows a semicolon; the case shows it in full.
    """
    given = [reason for reason in reasons if reason.text.strip()]
    if not given:
        return NO_REASON
    more = f" +{len(given) - 1} more" if len(given) > 1 else ""
    room = LIST_CHARACTERS - len(more)
    strongest = max(given, key=lambda reason: (reason.rule == NOVELTY, reason.points))
    return _within(_sentence(strongest), room) + more


def age_text(age_ms: int) -> str:
    """Age in its largest whole unit: ``4 s``, ``12 min``, ``3 h``, ``2 d``."""
    seconds = max(0, age_ms) // _SECOND_MS
    units = ((_DAY_S, "d"), (_HOUR_S, "h"), (_MINUTE_S, "min"))
    for size, unit in units:
        if seconds >= size:
            return f"{seconds // size} {unit}"
    return f"{seconds} s"


def duration_text(took_ms: int) -> str:
    """Duration: ``130 ms``, ``5,250 ms``, ``2 min``; in milliseconds below ten seconds."""
    return f"{took_ms:,} ms" if took_ms < 10 * _SECOND_MS else age_text(took_ms)


def _sentence(reason: Reason) -> str:
    return reason.text.strip().rstrip(".") + "."


def _within(sentence: str, max_characters: int) -> str:
    if len(sentence) <= max_characters:
        return sentence
    finding = sentence.partition(";")[0].rstrip(".") + "."
    return shorten(finding, max_characters, placeholder=" …")


def _utc(epoch_ms: int) -> datetime:
    return datetime.fromtimestamp(epoch_ms // _SECOND_MS, UTC)
