from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from fraudwatch.application.intake.admit import FUTURE_TOLERANCE_MS
from fraudwatch.application.intake.admit_label import admit_label
from fraudwatch.domain.messages.dead_letter import Code, Refused
from fraudwatch.domain.messages.fields import problems
from fraudwatch.domain.messages.label import LabelValue, ReportedLabel, Source
from fraudwatch.samples import NOON_MS

REPORT = ReportedLabel(source="shop", id="29380123-4", verdict=LabelValue.FRAUD, by="issuer")


def test_a_report_without_a_time_is_known_since_now() -> None:
    assert admit_label(REPORT, now_ms=NOON_MS).known_at_ms == NOON_MS
    dated = replace(REPORT, known_at_ms=NOON_MS - 7)
    assert admit_label(dated, now_ms=NOON_MS).known_at_ms == NOON_MS - 7


def test_the_longest_report_makes_a_valid_label() -> None:
    longest = replace(REPORT, source="s" * 16, id="9" * 64, by="b" * 64)
    assert problems(admit_label(longest, now_ms=NOON_MS)) == []


@pytest.mark.parametrize(
    ("changes", "code", "field"),
    [
        ({"known_at_ms": NOON_MS + FUTURE_TOLERANCE_MS + 1}, Code.FUTURE_EVENT, "known_at_ms"),
        ({"known_at_ms": NOON_MS // 1000}, Code.OUT_OF_BOUNDS, "known_at_ms"),
        ({"id": "two words"}, Code.OUT_OF_BOUNDS, "id"),
        ({"source": "Shop"}, Code.OUT_OF_BOUNDS, "source"),
        ({"kind": Source.ANALYST}, Code.OUT_OF_BOUNDS, "kind"),
        ({"verdict": LabelValue.UNSURE}, Code.OUT_OF_BOUNDS, "verdict"),
        ({"by": "erika@example.org"}, Code.OUT_OF_BOUNDS, "by"),
        ({"by": "4111111111111111"}, Code.OUT_OF_BOUNDS, "by"),
    ],
)
def test_a_refusal_names_the_cause_and_never_quotes(
    changes: dict[str, Any], code: Code, field: str
) -> None:
    with pytest.raises(Refused) as refused:
        admit_label(replace(REPORT, **changes), now_ms=NOON_MS)
    assert (refused.value.code, [p.field for p in refused.value.problems]) == (code, [field])
    assert not [v for v in changes.values() if isinstance(v, str) and v in str(refused.value)]


@pytest.mark.parametrize("kind", [Source.WON_DISPUTE, Source.FRIENDLY_FRAUD])
def test_what_the_card_holder_paid_is_never_fraud(kind: Source) -> None:
    genuine = replace(REPORT, kind=kind, verdict=LabelValue.GENUINE)
    label = admit_label(genuine, now_ms=NOON_MS)
    assert (label.source, label.verdict) == (kind, LabelValue.GENUINE)
    with pytest.raises(Refused) as refused:
        admit_label(replace(genuine, verdict=LabelValue.FRAUD), now_ms=NOON_MS)
    assert [p.field for p in refused.value.problems] == ["verdict"]


@pytest.mark.parametrize("code", ["10.4", "4837", "F29", "UA01", "OWN1"])
def test_a_reason_code_of_fraud_or_an_unknown_one_is_on_the_label(code: str) -> None:
    label = admit_label(replace(REPORT, reason_code=code), now_ms=NOON_MS)
    assert (label.reason_code, label.note) == (code, f"Reason code {code}")
    assert problems(label) == []


@pytest.mark.parametrize("code", ["13.1", "12.6.1", "4853", "C08", "RG"])
def test_a_reason_code_of_another_dispute_is_no_label_of_fraud(code: str) -> None:
    report = replace(REPORT, reason_code=code)
    with pytest.raises(Refused, match="is no claim of fraud") as refused:
        admit_label(report, now_ms=NOON_MS)
    assert [p.field for p in refused.value.problems] == ["reason_code"]
    genuine = replace(report, verdict=LabelValue.GENUINE)
    assert admit_label(genuine, now_ms=NOON_MS).reason_code == code
