"""How a risk is drawn: colours that differ in lightness too, and a shape each.

Pale to dark in the order of gravity, so that they also tell themselves apart without colour.
"""

from __future__ import annotations

from typing import Final

from fraudwatch.domain.verdict import Risk
from streamlit_app.view_models import RISK_WORDS

NOT_JUDGED: Final = "Not judged"
# Vega's shapes are those of the words: ◆ ▲ ● ○.
COLOURS: Final = {
    RISK_WORDS[Risk.CRITICAL]: "#7a0f08",
    RISK_WORDS[Risk.HIGH]: "#d2691e",
    RISK_WORDS[Risk.MEDIUM]: "#c9a400",
    RISK_WORDS[Risk.LOW]: "#6b8ba4",
    NOT_JUDGED: "#9a9a9a",
}
# Behind a word: dark text on a tint of at least 7:1 contrast; the shape in the word says the same.
TINTS: Final = {
    Risk.CRITICAL: "background-color: #f6cfcb; color: #7a0f08",
    Risk.HIGH: "background-color: #fde3c0; color: #6b3a00",
    Risk.MEDIUM: "background-color: #fbf3c4; color: #544800",
    Risk.LOW: "background-color: #e3ebf2; color: #243b4f",
}
SHAPES: Final = {
    RISK_WORDS[Risk.CRITICAL]: "diamond",
    RISK_WORDS[Risk.HIGH]: "triangle-up",
    RISK_WORDS[Risk.MEDIUM]: "circle",
    RISK_WORDS[Risk.LOW]: "circle",
    NOT_JUDGED: "cross",
}


def risk_word(risk: Risk | None) -> str:
    """The risk's word with its shape, also for a purchase that has no verdict yet."""
    return NOT_JUDGED if risk is None else RISK_WORDS[risk]
