"""The live screen's filters: what they are is in the address, so that a link shows the same."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final

import streamlit as st

from fraudwatch.application.alerts import ALERT_RISKS
from fraudwatch.domain.verdict import Risk
from streamlit_app.live.filters import PERIODS, USUAL_PERIOD, Filters, Options

# By their names in the address; the usual value is not written there.
_USUAL: Final[Mapping[str, Any]] = {
    "risk": [],
    "rule": [],
    "country": [],
    "merchant": [],
    "least_eur": 0.0,
    "period": USUAL_PERIOD,
    "customer": "",
    "open": False,
    "grouped": True,
}
_MOST_EUR: Final = 10_000_000.0
_LINK_TAKEN: Final = "live_link_taken"


@dataclass(frozen=True, slots=True)
class Choice:
    """What the analyst has chosen above the list."""

    filters: Filters
    is_grouped: bool
    is_paused: bool


def choose(options: Options) -> Choice:
    """Draw the filters; the first time in a session they are what the address says."""
    _take_link()
    with st.container(horizontal=True, vertical_alignment="bottom"):
        _many("risk", "Risk", ALERT_RISKS, format_func=str.capitalize, placeholder="All risks")
        st.selectbox(
            "Time",
            list(PERIODS),
            format_func=lambda period: PERIODS[period][0],
            key=_key("period"),
            persist_state="session",
            width=150,
        )
        with st.popover(_more_label(), icon=":material/filter_list:"):
            _more(options)
        _switch("open", "Open only", "Neither decided nor claimed by somebody else")
        _switch("grouped", "Group", "Alerts of one customer within ten minutes as one line")
        is_paused = st.toggle("Pause", key="live_paused", help="Hold the list still while you read")
        if _is_filtered():
            st.button("Clear filters", on_click=_clear, type="tertiary")
    _write_link()
    return Choice(_filters(), is_grouped=bool(_value("grouped")), is_paused=is_paused)


def _more(options: Options) -> None:
    # New options: a link may name what has left the window, and an analyst may know a name.
    _many("rule", "Rule", options.rules, accept_new_options=True)
    _many("country", "Country of the seller", options.countries, accept_new_options=True)
    _many("merchant", "Merchant", options.merchants, accept_new_options=True)
    st.number_input(
        "At least, in EUR",
        min_value=0.0,
        max_value=_MOST_EUR,
        step=50.0,
        key=_key("least_eur"),
        persist_state="session",
    )
    st.text_input(
        "Customer",
        key=_key("customer"),
        persist_state="session",
        placeholder="Token, or how it begins",
    )


def _many(name: str, label: str, options: Any, **settings: Any) -> None:
    st.multiselect(
        label, options, key=_key(name), persist_state="session", width="stretch", **settings
    )


def _switch(name: str, label: str, meaning: str) -> None:
    st.toggle(label, key=_key(name), persist_state="session", help=meaning)


def _filters() -> Filters:
    return Filters(
        risks=frozenset(_value("risk")),
        rules=frozenset(_value("rule")),
        countries=frozenset(_value("country")),
        merchants=frozenset(_value("merchant")),
        least_eur_cents=round(_value("least_eur") * 100),
        period=_value("period"),
        customer=_value("customer").strip(),
        is_open_only=bool(_value("open")),
    )


def _more_label() -> str:
    hidden = ("rule", "country", "merchant", "least_eur", "customer")
    count = sum(_value(name) != _USUAL[name] for name in hidden)
    return f"More filters ({count})" if count else "More filters"


def _is_filtered() -> bool:
    return any(_value(name) != usual for name, usual in _USUAL.items() if name != "grouped")


def _clear() -> None:
    for name, usual in _USUAL.items():
        if name != "grouped":
            st.session_state[_key(name)] = usual


def _take_link() -> None:
    if not st.session_state.get(_LINK_TAKEN):
        for name, usual in _USUAL.items():
            said = st.query_params.get_all(name)
            st.session_state[_key(name)] = _read(name, said) if said else usual
        st.session_state[_LINK_TAKEN] = True


def _read(name: str, said: list[str]) -> Any:
    """What an address says; what it says wrongly is as if it had said nothing."""
    reading: Mapping[str, Callable[[], Any]] = {
        "risk": lambda: [Risk(one.upper()) for one in said if one.upper() in ALERT_RISKS],
        "least_eur": lambda: _amount(said[-1]),
        "period": lambda: said[-1] if said[-1] in PERIODS else USUAL_PERIOD,
        "customer": lambda: said[-1],
        "open": lambda: said[-1] == "yes",
        "grouped": lambda: said[-1] != "no",
    }
    return reading.get(name, lambda: said)()


def _amount(text: str) -> float:
    whole, _, cents = text.partition(".")
    if not (whole.isdecimal() and (cents.isdecimal() or not cents)):
        return 0.0
    return min(float(text), _MOST_EUR)


def _write_link() -> None:
    query = {
        name: _written(value) for name, usual in _USUAL.items() if (value := _value(name)) != usual
    }
    if query != {name: _written(st.query_params.get_all(name)) for name in st.query_params}:
        # An empty dictionary would leave the browser's address as it was.
        st.query_params.from_dict(query) if query else st.query_params.clear()


def _written(value: Any) -> list[str]:
    if isinstance(value, bool):
        return ["yes" if value else "no"]
    if isinstance(value, float):
        return [f"{value:.2f}"]
    return [str(one) for one in value] if isinstance(value, list) else [value]


def _value(name: str) -> Any:
    value = st.session_state.get(_key(name))
    return _USUAL[name] if value is None else value


def _key(name: str) -> str:
    return f"live_{name}"
