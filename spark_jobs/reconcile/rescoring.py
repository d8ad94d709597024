"""Rescore accepted purchases with the production code and the artefacts that their verdicts name.

The vector is the fold's part as recomputed here, plus the view features of the risk view that the
verdict names; if that view is gone, those that the stream served. So a recomputed score follows
from the log alone, except where its view is gone.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, NamedTuple

import numpy as np

from fraudwatch.adapters.codecs.log_fold import FoldedMessages, full_vector, packed, parse_accepted
from fraudwatch.application.scoring.assess import Assessment, assess
from fraudwatch.application.scoring.serving_bounds import serving_bounds
from fraudwatch.domain.arrays import Float64s
from fraudwatch.domain.features.catalogue import FEATURES
from fraudwatch.domain.features.feature_vector import VECTOR_FEATURES
from fraudwatch.domain.messages.verdict import Mode
from fraudwatch.domain.models.active_models import ActiveModels
from fraudwatch.domain.models.evidence import Evidence
from fraudwatch.domain.policy.policy import OUTCOMES, RISKS
from fraudwatch.domain.reconciliation.reconciled import Note
from fraudwatch.domain.reconciliation.records import Recomputed, RecordedScore, ScoredOutcome
from fraudwatch.domain.views.catalogue import VIEW_FEATURES
from fraudwatch.domain.views.published import ViewFeatures
from spark_jobs.reconcile.artefact_resolver import ArtefactResolver

_VECTOR_BYTES: Final = len(VECTOR_FEATURES) * 8


@dataclass(frozen=True, slots=True, kw_only=True)
class VerdictVersions:
    """Versions that a verdict names: policy, models, calibration, risk view, features, mode."""

    policy: str
    models: tuple[str, ...]  # versions of those with a score
    risk_view: str
    calibration: str  # empty: no calibrated score
    features: str
    mode: str


class Accepted(NamedTuple):
    """Purchase that the fold accepted, with its verdict's versions and served vectors."""

    message: bytes
    features: bytes  # of the fold, packed
    versions: VerdictVersions | None  # None: it has no verdict
    served: Sequence[bytes]


class Rescored(NamedTuple):
    """Recomputed values, with notes on what could not be recomputed."""

    computed: Recomputed
    notes: tuple[Note, ...] = ()


def rescore(
    accepted: Sequence[Accepted], artefacts: ArtefactResolver, features_version: str | None
) -> list[Rescored]:
    """Rescore each purchase; deterministic."""
    if not accepted:
        return []
    vectors = np.frombuffer(b"".join(one.features for one in accepted), dtype="<f8")
    folded = parse_accepted(
        [one.message for one in accepted],
        vectors.astype(np.float64).reshape(len(accepted), len(FEATURES)),
    )
    groups: defaultdict[VerdictVersions | None, list[int]] = defaultdict(list)
    for row, one in enumerate(accepted):
        groups[one.versions].append(row)
    rescored: dict[int, Rescored] = {}
    for versions, rows in groups.items():
        some = [accepted[row] for row in rows]
        group = _Group(folded.only(np.array(rows, dtype=np.int64)), some, artefacts)
        rescored |= dict(zip(rows, group.rescore(versions, features_version), strict=True))
    return [rescored[row] for row in range(len(accepted))]


@dataclass(frozen=True, slots=True)
class _Group:
    """Purchases whose verdicts name the same versions."""

    folded: FoldedMessages
    accepted: Sequence[Accepted]
    artefacts: ArtefactResolver

    def rescore(
        self, versions: VerdictVersions | None, features_version: str | None
    ) -> list[Rescored]:
        amounts = self.folded.amount_eur_cents.tolist()
        if features_version is None:
            return self._without_score(Note.ARCHIVE_INCOMPLETE)
        if versions is None:
            folds = (one.features for one in self.accepted)
            return [
                Rescored(Recomputed(amount_eur_cents=amount, features=vector))
                for amount, vector in zip(amounts, folds, strict=True)
            ]
        if versions.features != features_version:
            return self._without_score(Note.OTHER_FEATURES)
        views = self.artefacts.views(versions.risk_view)
        added = (
            self.folded.enrich_with_views(views)
            if views is not None
            else self._served_view_features()
        )
        notes = () if views is not None else (Note.VIEWS_UNKNOWN,)
        vectors = full_vector(self.folded, added)
        comparable = packed(vectors if views is not None else self.folded.features)
        outcomes = self._outcomes(versions, vectors, has_vector=self._has_vector(views is None))
        return [
            Rescored(
                Recomputed(
                    amount_eur_cents=amount,
                    features=vector,
                    scored=None if isinstance(outcome, Note) else outcome,
                ),
                (*notes, outcome) if isinstance(outcome, Note) else notes,
            )
            for amount, vector, outcome in zip(amounts, comparable, outcomes, strict=True)
        ]

    def _without_score(self, why: Note) -> list[Rescored]:
        amounts = self.folded.amount_eur_cents.tolist()
        return [Rescored(Recomputed(amount_eur_cents=amount), (why,)) for amount in amounts]

    def _served_view_features(self) -> ViewFeatures:
        """Return the view features that were served; unknown where none were."""
        features = np.full((len(self.accepted), len(VIEW_FEATURES)), np.nan)
        for row in np.flatnonzero(self._has_vector(needs_served=True)).tolist():
            vector = np.frombuffer(self.accepted[row].served[0], dtype="<f8")
            features[row] = vector[len(FEATURES) :]
        return ViewFeatures(features, [""] * len(self.accepted))

    def _has_vector(self, needs_served: bool) -> list[bool]:  # noqa: FBT001  its only argument
        return [
            not needs_served or (bool(one.served) and len(one.served[0]) == _VECTOR_BYTES)
            for one in self.accepted
        ]

    def _outcomes(
        self, versions: VerdictVersions, vectors: Float64s, has_vector: Sequence[bool]
    ) -> Sequence[ScoredOutcome | Note]:
        policy, models = self.artefacts.policy(versions.policy), self._models(versions)
        if policy is None:
            return [Note.POLICY_UNKNOWN] * len(self.accepted)
        if isinstance(models, Note):
            return [models] * len(self.accepted)
        evidence = models.evidence(vectors)
        bounds = serving_bounds(policy, models)
        assessment = assess(self.folded.rule_input(vectors), policy, evidence, bounds)
        outcomes = _outcomes_of(assessment, _model_scores(evidence))
        return [
            one if is_known else Note.VECTOR_UNKNOWN
            for one, is_known in zip(outcomes, has_vector, strict=True)
        ]

    def _models(self, versions: VerdictVersions) -> ActiveModels | Note:
        if not versions.models and versions.mode != Mode.RULES_ONLY:
            return Note.MODEL_UNKNOWN  # an old verdict, which names no models
        try:
            models = self.artefacts.models(versions.models, versions.calibration or None)
        except ImportError:
            return Note.ENGINE_MISSING
        return Note.MODEL_UNKNOWN if models is None else models


def _model_scores(evidence: Evidence) -> dict[str, Float64s]:
    found = {"anomaly": evidence.anomaly, "fraud": evidence.fraud}
    return {name: scores for name, scores in found.items() if scores is not None}


def _outcomes_of(assessment: Assessment, by_model: dict[str, Float64s]) -> list[ScoredOutcome]:
    return [
        ScoredOutcome(
            outcome=str(OUTCOMES[assessment.outcome[row]]),
            risk=str(RISKS[assessment.level[row]]),
            score=score,
            is_control=bool(assessment.is_control[row]),
            is_novel=bool(assessment.is_novel[row]),
            model_scores=tuple(
                RecordedScore(name, float(scores[row])) for name, scores in by_model.items()
            ),
        )
        for row, score in enumerate(assessment.score.tolist())
    ]
