"""Carry a home's customers' states over to another features version, while the old code scores."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, date, datetime, timedelta

from fraudwatch.domain.features.version import features_version
from fraudwatch.stack import supervisor
from fraudwatch.stack.catalogue import Catalogue
from fraudwatch.stack.environments import Notify
from fraudwatch.stack.foreground import run_in_foreground
from fraudwatch.stack.home import Home, StackError
from fraudwatch.stack.positions import PositionReader

BUILD_STATES = "build_states"
LAKE = "metastore"


def carry_over(
    home: Home, catalogue: Catalogue, settings: Mapping[str, str], notify: Notify
) -> str:
    """Make sure that the new code can fold a state of its features version; return how.

    Raises:
        StackError: the topic no longer begins at offset 0, and no archive can be folded.
    """
    running = supervisor.processes(home)
    if not running:
        raise StackError(
            f"this code has features version {features_version()} and the home another one, so "
            "its states must be folded anew while the old version scores; start the old version "
            "(./fraudwatch up in its checkout), then run ./fraudwatch upgrade while it runs"
        )
    if _topic_is_complete(home, catalogue, settings):
        notify("the features changed; the new detector folds all of transaction_topic at its start")
        return "the detector folds transaction_topic from offset 0"
    if _is_published(home):
        return "a state of the new features version is published"
    if LAKE not in running or running[LAKE].state not in supervisor.ACTIVE:
        raise StackError(
            "the features changed, transaction_topic no longer begins at offset 0, and the lake "
            "does not run, so every customer's history would be lost; run ./fraudwatch up "
            "--profile lake with the old version, then ./fraudwatch upgrade"
        )
    day = _yesterday().isoformat()
    notify(f"the features changed; folding the archive up to {day} while the old version scores")
    run_in_foreground(home, catalogue, BUILD_STATES, ["--date", day, "--json"], notify)
    return f"the archive was folded up to {day}, while the old version scored"


def _topic_is_complete(home: Home, catalogue: Catalogue, settings: Mapping[str, str]) -> bool:
    return PositionReader.of(home, catalogue, settings, ()).begins_at_zero()


def _is_published(home: Home) -> bool:
    return any((home.folder / "states").glob(f"*-{features_version()}.manifest"))


def _yesterday() -> date:
    return datetime.now(UTC).date() - timedelta(days=1)
