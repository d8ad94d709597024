"""Format the figures of a backtest for the page and the terminal; unknown is a dash."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any, Final, NamedTuple

UNKNOWN: Final = "-"


class Figure(NamedTuple):
    """Line of the comparison."""

    label: str
    live: str
    candidate: str
    difference: str
    is_part: bool = False  # part of the figure in the line above


def count(value: float | None) -> str:
    """Format a whole number."""
    return UNKNOWN if value is None else f"{value:,.0f}"


def rate(value: float | None) -> str:
    """Format a number a day."""
    return UNKNOWN if value is None else f"{value:,.1f}"


def share(value: float | None) -> str:
    """Format a ratio as percent."""
    return UNKNOWN if value is None else f"{value:.1%}"


def euro(value: float | None) -> str:
    """Format euro cents as euro."""
    return UNKNOWN if value is None else f"{value / 100:,.2f} €"


def points(value: float) -> str:
    """Format the difference of two shares, in percentage points."""
    return f"{100 * value:.1f} points"


def bound(value: float | None) -> str:
    """Format the score from which an outcome begins; a dash where no score is enough."""
    return UNKNOWN if value is None else f"{value:.4f}"


def instant(text: str) -> str:
    """Format an instant of the document, to the minute."""
    return f"{text[:16].replace('T', ' ')} UTC"


# Label (indented: a part of the one above), path in a policy's numbers, format.
_COMPARED: Final[tuple[tuple[str, tuple[str, ...], Callable[[float | None], str]], ...]] = (
    ("Purchases scored", ("judged",), count),
    ("Alerts", ("alerts",), count),
    ("Alerts a day", ("alerts_per_day",), rate),
    ("  of them to review, a day", ("outcomes_per_day", "review"), rate),
    ("  of them challenged, a day", ("outcomes_per_day", "challenge"), rate),
    ("  of them declined, a day", ("outcomes_per_day", "decline"), rate),
    ("Alerts that no rule hit", ("alerts_without_a_rule",), count),
    ("Known frauds among alerts", ("known_frauds",), count),
    ("Precision, of alerts that analysts decided", ("precision_of_decided",), share),
    ("Precision, of alerts with any label", ("precision_of_labelled",), share),
    ("Recall, of known frauds", ("recall",), share),
    ("Fraud money caught", ("money", "caught_eur_cents"), euro),
    ("  of that declined at once", ("money", "declined_eur_cents"), euro),
    ("  of that challenged", ("money", "challenged_eur_cents"), euro),
    ("Fraud money missed", ("money", "missed_eur_cents"), euro),
    ("Genuine money declined", ("money", "wrongly_blocked_eur_cents"), euro),
    ("Share of fraud money caught", ("money", "value_recall_ratio"), share),
    ("Card precision at 100 a day", ("card_precision_at_100",), share),
    ("  best possible", ("card_precision_at_100_perfect",), share),
)


def compare_policies(document: Mapping[str, Any]) -> Iterator[Figure]:
    """Yield the comparison of the live policy and the candidate, line by line."""
    for label, path, written in _COMPARED:
        live, candidate = _at(document["live"], path), _at(document["candidate"], path)
        known = live is not None and candidate is not None
        difference = _signed(candidate - live, written) if known else UNKNOWN
        name = label.strip()
        yield Figure(name, written(live), written(candidate), difference, name != label)


def _at(numbers: Mapping[str, Any], path: tuple[str, ...]) -> Any:
    found: Any = numbers
    for name in path:
        found = found[name]
    return found


def _signed(value: float, written: Callable[[float | None], str]) -> str:
    formatted: Callable[[float], str] = points if written is share else written
    text = formatted(abs(value))
    if text == formatted(0):
        return "="
    return f"+{text}" if value > 0 else f"-{text}"
