"""Settings that several processes share: the label delay and the listen address."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from pydantic import ValidationError

from fraudwatch.domain.time_units import DAY_MS
from fraudwatch.settings import LabelSettings, ListenSettings

ROOT = Path(__file__).parents[2]
SERVING = re.compile(r"(?:uvicorn\.run|start_http_server)\((?:[^()]|\([^()]*\))*\)")


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


def test_processes_listen_on_this_machine_alone_unless_set(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("LISTEN_ADDRESS", raising=False)
    assert ListenSettings().address == "127.0.0.1"
    monkeypatch.setenv("LISTEN_ADDRESS", "10.0.0.5")
    assert ListenSettings().address == "10.0.0.5"


def test_every_server_of_ours_uses_the_listen_address() -> None:
    leaves = ("streaming", "shop", "streamlit_app", "exporters", "batch", "spark_jobs")
    files = [path for leaf in leaves for path in (ROOT / leaf).rglob("*.py")]
    calls = [(p, call) for p in files for call in SERVING.findall(p.read_text(encoding="utf-8"))]
    assert len(calls) >= 6
    assert [(path, call) for path, call in calls if "ListenSettings().address" not in call] == []
