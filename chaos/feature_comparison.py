"""Compare served feature vectors with one fold over the whole log, bit for bit.

Apart from the counts in ``findings``, because it needs the compiled features of the detector's
environment, and the command line that reports the counts does not have them.
"""

from __future__ import annotations

import math
import struct
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from chaos.findings import Findings, Judged
from fraudwatch.domain.features.catalogue import FEATURES
from fraudwatch.domain.features.feature_vector import VECTOR_FEATURES
from fraudwatch.domain.views.published import NO_VIEW

_NUMBER_BYTES: Final = 8
_FOLDED_BYTES: Final = len(FEATURES) * _NUMBER_BYTES
_NOTHING_KNOWN: Final = struct.pack("<d", math.nan) * (len(VECTOR_FEATURES) - len(FEATURES))


@dataclass(slots=True)
class Served:
    """One message of ``feature_topic``."""

    features_version: str
    vector: bytes


def compare_features(
    findings: Findings,
    served: Mapping[str, Sequence[Served]],
    folded: Mapping[str, Sequence[bytes]],
    judged: Mapping[str, Judged],
    features_version: str,
) -> None:
    """Are the features that were served those of one fold over the whole log, bit for bit?

    What risk views add does not follow from the log: of it is asked that it is unknown wherever
    the verdict names no view.
    """
    wrong: list[str] = []
    for name, verdict in judged.items():
        expected, found = folded.get(name, ()), served.get(name, ())
        findings.features_compared += len(found)
        reason = _mismatch(expected, found, features_version)
        if reason is None and verdict.risk_views == {NO_VIEW} and not _know_nothing(found):
            reason = "with a risk view that its verdict does not name"
        if reason:
            wrong.append(f"{reason}: {name}")
    findings.mismatched_features = findings.show("mismatched_features", wrong)


def _mismatch(
    expected: Sequence[bytes], found: Sequence[Served], features_version: str
) -> str | None:
    if not found:
        return "not served"
    if any(one.features_version != features_version for one in found):
        return "of another version"
    if any(len(one.vector) != len(VECTOR_FEATURES) * _NUMBER_BYTES for one in found):
        return "of another length"
    if {one.vector[:_FOLDED_BYTES] for one in found} != set(expected):
        return "other than folded"
    return None


def _know_nothing(found: Sequence[Served]) -> bool:
    return all(one.vector[_FOLDED_BYTES:] == _NOTHING_KNOWN for one in found)
