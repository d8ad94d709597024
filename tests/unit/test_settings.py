"""The label delay: one setting for views, training, drift and detector."""

from __future__ import annotations

import pytest
from pydantic import ValidationError

from fraudwatch.domain.time_units import DAY_MS
from fraudwatch.settings import LabelSettings


def test_the_label_delay_is_three_days_unless_set(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("LABEL_DELAY_DAYS", raising=False)
    assert LabelSettings().delay_days == 3
    monkeypatch.setenv("LABEL_DELAY_DAYS", "120")
    assert LabelSettings().delay_ms == 120 * DAY_MS


@pytest.mark.parametrize("days", ["0", "-1", "181"])
def test_a_label_delay_that_makes_no_sense_is_refused_with_a_fix(
    days: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LABEL_DELAY_DAYS", days)
    with pytest.raises(ValidationError, match=r"must be from 1 to 180 days.*correct it in \.env"):
        LabelSettings()
