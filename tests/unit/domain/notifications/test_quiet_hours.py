from __future__ import annotations

from datetime import UTC, datetime

import pytest

from fraudwatch.domain.instants import epoch_ms_of
from fraudwatch.domain.notifications.quiet_hours import quiet_hours_of


def at(text: str) -> int:
    return epoch_ms_of(datetime.fromisoformat(text).replace(tzinfo=UTC))


@pytest.mark.parametrize(
    ("time", "is_quiet"),
    [
        ("2026-01-15T20:59", False),
        ("2026-01-15T21:00", True),  # 22:00 in Berlin, in winter
        ("2026-01-16T05:59", True),
        ("2026-01-16T06:00", False),
        ("2026-07-15T20:00", True),  # 22:00 in Berlin, in summer
        ("2026-07-16T05:00", False),
    ],
)
def test_they_span_midnight_in_their_zone(time: str, *, is_quiet: bool) -> None:
    assert quiet_hours_of("22:00-07:00", "Europe/Berlin").covers(at(time)) is is_quiet


def test_they_may_lie_within_a_day() -> None:
    lunch = quiet_hours_of("12:00-13:00", "UTC")
    assert lunch.covers(at("2026-01-15T12:59"))
    assert not lunch.covers(at("2026-01-15T13:00"))


@pytest.mark.parametrize(
    ("interval", "zone", "hint"),
    [
        ("22-7", "UTC", "22:00-07:00"),
        ("24:00-07:00", "UTC", "22:00-07:00"),
        ("22:00-07:00", "Europe/Atlantis", "Europe/Berlin"),
        ("22:00-07:00", "../etc/passwd", "Europe/Berlin"),
    ],
)
def test_an_invalid_setting_is_refused_with_an_example(interval: str, zone: str, hint: str) -> None:
    with pytest.raises(ValueError, match=hint):
        quiet_hours_of(interval, zone)
