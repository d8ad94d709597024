"""Accepted purchases judged once more, by the production code and by what their verdicts name.

The vector is the fold's part as computed here and, where the named view is still there, what it
says; else what was served of the views. So a judgement follows from the log, and only where its
view is gone from numbers that the stream itself has told.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, NamedTuple

import numpy as np

from fraudwatch.adapters.codecs.log_fold import FoldedMessages, folded_before, packed
from fraudwatch.adapters.codecs.log_fold import served as whole_vectors
from fraudwatch.application.scoring.assess import Assessment, assess
from fraudwatch.domain.arrays import Float64s
from fraudwatch.domain.features.catalogue import FEATURES
from fraudwatch.domain.features.feature_vector import VECTOR_FEATURES
from fraudwatch.domain.messages.verdict import Mode
from fraudwatch.domain.models.active_models import ActiveModels
from fraudwatch.domain.models.evidence import Evidence
from fraudwatch.domain.policy.policy import Policy
from fraudwatch.domain.reconciliation.comparison import Recomputed, RecordedScore, ScoredOutcome
from fraudwatch.domain.reconciliation.reconciled import Note
from fraudwatch.domain.views.catalogue import VIEW_FEATURES
from fraudwatch.domain.views.published import ViewFeatures
from spark_jobs.reconcile.artefact_resolver import ArtefactResolver

_VECTOR_BYTES: Final = len(VECTOR_FEATURES) * 8


@dataclass(frozen=True, slots=True, kw_only=True)
class JudgedBy:
    """What a verdict says it was made by."""

    policy: str
    models: tuple[str, ...]  # versions of those that spoke
    risk_view: str
    features: str
    mode: str


class Accepted(NamedTuple):
    """A purchase that the fold accepted, and what was said of it."""

    message: bytes
    features: bytes  # of the fold, packed
    judged_by: JudgedBy | None  # None: nobody judged it
    served: Sequence[bytes]


class Again(NamedTuple):
    """What the batch layer makes of it, and what it could not do."""

    computed: Recomputed
    notes: tuple[Note, ...] = ()


def judge_again(
    accepted: Sequence[Accepted], books: ArtefactResolver, features_version: str | None
) -> list[Again]:
    """Each purchase; equal arguments give equal answers."""
    if not accepted:
        return []
    vectors = np.frombuffer(b"".join(one.features for one in accepted), dtype="<f8")
    folded = folded_before(
        [one.message for one in accepted],
        vectors.astype(np.float64).reshape(len(accepted), len(FEATURES)),
    )
    groups: defaultdict[JudgedBy | None, list[int]] = defaultdict(list)
    for row, one in enumerate(accepted):
        groups[one.judged_by].append(row)
    found: dict[int, Again] = {}
    for judged_by, rows in groups.items():
        some = [accepted[row] for row in rows]
        group = _Group(folded.only(np.array(rows, dtype=np.int64)), some, books)
        found |= dict(zip(rows, group.again(judged_by, features_version), strict=True))
    return [found[row] for row in range(len(accepted))]


@dataclass(frozen=True, slots=True)
class _Group:
    """Purchases whose verdicts name the same policy, models and view."""

    folded: FoldedMessages
    accepted: Sequence[Accepted]
    books: ArtefactResolver

    def again(self, judged_by: JudgedBy | None, features_version: str | None) -> list[Again]:
        amounts = self.folded.amount_eur_cents.tolist()
        if features_version is None:
            return self._not_again(Note.ARCHIVE_INCOMPLETE)
        if judged_by is None:
            folds = (one.features for one in self.accepted)
            return [
                Again(Recomputed(amount_eur_cents=amount, features=vector))
                for amount, vector in zip(amounts, folds, strict=True)
            ]
        if judged_by.features != features_version:
            return self._not_again(Note.OTHER_FEATURES)
        views = self.books.views(judged_by.risk_view)
        told = self.folded.told_by(views) if views is not None else self._as_served()
        notes = () if views is not None else (Note.VIEWS_UNKNOWN,)
        vectors = whole_vectors(self.folded, told)
        comparable = packed(vectors if views is not None else self.folded.features)
        judgements = self._judgements(judged_by, vectors, can_judge=self._can_judge(views is None))
        return [
            Again(
                Recomputed(
                    amount_eur_cents=amount,
                    features=vector,
                    scored=None if isinstance(scored, Note) else scored,
                ),
                (*notes, scored) if isinstance(scored, Note) else notes,
            )
            for amount, vector, scored in zip(amounts, comparable, judgements, strict=True)
        ]

    def _not_again(self, why: Note) -> list[Again]:
        amounts = self.folded.amount_eur_cents.tolist()
        return [Again(Recomputed(amount_eur_cents=amount), (why,)) for amount in amounts]

    def _as_served(self) -> ViewFeatures:
        """The views' part of what was served; unknown where nothing was."""
        features = np.full((len(self.accepted), len(VIEW_FEATURES)), np.nan)
        for row in np.flatnonzero(self._can_judge(needs_served=True)).tolist():
            vector = np.frombuffer(self.accepted[row].served[0], dtype="<f8")
            features[row] = vector[len(FEATURES) :]
        return ViewFeatures(features, [""] * len(self.accepted))

    def _can_judge(self, needs_served: bool) -> list[bool]:  # noqa: FBT001  one question
        return [
            not needs_served or (bool(one.served) and len(one.served[0]) == _VECTOR_BYTES)
            for one in self.accepted
        ]

    def _judgements(
        self, judged_by: JudgedBy, vectors: Float64s, can_judge: Sequence[bool]
    ) -> Sequence[ScoredOutcome | Note]:
        policy, models = self.books.policy(judged_by.policy), self._models(judged_by)
        if policy is None:
            return [Note.POLICY_UNKNOWN] * len(self.accepted)
        if isinstance(models, Note):
            return [models] * len(self.accepted)
        evidence = models.evidence(vectors)
        held = assess(self.folded.seen(vectors), policy, evidence)
        made = _judgements_of(held, policy, _told_by_models(evidence))
        return [
            one if is_known else Note.VECTOR_UNKNOWN
            for one, is_known in zip(made, can_judge, strict=True)
        ]

    def _models(self, judged_by: JudgedBy) -> ActiveModels | Note:
        if not judged_by.models and judged_by.mode != Mode.RULES_ONLY:
            return Note.MODEL_UNKNOWN  # of before verdicts named their models
        try:
            found = self.books.models(judged_by.models)
        except ImportError:
            return Note.ENGINE_MISSING
        return Note.MODEL_UNKNOWN if found is None else found


def _told_by_models(evidence: Evidence) -> dict[str, Float64s]:
    return {name: said for name, said in evidence._asdict().items() if said is not None}


def _judgements_of(
    held: Assessment, policy: Policy, told: dict[str, Float64s]
) -> list[ScoredOutcome]:
    levels = [policy.levels[place] for place in held.level.tolist()]
    return [
        ScoredOutcome(
            outcome=str(level.outcome),
            risk=str(level.risk),
            score=score,
            model_scores=tuple(
                RecordedScore(name, float(said[row])) for name, said in told.items()
            ),
        )
        for row, (level, score) in enumerate(zip(levels, held.score.tolist(), strict=True))
    ]
