"""Fields of the draft's forms: limits, and the parameters and floors of rules."""

from __future__ import annotations

import copy
from collections.abc import Callable
from typing import Any

import streamlit as st

from fraudwatch.domain.policy.words import RULE_SENTENCES, rule_sentence
from fraudwatch.domain.rules.catalogue import RULES

Document = dict[str, Any]
Read = Callable[[Document], Document]
Fields = Callable[[Document, str], Read]
_NO_FLOOR = "none"
_FLOORS = (_NO_FLOOR, "review", "challenge", "decline")
_CENTS = 100
# Place in the document, label, and what the field's number is multiplied by.
_LIMITS = (
    (("review", "alerts_a_day"), "Alerts a day that analysts can work on", 1),
    (("review", "share_at_most"), "At most this share of all purchases (0 to 1)", 1),
    (("review", "from_score"), "Review from this score on", 1),
    (("decline", "precision_at_least"), "Decline where at least this share was fraud (0 to 1)", 1),
    (
        ("decline", "honest_declined_at_most"),
        "Decline at most this share of honest purchases (0 to 1)",
        1,
    ),
    (("decline", "from_score"), "Decline from this score on", 1),
    (("challenge", "from_score"), "Challenge from this score on", 1),
    (("novelty", "alerts_a_day"), "Novelty: very unusual purchases a day", 1),
    (("control", "share"), "Control group: share of declines that are reviewed (0 to 1)", 1),
    (("critical_from_eur_cents",), "An alert is CRITICAL from this amount on (EUR)", _CENTS),
    (("deny_points",), "Points of the deny list without a model", 1),
    (("risk", "MEDIUM", "from_points"), "MEDIUM from these points on, without a model", 1),
    (("risk", "HIGH", "from_points"), "HIGH from these points on, without a model", 1),
    (("risk", "CRITICAL", "from_points"), "CRITICAL from these points on, without a model", 1),
)


def limits(document: Document, prefix: str) -> Read:
    """Draw the limits that the policy has; return how to put them into a document."""
    version = st.text_input("Name of the version", document["version"], key=f"{prefix}_version")
    values: dict[tuple[str, ...], Any] = {}
    columns = st.columns(2)
    for place, label, factor in _LIMITS:
        current = _at(document, place)
        if current is not None:
            with columns[len(values) % 2]:
                values[place] = _number(label, current, "_".join((prefix, *place)), factor)

    def read(given: Document) -> Document:
        changed = copy.deepcopy(given)
        changed["version"] = version
        for place, value in values.items():
            part = changed
            for name in place[:-1]:
                part = part[name]
            part[place[-1]] = value
        return changed

    return read


def rules(document: Document, prefix: str) -> Read:
    """Draw every rule with its parameters and floor; return how to put them into a document."""
    found: dict[str, dict[str, Any]] = {}
    for name in RULES:
        given = document["rules"].get(name)
        title, _ = RULE_SENTENCES[name]
        with st.expander(f"{title}{'' if given else ' (off)'}"):
            if given is None:
                st.caption("This rule is off in the policy; it is turned on in its file.")
                continue
            st.caption(f"Now: {rule_sentence(name, given)}")
            is_on = st.checkbox("In use", value=True, key=f"{prefix}_on_{name}")
            parameters = {
                key: _number(key.replace("_", " "), value, f"{prefix}_{name}_{key}", 1)
                for key, value in given.items()
                if key != "floor"
            }
            floor = st.selectbox(
                "Least outcome of a purchase that it hits",
                _FLOORS,
                index=_FLOORS.index(given.get("floor", _NO_FLOOR)),
                key=f"{prefix}_floor_{name}",
            )
            if is_on:
                chosen = {} if floor == _NO_FLOOR else {"floor": floor}
                found[name] = parameters | chosen

    def read(given: Document) -> Document:
        return {**copy.deepcopy(given), "rules": found}

    return read


def _at(document: Document, place: tuple[str, ...]) -> Any:
    part: Any = document
    for name in place:
        part = part.get(name) if isinstance(part, dict) else None
    return part


def _number(label: str, value: float, key: str, factor: int) -> float:
    """Draw a number; whole where it is whole in the policy."""
    if factor != 1:
        shown = st.number_input(label, value=value / factor, step=1.0, key=key)
        return round(shown * factor)
    if isinstance(value, int):
        return int(st.number_input(label, value=value, step=1, key=key))
    return float(st.number_input(label, value=value, step=0.01, format="%.6g", key=key))
