"""Compare the published feature vectors with one fold over the whole log, bit for bit.

Separate from the counts in ``findings``, because it needs the compiled features of the detector's
environment, which the command line that reports the counts does not have.
"""

from __future__ import annotations

import math
import struct
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from chaos.findings import Findings, VerdictCopies
from fraudwatch.domain.features.catalogue import FEATURES
from fraudwatch.domain.features.feature_vector import VECTOR_FEATURES
from fraudwatch.domain.views.published import NO_VIEW

_NUMBER_BYTES: Final = 8
_FOLDED_BYTES: Final = len(FEATURES) * _NUMBER_BYTES
_UNKNOWN_VIEW_FEATURES: Final = struct.pack("<d", math.nan) * (len(VECTOR_FEATURES) - len(FEATURES))


@dataclass(slots=True)
class ServedFeatures:
    """One message of ``feature_topic``."""

    features_version: str
    vector: bytes


def compare_features(
    findings: Findings,
    served: Mapping[str, Sequence[ServedFeatures]],
    folded: Mapping[str, Sequence[bytes]],
    verdicts: Mapping[str, VerdictCopies],
    features_version: str,
) -> None:
    """Compare published features with those of one fold over the whole log, bit for bit.

    The risk views' features cannot be computed from the log; they must be unknown where the
    verdict names no view.
    """
    wrong: list[str] = []
    for name, verdict in verdicts.items():
        expected, actual = folded.get(name, ()), served.get(name, ())
        findings.features_compared += len(actual)
        reason = _mismatch(expected, actual, features_version)
        if reason is None and verdict.risk_views == {NO_VIEW} and not _are_unknown(actual):
            reason = "with a risk view that its verdict does not name"
        if reason:
            wrong.append(f"{reason}: {name}")
    findings.mismatched_features = findings.add_examples("mismatched_features", wrong)


def _mismatch(
    expected: Sequence[bytes], actual: Sequence[ServedFeatures], features_version: str
) -> str | None:
    if not actual:
        return "not published"
    if any(one.features_version != features_version for one in actual):
        return "of another version"
    if any(len(one.vector) != len(VECTOR_FEATURES) * _NUMBER_BYTES for one in actual):
        return "of another length"
    if {one.vector[:_FOLDED_BYTES] for one in actual} != set(expected):
        return "other than folded"
    return None


def _are_unknown(actual: Sequence[ServedFeatures]) -> bool:
    return all(one.vector[_FOLDED_BYTES:] == _UNKNOWN_VIEW_FEATURES for one in actual)
