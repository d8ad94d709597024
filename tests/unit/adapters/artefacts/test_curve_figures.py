from __future__ import annotations

import numpy as np

from fraudwatch.adapters.artefacts.curve_figures import figures_of
from fraudwatch.domain.training.curves import precision_recall, reliability

SCORE = np.array([0.9, 0.8, 0.3, 0.05])
IS_FRAUD = np.array([True, False, True, False])


def test_pictures_show_the_points_of_every_model_that_has_any() -> None:
    curves = {
        "precision_recall": {
            "xgboost": precision_recall(SCORE, IS_FRAUD),
            "without frauds": precision_recall(SCORE, np.zeros(4, dtype=np.bool_)),
        },
        "reliability": reliability(SCORE, IS_FRAUD),
    }
    drawn = figures_of(curves)
    [axes] = drawn["precision_recall.png"].axes
    assert [line.get_label() for line in axes.lines] == ["xgboost"]
    assert axes.lines[0].get_xydata()[-1].tolist() == [1.0, 2 / 3]
    [axes] = drawn["reliability.png"].axes
    assert axes.lines[1].get_xydata()[:, 1].tolist() == [0.0, 1.0, 0.0, 1.0]
    assert [text.get_text() for text in axes.texts] == ["1"] * 4


def test_a_day_without_a_fraud_has_an_empty_picture() -> None:
    drawn = figures_of({"precision_recall": {"xgboost": []}, "reliability": []})
    assert not drawn["precision_recall.png"].axes[0].lines
