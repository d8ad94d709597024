from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from fraudwatch.settings import ShopSettings
from shop.api import plan_of_settings
from shop.epoch import live_from_minute
from shop.minute_cache import canonical
from shop.plan import InvalidPlan, Plan
from shop.world import World

NOW_MS = 1_795_300_000_000  # 2026-11-22
SETTINGS = {"seed": "3", "customers": "40", "history_days": "2", "history_purchases": "900"}


def plan_of(epoch: str, now_ms: int = NOW_MS) -> Plan:
    settings = ShopSettings(api_key="k3y-of-an-integrator-42", state_folder=Path(), **SETTINGS)  # type: ignore[arg-type]
    return plan_of_settings(settings, epoch, now_ms=now_ms)


def test_an_epoch_is_the_start_of_history_whatever_the_clock_and_its_zone() -> None:
    plan = plan_of("2026-11-14T00:00Z")
    assert plan.epoch == "2026-11-14T00:00Z"
    assert plan.live_from_minute - plan.epoch_minute == 2 * 1_440
    assert plan == plan_of("2026-11-14T01:00+01:00", NOW_MS + 9_999_999)


def test_without_an_epoch_history_ends_now() -> None:
    assert live_from_minute("auto", history_days=2, now_ms=NOW_MS) == NOW_MS // 60_000


@pytest.mark.parametrize(
    "epoch",
    [
        "",
        "yesterday",
        "2026-11-14T00:00",
        "2026-11-14T00:00:30Z",
        "2030-01-01T00:00Z",
        "1999-01-01T00:00Z",
    ],
)
def test_an_invalid_epoch_is_refused(epoch: str) -> None:
    with pytest.raises(InvalidPlan, match="SHOP_EPOCH"):
        plan_of(epoch)


def test_the_same_seed_and_epoch_make_the_same_bytes_in_another_process() -> None:
    script = (
        "import json,sys\nfrom shop.plan import Plan\nfrom shop.minute_cache import canonical\n"
        "from shop.world import World\nplan=Plan(**json.loads(sys.argv[1]))\n"
        "w=World(plan)\n"
        "for m in range(plan.epoch_minute,plan.live_from_minute,37):\n"
        "  print(*map(canonical,w.purchases_of_minute(m)),sep='\\n')\n"
    )
    plan = plan_of("2026-11-14T00:00Z")
    fields = {name: getattr(plan, name) for name in plan.__slots__}
    output = subprocess.run(
        [sys.executable, "-c", script, json.dumps(fields)],
        capture_output=True,
        check=True,
        text=True,
        env=os.environ | {"PYTHONHASHSEED": "77", "TZ": "Asia/Tokyo"},
    ).stdout
    world = World(plan_of("2026-11-14T00:00Z"))
    minutes = range(plan.epoch_minute, plan.live_from_minute, 37)
    mine = [canonical(p) for minute in minutes for p in world.purchases_of_minute(minute)]
    assert [line for line in output.splitlines() if line] == mine
    assert len(mine) > 10
