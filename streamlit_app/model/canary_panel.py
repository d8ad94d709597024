"""Canary on the Model page: both groups side by side, and why it was rolled back."""

from __future__ import annotations

import pandas as pd
import streamlit as st

from fraudwatch.application.promotion.canary_trial import CanaryTrial, TrialUnavailable
from fraudwatch.application.promotion.registry_summary import RegistrySummary
from fraudwatch.domain.models.canary_check import LEAST_PURCHASES, MEASURES
from fraudwatch.domain.policy.list_document import instant_text
from streamlit_app.model.services import ModelServices


def show(services: ModelServices, summary: RegistrySummary) -> int | None:
    """Draw the newest canary, if there was one; return the version of one that runs."""
    try:
        trial = services.trials.read()
    except TrialUnavailable as error:
        st.error(f"{error}.")
        return None
    if trial is None:
        return None
    version = next((one.version for one in summary.versions if one.sha256 == trial.model), None)
    st.markdown("**Canary**")
    name = f"Version {version}" if version else f"Model {trial.model[:12]}"
    since = instant_text(trial.started_at_ms)
    if trial.rolled_back_because:
        st.error(
            f"{name} was rolled back by itself at {instant_text(trial.ended_at_ms or 0)}. "
            f"{trial.rolled_back_because}."
        )
    elif trial.ended_at_ms is not None:
        st.caption(f"{name} was tried from {since} to {instant_text(trial.ended_at_ms)}.")
    else:
        st.info(f"{name} scores {trial.share_ratio:.1%} of the customers since {since}.")
    st.dataframe(rows(trial), key="model_canary", hide_index=True)
    if trial.of_canary.purchases < LEAST_PURCHASES:
        st.caption(f"Nothing is decided before the canary scored {LEAST_PURCHASES:,} purchases.")
    return version if trial.ended_at_ms is None else None


def rows(trial: CanaryTrial) -> pd.DataFrame:
    """Return one row a measure: canary, champion, their ratio, and the band."""
    groups = trial.of_canary, trial.of_champion
    counted = {
        "Measure": "purchases",
        "Canary": f"{trial.of_canary.purchases:,}",
        "Champion": f"{trial.of_champion.purchases:,}",
        "Ratio": "",
        "Band": "",
    }
    return pd.DataFrame(
        [
            counted,
            *(
                {
                    "Measure": measure.words,
                    "Canary": _text(canary),
                    "Champion": _text(champion),
                    "Ratio": f"{canary / champion:.2f}" if champion else "",
                    "Band": f"{measure.least_ratio:g} to {measure.most_ratio:g}",
                }
                for measure in MEASURES
                for canary, champion in [[group.ratio(measure.name) for group in groups]]
            ),
        ]
    )


def _text(ratio: float) -> str:
    return "" if pd.isna(ratio) else f"{ratio:.5f}"
