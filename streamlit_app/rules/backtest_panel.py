"""Backtest of a draft: start it, follow it, and compare it with the live policy."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

import pandas as pd
import streamlit as st

from fraudwatch.application.backtest.figures import compare_policies, euro
from fraudwatch.application.policy.versions import Draft, PolicyRefused
from streamlit_app import navigation
from streamlit_app.rules.actions import RulesContext, run

USUAL_DAYS = 7
_FIRST, _LAST = "rules_first", "rules_last"
_COMPARED = {
    "figure": st.column_config.TextColumn("", width=330),
    "live": st.column_config.TextColumn("Live", width=120),
    "draft": st.column_config.TextColumn("Draft", width=120),
    "difference": st.column_config.TextColumn("Difference", width=120),
}


def show(context: RulesContext, draft: Draft) -> Draft:
    """Draw the panel of a person's own draft; return it with the newest status."""
    st.markdown("**Backtest**")
    try:
        draft = context.rules.drafts.follow(context.person)
    except PolicyRefused as error:
        st.warning(str(error))
    if draft.backtest is None or draft.backtest.failure is not None:
        if draft.backtest is not None:
            st.error(f"The backtest failed: {draft.backtest.failure}")
        _start_form(context)
    elif draft.backtest.result is None:
        st.info(f"Running on the lake: {draft.backtest.run_id}.")
        st.button("Reload", key="rules_reload")
    else:
        show_result(draft.backtest.result, "rules")
    return draft


def show_result(result: Mapping[str, Any], prefix: str) -> None:
    """Draw the comparison with the live policy, and the frauds that would be lost.

    ``prefix`` is that of the widgets' keys: the page may show several results.
    """
    coverage = result["coverage"]
    st.caption(
        f"{result['from']} to {result['until']}, {coverage['purchases']:,} purchases, "
        f"{coverage['judged']:,} scored, labels as known on {result['labels_known_until'][:16]}"
    )
    rows = [
        {
            "figure": f"   {one.label}" if one.is_part else one.label,
            "live": one.live,
            "draft": one.candidate,
            "difference": one.difference,
        }
        for one in compare_policies(result)
    ]
    st.dataframe(
        pd.DataFrame(rows), key=f"{prefix}_compared", hide_index=True, column_config=_COMPARED
    )
    lost = result["lost_frauds"]
    if not lost:
        st.success("No known fraud that the live policy alerted on would be lost.")
        return
    st.markdown(f"**Known frauds that would no longer be caught: {len(lost)}**")
    table = [
        {
            "transaction": one["transaction_id"],
            "at": one["at"][:19].replace("T", " "),
            "amount": euro(one["amount_eur_cents"]),
            "merchant": one["merchant_id"],
        }
        for one in lost
    ]
    st.dataframe(pd.DataFrame(table), key=f"{prefix}_lost", hide_index=True)
    chosen = st.selectbox(
        "Case to open", [one["transaction"] for one in table], key=f"{prefix}_case"
    )
    st.button("Open case", key=f"{prefix}_open_case", on_click=_open, args=(chosen,))


def _open(transaction_id: str) -> None:
    st.session_state["rules_opens"] = transaction_id


def open_chosen_case() -> None:
    """Switch to the case that was chosen: not possible within a callback."""
    chosen: str | None = st.session_state.pop("rules_opens", None)
    if chosen is not None:
        navigation.open_case(chosen)


def _start_form(context: RulesContext) -> None:
    today = datetime.now(UTC).date()
    first, last = st.columns(2)
    first.date_input("From", today - timedelta(days=USUAL_DAYS), key=_FIRST)
    last.date_input("Until, inclusive (UTC)", today - timedelta(days=1), key=_LAST)

    def start() -> str:
        begin, end = st.session_state[_FIRST], st.session_state[_LAST]
        if end < begin:
            raise PolicyRefused("Until is before From; swap them. Nothing was started.")
        context.rules.drafts.backtest(context.person, begin.isoformat(), end.isoformat())
        return "The backtest is started on the lake; it takes some minutes."

    st.button("Run backtest", key="rules_backtest", type="primary", on_click=run, args=(start,))
