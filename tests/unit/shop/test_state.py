from __future__ import annotations

import dataclasses
import json
from pathlib import Path

import pytest

from shop.plan import InvalidPlan, Plan
from shop.state import WorldMismatch, load_or_create_plan

PLAN = Plan(
    seed=5,
    customers=50,
    history_days=2,
    history_purchases=1_500,
    live_purchases_per_second=0.5,
    chargeback_delay_days=0.5,
    live_from_minute=29_400_000,
)


def test_a_restart_continues_the_stored_world(tmp_path: Path) -> None:
    folder = tmp_path / "not" / "there" / "yet"
    assert load_or_create_plan(PLAN, folder) == PLAN
    later = dataclasses.replace(PLAN, live_from_minute=PLAN.live_from_minute + 500)
    assert load_or_create_plan(later, folder) == PLAN
    assert [file.name for file in folder.iterdir()] == ["world.json"]


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("seed", 6),
        ("customers", 51),
        ("history_days", 3),
        ("history_purchases", 1_501),
        ("live_purchases_per_second", 1.0),
        ("chargeback_delay_days", 4.0),
    ],
)
def test_a_changed_setting_is_refused_and_named(tmp_path: Path, name: str, value: float) -> None:
    load_or_create_plan(PLAN, tmp_path)
    changed = dataclasses.replace(PLAN, **{name: value})  # type: ignore[arg-type]
    with pytest.raises(WorldMismatch, match=f"SHOP_{name.upper()} is {value} but was"):
        load_or_create_plan(changed, tmp_path)
    assert load_or_create_plan(PLAN, tmp_path) == PLAN


def test_a_chosen_epoch_must_match_the_stored_world(tmp_path: Path) -> None:
    load_or_create_plan(PLAN, tmp_path)
    assert load_or_create_plan(PLAN, tmp_path, is_epoch_chosen=True) == PLAN
    other = dataclasses.replace(PLAN, live_from_minute=PLAN.live_from_minute + 1)
    with pytest.raises(WorldMismatch, match=r"SHOP_EPOCH is 20\S+Z but was 20\S+Z"):
        load_or_create_plan(other, tmp_path, is_epoch_chosen=True)


def test_a_world_of_another_generation_of_the_shop_is_refused(tmp_path: Path) -> None:
    load_or_create_plan(dataclasses.replace(PLAN, generation=0), tmp_path)
    with pytest.raises(WorldMismatch, match="generation"):
        load_or_create_plan(PLAN, tmp_path)


@pytest.mark.parametrize("text", ["", "{", "[]", "{}", json.dumps({"seed": 1, "moons": 2})])
def test_a_damaged_world_is_refused_and_left_as_it_is(tmp_path: Path, text: str) -> None:
    file = tmp_path / "world.json"
    file.write_text(text)
    with pytest.raises(WorldMismatch, match=r"world\.json is not a world"):
        load_or_create_plan(PLAN, tmp_path)
    assert file.read_text() == text


@pytest.mark.parametrize(
    "size",
    [
        {"customers": 0},
        {"history_days": 0},
        {"history_purchases": -1},
        {"live_purchases_per_second": -0.1},
        {"chargeback_delay_days": 0},
        {"chargeback_delay_days": float("nan")},
    ],
)
def test_impossible_sizes_are_refused(size: dict[str, float]) -> None:
    with pytest.raises(InvalidPlan, match="SHOP_"):
        dataclasses.replace(PLAN, **size)  # type: ignore[arg-type]
