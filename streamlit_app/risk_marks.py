"""Colour and shape of each risk level.

The higher the risk, the darker: the levels differ without colour as well.
"""

from __future__ import annotations

from typing import Final

from fraudwatch.domain.messages.verdict import Risk
from streamlit_app.view_models import RISK_WORDS

NOT_SCORED: Final = "Not scored"
# Vega's shapes match those in the words: ◆ ▲ ● ○.
COLOURS: Final = {
    RISK_WORDS[Risk.CRITICAL]: "#7a0f08",
    RISK_WORDS[Risk.HIGH]: "#d2691e",
    RISK_WORDS[Risk.MEDIUM]: "#c9a400",
    RISK_WORDS[Risk.LOW]: "#6b8ba4",
    NOT_SCORED: "#9a9a9a",
}
# Cell styles: dark text on a tint, contrast at least 7:1; the word holds the shape as well.
TINTS: Final = {
    Risk.CRITICAL: "background-color: #f6cfcb; color: #7a0f08",
    Risk.HIGH: "background-color: #fde3c0; color: #6b3a00",
    Risk.MEDIUM: "background-color: #fbf3c4; color: #544800",
    Risk.LOW: "background-color: #e3ebf2; color: #243b4f",
}
# For marks beside the risk: control group, novelty.
MARK_TINT: Final = "background-color: #e4dff0; color: #3a2a5e"
SHAPES: Final = {
    RISK_WORDS[Risk.CRITICAL]: "diamond",
    RISK_WORDS[Risk.HIGH]: "triangle-up",
    RISK_WORDS[Risk.MEDIUM]: "circle",
    RISK_WORDS[Risk.LOW]: "circle",
    NOT_SCORED: "cross",
}


def risk_word(risk: Risk | None) -> str:
    """Risk level in words, with its shape; also for a purchase without a verdict."""
    return NOT_SCORED if risk is None else RISK_WORDS[risk]
