"""``fraudwatch dead-letters paused`` and ``resume``: sources over the dead-letter quota."""

from __future__ import annotations

import sys
import time
from typing import TYPE_CHECKING, Annotated

import typer

from fraudwatch.application.dead_letters.quota import DETECTOR, QuotaState, paused_of, resume
from fraudwatch.cli import output
from fraudwatch.domain.instants import clock_of, day_of
from fraudwatch.stack.home import Home, StackError

if TYPE_CHECKING:
    from fraudwatch.adapters.quota_folder import QuotaFolder

RESUMED_MINUTES = 60
# Folders of the home whose service keeps a quota.
_SERVICES = ("ingest", "detector")
Json = Annotated[bool, typer.Option("--json", help="Print exactly one JSON object.")]


def list_paused(
    as_json: Json = False,  # noqa: FBT002  an option
) -> None:
    """List the sources that are paused: feeds, API keys, and a detector that stopped."""
    found = [state for folder in _folders() for state in _paused(folder)]
    if as_json:
        output.print_json({"paused": [_as_row(state) for state in found]})
        return
    if not found:
        output.notify("no source is paused")
    for state in found:
        sys.stdout.write(f"{state.source} since {_time(state.paused_at_ms)}: {state.reason}\n")


def resume_source(
    source: Annotated[str, typer.Argument(metavar="SOURCE", help="Source as shown by paused.")],
    minutes: Annotated[
        int,
        typer.Option(
            min=0, max=24 * 60, help="Minutes without a quota, for what has waited meanwhile."
        ),
    ] = RESUMED_MINUTES,
    as_json: Json = False,  # noqa: FBT002  an option
) -> None:
    """Let a paused source go on; its next dead letters do not pause it again for some minutes."""
    for folder in _folders():
        if source in {state.source for state in _paused(folder)}:
            now_ms = time.time_ns() // 1_000_000
            resumed = resume(folder, source, now_ms=now_ms, minutes=minutes)
            break
    else:
        raise StackError(
            f"{source} is not paused, so nothing was changed; "
            "./fraudwatch dead-letters paused lists the sources that are"
        )
    if as_json:
        output.print_json(_as_row(resumed))
        return
    output.notify(
        f"{source} goes on, without a quota until {_time(resumed.resumed_until_ms or now_ms)}"
    )
    if source == DETECTOR:
        output.notify("./fraudwatch up starts it now; else the watchdog does within minutes")


def _folders() -> list[QuotaFolder]:
    from fraudwatch.adapters.quota_folder import FOLDER, QuotaFolder

    home = Home.from_environment()
    return [QuotaFolder(home.folder / service / FOLDER) for service in _SERVICES]


def _paused(folder: QuotaFolder) -> list[QuotaState]:
    from fraudwatch.adapters.quota_folder import BrokenQuotaState

    try:
        return paused_of(folder.listed())
    except BrokenQuotaState as error:
        raise StackError(str(error)) from error


def _as_row(state: QuotaState) -> dict[str, object]:
    return {
        "source": state.source,
        "paused_at_ms": state.paused_at_ms,
        "resumed_until_ms": state.resumed_until_ms,
        "reason": state.reason,
    }


def _time(at_ms: int) -> str:
    return f"{day_of(at_ms)} {clock_of(at_ms)} UTC"
