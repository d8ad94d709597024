"""Filter bar of the live list; the address holds the filters, so that a link shows the same."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final

import streamlit as st

from fraudwatch.application.console.alerts import ALERT_RISKS
from fraudwatch.domain.messages.verdict import Risk
from streamlit_app.live.filters import DEFAULT_PERIOD, PERIODS, Filters, Options

# By query parameter; a default is left out of the address.
_DEFAULTS: Final[Mapping[str, Any]] = {
    "risk": [],
    "rule": [],
    "country": [],
    "merchant": [],
    "least_eur": 0.0,
    "period": DEFAULT_PERIOD,
    "customer": "",
    "open": False,
    "grouped": True,
}
_MAX_EUR: Final = 10_000_000.0
_LINK_APPLIED: Final = "live_link_applied"


@dataclass(frozen=True, slots=True)
class Choice:
    """Filters and switches chosen above the list."""

    filters: Filters
    is_grouped: bool
    is_paused: bool


def choose(options: Options) -> Choice:
    """Draw the filters; the address sets them at the first run of a session."""
    _apply_link()
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
        _switch("open", "Open only", "Not decided, and not claimed by another person")
        _switch(
            "grouped", "Group", "One line for alerts of one customer less than ten minutes apart"
        )
        is_paused = st.toggle("Pause", key="live_paused", help="Stop refreshing while you read")
        if _is_filtered():
            st.button("Clear filters", on_click=_clear, type="tertiary")
    _write_link()
    return Choice(_filters(), is_grouped=bool(_value("grouped")), is_paused=is_paused)


def _more(options: Options) -> None:
    # New options: a link or an analyst may name something that is not in the window.
    _many("rule", "Rule", options.rules, accept_new_options=True)
    _many("country", "Merchant country", options.countries, accept_new_options=True)
    _many("merchant", "Merchant", options.merchants, accept_new_options=True)
    st.number_input(
        "Minimum amount, EUR",
        min_value=0.0,
        max_value=_MAX_EUR,
        step=50.0,
        key=_key("least_eur"),
        persist_state="session",
    )
    st.text_input(
        "Customer",
        key=_key("customer"),
        persist_state="session",
        placeholder="Token or its beginning",
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
        min_eur_cents=round(_value("least_eur") * 100),
        period=_value("period"),
        customer=_value("customer").strip(),
        is_open_only=bool(_value("open")),
    )


def _more_label() -> str:
    hidden = ("rule", "country", "merchant", "least_eur", "customer")
    count = sum(_value(name) != _DEFAULTS[name] for name in hidden)
    return f"More filters ({count})" if count else "More filters"


def _is_filtered() -> bool:
    return any(_value(name) != default for name, default in _DEFAULTS.items() if name != "grouped")


def _clear() -> None:
    for name, default in _DEFAULTS.items():
        if name != "grouped":
            st.session_state[_key(name)] = default


def _apply_link() -> None:
    if not st.session_state.get(_LINK_APPLIED):
        for name, default in _DEFAULTS.items():
            values = st.query_params.get_all(name)
            st.session_state[_key(name)] = _read(name, values) if values else default
        st.session_state[_LINK_APPLIED] = True


def _read(name: str, values: list[str]) -> Any:
    """Parse a query parameter; invalid values are ignored."""
    parsers: Mapping[str, Callable[[], Any]] = {
        "risk": lambda: [Risk(one.upper()) for one in values if one.upper() in ALERT_RISKS],
        "least_eur": lambda: _amount(values[-1]),
        "period": lambda: values[-1] if values[-1] in PERIODS else DEFAULT_PERIOD,
        "customer": lambda: values[-1],
        "open": lambda: values[-1] == "yes",
        "grouped": lambda: values[-1] != "no",
    }
    return parsers.get(name, lambda: values)()


def _amount(text: str) -> float:
    euros, _, cents = text.partition(".")
    if not (euros.isdecimal() and (cents.isdecimal() or not cents)):
        return 0.0
    return min(float(text), _MAX_EUR)


def _write_link() -> None:
    query = {
        name: _written(value)
        for name, default in _DEFAULTS.items()
        if (value := _value(name)) != default
    }
    if query != {name: _written(st.query_params.get_all(name)) for name in st.query_params}:
        # from_dict({}) would leave the browser's address unchanged.
        st.query_params.from_dict(query) if query else st.query_params.clear()


def _written(value: Any) -> list[str]:
    if isinstance(value, bool):
        return ["yes" if value else "no"]
    if isinstance(value, float):
        return [f"{value:.2f}"]
    return [str(one) for one in value] if isinstance(value, list) else [value]


def _value(name: str) -> Any:
    value = st.session_state.get(_key(name))
    return _DEFAULTS[name] if value is None else value


def _key(name: str) -> str:
    return f"live_{name}"
