"""Rank Sparkov's tested purchases by the verdict, and by each part of it alone."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

import numpy as np

from benchmarks.handbook_protocol import CARDS_A_DAY, FALSE_POSITIVE_RATIO
from benchmarks.reach import Target, at_least
from benchmarks.served_verdict import Served, ServedTable
from fraudwatch.application.scoring.assess import assess
from fraudwatch.domain.arrays import Float64s
from fraudwatch.domain.evaluation.budget import card_precision
from fraudwatch.domain.evaluation.labelled_scores import LabelledScores
from fraudwatch.domain.evaluation.ranking import auc, average_precision, recall_at_fpr
from fraudwatch.domain.models.evidence import Evidence
from fraudwatch.domain.rules.rule import RuleInput

VERDICT, MODEL = "verdict", "model alone"
_PRECISION, _RECALL = "average_precision", "recall_at_fpr_0_001"
# How far the verdict may be behind the model alone, and what the model is to reach.
_PRECISION_BEHIND, _RECALL_BEHIND = 0.005, 0.02
_MODEL_PRECISION, _MODEL_RECALL = 0.948, 0.86
# Purchases at a time: every assessment builds the sentences of its reasons in memory.
_ASSESSED_AT_ONCE: Final = 20_000


@dataclass(frozen=True, slots=True)
class Rankings:
    """Verdicts on the tested purchases, and the columns to compare rankings by."""

    source: ServedTable
    served: Served
    tested: LabelledScores

    def figures(self) -> list[dict[str, Any]]:
        """Measure every way of ranking the purchases."""
        anomaly = self.source.anomaly[self.served.rows]
        scores: Mapping[str, Float64s] = {
            "the amount alone": self.tested.eur_cents,
            "rules alone": self._without_model(None),
            "isolation forest alone": anomaly,
            "verdict without a model": self._without_model(anomaly),
            MODEL: self.served.probability,
            VERDICT: self.served.score,
        }
        return [{"name": name, **self._figures(score)} for name, score in scores.items()]

    def _figures(self, score: Float64s) -> dict[str, float]:
        is_fraud = self.tested.is_fraud
        return {
            "auc": auc(score, is_fraud),
            _PRECISION: average_precision(score, is_fraud),
            "card_precision_at_100": card_precision(self.tested, score, CARDS_A_DAY).mean,
            _RECALL: recall_at_fpr(score, is_fraud, FALSE_POSITIVE_RATIO),
        }

    def _without_model(self, anomaly: Float64s | None) -> Float64s:
        """Compute the scores of verdicts without a model, by the production code."""
        parts = []
        for begin in range(0, len(self.served.rows), _ASSESSED_AT_ONCE):
            piece = slice(begin, begin + _ASSESSED_AT_ONCE)
            rows = self.served.rows[piece]
            amount = self.source.table.events.amount_eur_cents[rows]
            inputs = RuleInput(amount, self.source.vectors[rows])
            evidence = Evidence(None if anomaly is None else anomaly[piece])
            parts.append(assess(inputs, self.source.policy, evidence).score)
        return np.concatenate(parts)


def model_targets(rankings: list[dict[str, Any]]) -> list[Target]:
    """Return the targets of the model's ranking, which are of the last two months."""
    model = _by_name(rankings, MODEL)
    return [
        at_least("model alone, average precision", model[_PRECISION], _MODEL_PRECISION),
        at_least("model alone, recall at FPR .001", model[_RECALL], _MODEL_RECALL),
    ]


def rank_targets(rankings: list[dict[str, Any]]) -> list[Target]:
    """Return the targets of the verdict's ranking beside the model's."""
    model, verdict = _by_name(rankings, MODEL), _by_name(rankings, VERDICT)
    precision, recall = model[_PRECISION] - _PRECISION_BEHIND, model[_RECALL] - _RECALL_BEHIND
    return [
        at_least("verdict, average precision", verdict[_PRECISION], precision),
        at_least("verdict, recall at FPR .001", verdict[_RECALL], recall),
    ]


def _by_name(rankings: list[dict[str, Any]], name: str) -> dict[str, Any]:
    return next(one for one in rankings if one["name"] == name)
