"""The one thing the shop remembers: which world it is, so that a restart continues it."""

from __future__ import annotations

import json
import os
from dataclasses import asdict
from pathlib import Path

from shop.plan import Plan

# What a person chose, as opposed to what the first start fixed.
_CHOSEN = (
    "seed",
    "customers",
    "history_days",
    "history_purchases",
    "live_purchases_per_second",
    "chargeback_delay_days",
)


class AnotherWorld(RuntimeError):
    """The settings describe another world than the one that was begun."""


def begun_or_continued(wanted: Plan, folder: Path, *, is_epoch_chosen: bool = False) -> Plan:
    """The world in this folder; the very first call begins the wanted one there.

    Args:
        wanted: The world that the settings describe.
        folder: Where the world is remembered.
        is_epoch_chosen: Whether the epoch was given, not taken from the clock, and so must fit.

    Raises:
        AnotherWorld: when the settings, or this version of the shop, do not fit the world.
    """
    remembered = folder / "world.json"
    if not remembered.exists():
        _write_atomically(remembered, json.dumps(asdict(wanted), indent=2) + "\n")
        return wanted
    plan = _read(remembered)
    chosen = (*_CHOSEN, "epoch") if is_epoch_chosen else _CHOSEN
    _refuse_another_world(plan, wanted, chosen, remembered)
    return plan


def _read(remembered: Path) -> Plan:
    try:
        return Plan(**json.loads(remembered.read_text(encoding="utf-8")))
    except (ValueError, TypeError) as error:
        raise AnotherWorld(
            f"{remembered} is not a world this shop wrote ({error}), so the world cannot go on; "
            "restore the file, or remove it to begin a new world"
        ) from error


def _refuse_another_world(
    plan: Plan, wanted: Plan, chosen: tuple[str, ...], remembered: Path
) -> None:
    if plan.generation != wanted.generation:
        raise AnotherWorld(
            f"{remembered} was begun by generation {plan.generation} of the shop and this one is "
            f"{wanted.generation}: it would tell another past; remove the file to begin a new world"
        )
    changed = [
        f"SHOP_{name.upper()} is {getattr(wanted, name)} but was {getattr(plan, name)}"
        for name in chosen
        if getattr(plan, name) != getattr(wanted, name)
    ]
    if changed:
        raise AnotherWorld(
            f"{', '.join(changed)} when the world of {remembered} began; a changed world would "
            "contradict what was already told, so set it back, or remove the file to begin a new "
            "world (and let the readers of the feed start again without a cursor)"
        )


def _write_atomically(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    draft = path.with_suffix(".draft")
    with draft.open("w", encoding="utf-8") as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())
    draft.replace(path)
