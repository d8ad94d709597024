"""Model page of leads: champion and challengers, folds, calibration, importance, drift, changes."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Final

import streamlit as st

from fraudwatch.application.console.access import Person, Right
from fraudwatch.application.promotion.model_changes import SummaryUnavailable
from fraudwatch.application.promotion.registry_summary import RegistrySummary, VersionSummary
from fraudwatch.domain.policy.list_document import instant_text
from streamlit_app.model import canary_panel, changes_panel, charts, queries, rows
from streamlit_app.model.services import ModelServices
from streamlit_app.people import login

TOP_FEATURES: Final = 12
_CHOSEN: Final = "model_chosen"
_VERSION_COLUMNS: Final = {
    "version": st.column_config.NumberColumn("Version", width=70),
    "state": st.column_config.TextColumn("State", width=140),
    "trained": st.column_config.TextColumn("Trained", width=160),
    "promoted": st.column_config.TextColumn("First promoted", width=160),
    "precision": st.column_config.TextColumn("Average precision", width=130),
    "gate": st.column_config.TextColumn("Gate", width=90),
    "because": st.column_config.TextColumn("Because", width=420),
}
_EMPTY: Final = (
    "No model was trained yet, or not since this version is installed. `train_model` runs daily "
    "at 05:00 UTC with the profile lake; by hand: `./fraudwatch dags trigger train_model --wait`."
)


def show(open_services: Callable[[], ModelServices]) -> None:
    """Draw the page."""
    person = login.require(Right.MODEL)
    services = open_services()
    st.subheader("Model", anchor=False)
    changes_panel.show_last_result()
    try:
        summary = services.changes.summary(person)
    except SummaryUnavailable as error:
        st.error(f"{error}.")
        return
    if summary is None or not summary.versions:
        st.info(_EMPTY)
    else:
        _versions(summary)
        chosen = _chosen(summary)
        _tabs(_compared(summary.champion, chosen))
        changes_panel.show(services, person, chosen, canary_panel.show(services, summary))
    _served(services, person)


def _compared(
    champion: VersionSummary | None, chosen: VersionSummary
) -> tuple[VersionSummary, ...]:
    """Return the champion and the chosen version, or one of them if they are the same."""
    return (
        (chosen,) if champion is None or champion.version == chosen.version else (champion, chosen)
    )


def _versions(summary: RegistrySummary) -> None:
    champion, waiting = summary.champion, summary.waiting
    if champion is None:
        st.warning(
            "No registered model is active: purchases are scored by the rules, or by a model that "
            "is not in the registry."
        )
    if waiting is not None:
        st.info(
            f"Version {waiting.version} passed the gate and waits for approval: "
            f"{waiting.tags.get('because', '')}."
        )
    st.caption(f"As registered at {instant_text(summary.written_at_ms)}.")
    st.dataframe(
        rows.version_rows(summary.versions),
        key="model_versions",
        hide_index=True,
        column_config=_VERSION_COLUMNS,
    )


def _chosen(summary: RegistrySummary) -> VersionSummary:
    """Choose a version to compare with the champion: at first the one that waits, or the newest."""
    preferred = summary.waiting or summary.versions[0]
    # By number: a version that was chosen before it was promoted must not be shown as it was.
    by_number = {one.version: one for one in summary.versions}
    number = st.selectbox(
        "Compare with the champion",
        list(by_number),
        index=list(by_number).index(preferred.version),
        format_func=lambda one: rows.title_of(by_number[one]),
        key=_CHOSEN,
    )
    return by_number[number]


def _tabs(shown: Sequence[VersionSummary]) -> None:
    before, after = shown[0], shown[-1]
    folds, gate, calibration, importance, changed = st.tabs(
        ["Metrics", "Gate", "Calibration", "Importance", "What changed"]
    )
    with folds:
        st.caption(rows.delay_sentence(after))
        st.dataframe(rows.fold_rows(shown), key="model_folds", hide_index=True)
    with gate:
        st.caption(
            f"{rows.title_of(after)}: {after.tags.get('because', 'no decision is recorded')}. "
            "Final verdicts of both sides on the same purchases, which neither was trained on. "
            f"{rows.bounds_sentence(after)}"
        )
        st.dataframe(rows.gate_rows(after), key="model_gate", hide_index=True)
    with calibration:
        _calibration(shown)
    with importance:
        bars = rows.importance_frame(before, after, TOP_FEATURES)
        if bars.empty:
            st.caption("Importance is recorded from the next training on.")
        else:
            st.altair_chart(charts.importance(bars))
    with changed:
        if before is after:
            st.caption("The champion is chosen: choose another version to see what changed.")
        else:
            st.dataframe(rows.change_rows(before, after), key="model_changed", hide_index=True)


def _calibration(shown: Sequence[VersionSummary]) -> None:
    points = rows.reliability_frame(shown)
    if points.empty:
        st.caption("The gate compared too few purchases to measure calibration.")
        return
    st.caption("Days of the gate. A calibrated score is on the dashed line, within its interval.")
    st.altair_chart(charts.reliability(points))


def _served(services: ModelServices, person: Person) -> None:
    st.markdown("**What is served now: drift and quality**")
    health = queries.health(services, person)
    if not health.is_measured:
        st.caption(
            "Nothing was measured since `statsd_bridge` was started, or it does not run: "
            "`monitor_drift` and `reconcile_views` measure daily with the profile lake."
        )
        return
    left, right = st.columns(2)
    with left:
        if health.psi:
            st.dataframe(rows.drift_rows(health), key="model_drift", hide_index=True)
        if health.features_moved is not None:
            st.caption(f"Features past their bound: {health.features_moved}.")
    with right:
        if health.quality:
            st.dataframe(rows.quality_rows(health), key="model_quality", hide_index=True)
        st.caption(
            f"Calibration past the label delay: slope {rows.number_text(health.calibration_slope)} "
            f"(1 is ideal), Brier score {rows.number_text(health.calibration_brier, 4)}."
        )
