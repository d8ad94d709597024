"""Persist the plan of the shop's world, so that a restart continues it."""

from __future__ import annotations

import json
import os
from dataclasses import asdict
from pathlib import Path

from shop.plan import Plan

# Fields set by the operator, not by the first start.
_USER_SETTINGS = (
    "seed",
    "customers",
    "history_days",
    "history_purchases",
    "live_purchases_per_second",
    "chargeback_delay_days",
)


class WorldMismatch(RuntimeError):
    """The settings do not match the stored world."""


def load_or_create_plan(requested: Plan, folder: Path, *, is_epoch_chosen: bool = False) -> Plan:
    """Load the plan stored in this folder; the first call stores the requested one.

    Args:
        requested: The world that the settings describe.
        folder: The shop's state folder.
        is_epoch_chosen: Whether the epoch was set, not taken from the clock, and so must match.

    Raises:
        WorldMismatch: the settings, or this version of the shop, do not match the stored world.
    """
    file = folder / "world.json"
    if not file.exists():
        _write_atomically(file, json.dumps(asdict(requested), indent=2) + "\n")
        return requested
    plan = _read(file)
    chosen = (*_USER_SETTINGS, "epoch") if is_epoch_chosen else _USER_SETTINGS
    _check_same_world(plan, requested, chosen, file)
    return plan


def _read(file: Path) -> Plan:
    try:
        return Plan(**json.loads(file.read_text(encoding="utf-8")))
    except (ValueError, TypeError) as error:
        raise WorldMismatch(
            f"{file} is not a world of this shop ({error}), so the world cannot be continued; "
            "restore the file, or remove it to create a new world"
        ) from error


def _check_same_world(plan: Plan, requested: Plan, chosen: tuple[str, ...], file: Path) -> None:
    if plan.generation != requested.generation:
        raise WorldMismatch(
            f"{file} was created by generation {plan.generation} of the shop and this is "
            f"generation {requested.generation}, whose purchases would differ; remove the file to "
            "create a new world"
        )
    changed = [
        f"SHOP_{name.upper()} is {getattr(requested, name)} but was {getattr(plan, name)}"
        for name in chosen
        if getattr(plan, name) != getattr(requested, name)
    ]
    if changed:
        raise WorldMismatch(
            f"{', '.join(changed)} when the world of {file} was created; a changed world would "
            "contradict the purchases already published, so set it back, or remove the file to "
            "create a new world (readers of the feed then start again without a cursor)"
        )


def _write_atomically(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    draft = path.with_suffix(".draft")
    with draft.open("w", encoding="utf-8") as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())
    draft.replace(path)
