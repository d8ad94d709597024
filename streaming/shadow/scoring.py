"""Score joined purchases by the candidate: the detector's steps without the fold.

The vector is the served one, and everything else that a verdict names comes from the live verdict:
lists included: a candidate equal to the live policy and model makes the same bytes.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Final, NamedTuple, Protocol

import numpy as np

from fraudwatch.adapters.artefacts.candidate import Candidate
from fraudwatch.adapters.codecs.json_codec import decode
from fraudwatch.adapters.codecs.log_fold import FoldedMessages, full_vector, parse_accepted
from fraudwatch.adapters.codecs.verdict_frames import VerdictInputs, encode_verdicts
from fraudwatch.application.scoring.assess import assess
from fraudwatch.application.scoring.explain import explain
from fraudwatch.application.scoring.outcomes import HIGH
from fraudwatch.application.scoring.serving_bounds import serving_bounds
from fraudwatch.application.shadow.joining import Joined
from fraudwatch.domain.arrays import Float64s, Int64s
from fraudwatch.domain.features.catalogue import FEATURES
from fraudwatch.domain.features.feature_vector import VECTOR_FEATURES
from fraudwatch.domain.features.fold import features_version
from fraudwatch.domain.messages.verdict import Mode, Verdict
from fraudwatch.domain.models.active_models import ActiveModels
from fraudwatch.domain.policy.bounds import Bounds
from fraudwatch.domain.policy.list_document import PolicyLists, with_lists
from fraudwatch.domain.policy.policy import Policy
from fraudwatch.domain.shadow import NotCompared
from fraudwatch.domain.views.published import ViewFeatures

_VECTOR_BYTES: Final = len(VECTOR_FEATURES) * 8


class LiveArtefacts(Protocol):
    """Opens what live verdicts name; None where it is not there."""

    def policy(self, version: str) -> Policy | None:
        """Return the policy of a version, with its lists."""

    def lists(self, version: str) -> PolicyLists | None:
        """Return the lists of a policy version; without a version where they were a part of it."""

    def models(self, versions: tuple[str, ...], calibration: str) -> ActiveModels | None:
        """Return the models of these versions, with a calibration unless it is empty."""


class CandidateVerdict(NamedTuple):
    """The candidate's verdict of one purchase as the detector would have published it."""

    message: bytes
    verdict: Verdict


class _Versions(NamedTuple):
    """Versions and time of a live verdict: equal within a micro-batch."""

    policy: str
    models: tuple[tuple[str, str], ...]
    calibration: str
    mode: Mode
    decided_at_ms: int


@dataclass(slots=True)
class Scorer:
    """Policy and models with the bounds that they have together."""

    policy: Policy
    models: ActiveModels
    bounds: Bounds

    @classmethod
    def of(cls, policy: Policy, models: ActiveModels) -> Scorer:
        """Return the scorer of a policy and models."""
        return cls(policy, models, serving_bounds(policy, models))


class Origin(NamedTuple):
    """Origin of purchases, by row, and the time of their verdicts."""

    risk_view: Sequence[str]
    partition: Int64s
    offset: Int64s
    decided_at_ms: int


class _Combined(NamedTuple):
    """Candidate policy with live lists; bounds are kept as long as it is the same object."""

    lists: PolicyLists
    policy: Policy


class ShadowScoring:
    """Scores purchases by one candidate."""

    def __init__(self, candidate: Candidate, live: LiveArtefacts) -> None:
        self._candidate, self._live = candidate, live
        self._scorer: Scorer | None = None
        self._combined: _Combined | None = None

    def score(self, joined: Sequence[Joined]) -> list[CandidateVerdict | NotCompared]:
        """Return the candidate's verdict of each purchase, or why there is none."""
        results: list[CandidateVerdict | NotCompared] = [NotCompared.NO_VECTOR] * len(joined)
        groups: defaultdict[_Versions, list[int]] = defaultdict(list)
        for row, one in enumerate(joined):
            if (reason := _missing(one)) is not None:
                results[row] = reason
            else:
                groups[_versions_of(one.published.verdict)].append(row)
        for versions, rows in groups.items():
            scorer = self._scorer_for(versions)
            if isinstance(scorer, NotCompared):
                found: Sequence[CandidateVerdict | NotCompared] = [scorer] * len(rows)
            else:
                found = _verdicts([joined[row] for row in rows], scorer, versions)
            for row, result in zip(rows, found, strict=True):
                results[row] = result
        return results

    def _scorer_for(self, versions: _Versions) -> Scorer | NotCompared:
        policy = self._policy_for(versions.policy)
        if policy is None:
            return NotCompared.POLICY_UNKNOWN
        models = self._models_for(versions)
        if models is None:
            return NotCompared.MODEL_UNKNOWN
        known = self._scorer
        if known is None or known.policy is not policy or not _is_same(known.models, models):
            self._scorer = known = Scorer.of(policy, models)
        return known

    def _policy_for(self, version: str) -> Policy | None:
        """Return the live policy, or the candidate with the lists of the live verdict.

        Lists change from hour to hour and are no part of a candidate: with others, the comparison
        would count their difference.
        """
        own = self._candidate.policy
        if own is None:
            return self._live.policy(version)
        lists = self._live.lists(version)
        if lists is None:
            return None
        last = self._combined
        if last is None or last.lists is not lists:
            # Lists of before they were a file of their own are a part of the candidate as well.
            combined = with_lists(own, lists) if lists.version else own
            self._combined = last = _Combined(lists, combined)
        return last.policy

    def _models_for(self, versions: _Versions) -> ActiveModels | None:
        own = self._candidate.models
        if not versions.models and versions.mode is not Mode.RULES_ONLY:
            return None  # an old verdict, which names no models
        kept = [version for name, version in versions.models if own is None or name != "fraud"]
        calibration = versions.calibration if own is None else ""
        live = self._live.models(tuple(kept), calibration)
        if own is None or live is None:
            return live
        return replace(own, anomaly=live.anomaly)


def _is_same(one: ActiveModels, other: ActiveModels) -> bool:
    return (
        one.anomaly is other.anomaly
        and one.fraud is other.fraud
        and one.calibration is other.calibration
    )


def _missing(joined: Joined) -> NotCompared | None:
    if joined.missing is not None:
        return joined.missing
    vector = joined.vector
    if vector is None:
        return NotCompared.NO_VECTOR
    # Another version of the features may have another meaning at the same place.
    is_current = vector.features_version == features_version()
    if is_current and len(vector.vector) == _VECTOR_BYTES:
        return None
    return NotCompared.OTHER_FEATURES


def _versions_of(verdict: Verdict) -> _Versions:
    return _Versions(
        policy=verdict.policy_version,
        models=tuple((one.model, one.version) for one in verdict.model_scores),
        calibration=verdict.calibration,
        mode=verdict.mode,
        decided_at_ms=verdict.decided_at_ms,
    )


def _verdicts(
    joined: Sequence[Joined], scorer: Scorer, versions: _Versions
) -> list[CandidateVerdict]:
    live = [one.published.verdict for one in joined]
    served = np.frombuffer(b"".join(one.vector.vector for one in joined if one.vector), "<f8")
    vectors = served.astype(np.float64).reshape(len(joined), len(VECTOR_FEATURES))
    width = len(FEATURES)
    folded = parse_accepted([one.transaction for one in joined], vectors[:, :width])
    risk_view = [verdict.risk_view for verdict in live]
    features = full_vector(folded, ViewFeatures(vectors[:, width:], risk_view))
    origin = Origin(
        risk_view=risk_view,
        partition=np.array([one.source_partition for one in live], dtype=np.int64),
        offset=np.array([one.source_offset for one in live], dtype=np.int64),
        decided_at_ms=versions.decided_at_ms,
    )
    messages = encode_scored(folded, features, scorer, origin)
    return [CandidateVerdict(message, decode(Verdict, message)) for message in messages]


def encode_scored(
    folded: FoldedMessages, features: Float64s, scorer: Scorer, origin: Origin
) -> list[bytes]:
    """Score rows as the detector does, and encode their verdicts."""
    evidence = scorer.models.evidence(features)
    result = assess(folded.rule_input(features), scorer.policy, evidence, scorer.bounds)
    high = np.flatnonzero(result.level >= HIGH)
    return encode_verdicts(
        folded.frame,
        VerdictInputs(
            assessment=result,
            policy=scorer.policy,
            models=scorer.models,
            evidence=evidence,
            explanations=dict(
                zip(high.tolist(), explain(scorer.models, features[high]), strict=True)
            ),
            features_version=features_version(),
            risk_view=origin.risk_view,
            source_partition=origin.partition,
            source_offset=origin.offset,
            decided_at_ms=origin.decided_at_ms,
        ),
    )
