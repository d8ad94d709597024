"""Format an evaluation as text; an unknown value is a dash."""

from __future__ import annotations

import textwrap
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

WIDTH = 100
_COUNTS = ("transactions", "frauds", "verdicts", "missing", "missing_frauds", "duplicates",
           "put_aside", "verdicts_elsewhere")  # fmt: skip
_ALERTS = ("alerts", "alerts_per_day", "alert_precision", "alert_recall", "value_caught_ratio")
_RANKING = (
    ("average_precision", "AP"),
    ("card_precision_at_100", "CP@100"),
    ("card_precision_at_100_ratio", "/perfect"),
    ("recall_at_fpr_0_001", "recall@0.1%"),
    ("recall_at_fpr_0_01", "recall@1%"),
    ("value_caught_at_100_ratio", "value@100"),
    ("auc", "AUC"),
)
_RULE = ("hits", "frauds", "precision", "recall", "value_ratio")
_DAY = ("verdicts", "frauds", "alerts", "alerted_frauds", "card_precision_at_100")


def as_text(document: Mapping[str, Any]) -> Iterator[str]:
    """Format the whole evaluation; lines of tables are never wrapped."""
    yield f"{document['labels']} against the verdicts on source {document['source']}"
    first, last = document["first_judged_at"], document["last_judged_at"]
    yield f"purchases with a verdict from {first} to {last}"
    for by, count in document["judged_by"].items():
        yield f"scored by {by}: {count}"
    yield ""
    yield from _listed(document, _COUNTS)
    for reason, count in document["missing_by_reason"].items():
        yield f"  missing: {count} {reason}"
    yield ""
    yield from _listed(document, _ALERTS)
    yield from _listed(document["time_to_first_alert"], tuple(document["time_to_first_alert"]))
    yield ""
    yield from _rankings(document)
    yield f"highest possible CP@100: {_shown(document['card_precision_at_100_perfect'])}"
    yield ""
    yield from _rows("rule", _RULE, document["by_rule"])
    yield ""
    yield from _rows("day", _DAY, {day["day"]: day for day in document["by_day"]})
    yield ""
    for sentence in document["exclusions"]:
        yield from textwrap.wrap(sentence, WIDTH, initial_indent="- ", subsequent_indent="  ")


def _rankings(document: Mapping[str, Any]) -> Iterator[str]:
    names = tuple(short for _, short in _RANKING)
    rows = {"the verdicts": document, **document["baselines"]}
    renamed = {
        who: {short: numbers[name] for name, short in _RANKING} for who, numbers in rows.items()
    }
    yield from _rows("ranked by", names, renamed)


def _listed(numbers: Mapping[str, Any], names: Sequence[str]) -> Iterator[str]:
    for name in names:
        yield f"{name.replace('_', ' '):<24} {_shown(numbers[name]):>14}"


def _rows(what: str, names: Sequence[str], rows: Mapping[str, Mapping[str, Any]]) -> Iterator[str]:
    table = [[what, *(name.replace("_", " ") for name in names)]]
    table += [[row, *(_shown(numbers[name]) for name in names)] for row, numbers in rows.items()]
    widths = [max(len(cells[column]) for cells in table) for column in range(len(names) + 1)]
    for cells in table:
        numbers = (c.rjust(w) for c, w in zip(cells[1:], widths[1:], strict=True))
        yield "  ".join([cells[0].ljust(widths[0]), *numbers])


def _shown(value: float | None) -> str:
    if value is None:
        return "-"
    return f"{value:,}" if isinstance(value, int) else f"{value:,.3f}"
