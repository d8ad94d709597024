"""Report of the watchdog's last check, as a file: ``watch`` reads it, and so does a restart."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, Final

from fraudwatch.stack.home import Home, write_private
from fraudwatch.stack.incidents import Incident

# A check takes at most the slowest probe, the slowest stop and a mail server's timeout.
STALE_SECONDS: Final = 180.0


@dataclass(frozen=True, slots=True, kw_only=True)
class WatchdogReport:
    """Time of the check (epoch seconds), seconds without readiness by service, open incidents."""

    checked_at: float
    unready_seconds: Mapping[str, float] = field(default_factory=dict)
    incidents: tuple[Incident, ...] = ()

    def is_stale(self, now: float) -> bool:
        """Whether the watchdog has not checked for so long that it must have stopped."""
        return now - self.checked_at > STALE_SECONDS


def report_path(home: Home) -> Path:
    """Return the path of the report."""
    return home.run_folder / "watchdog.json"


def write_report(home: Home, report: WatchdogReport) -> None:
    """Replace the report."""
    write_private(report_path(home), json.dumps(asdict(report)))


def read_report(home: Home) -> WatchdogReport | None:
    """Read the report; None if there is none yet, or only one of another version."""
    path = report_path(home)
    try:
        found: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
        incidents = tuple(Incident(**one) for one in found.pop("incidents"))
        return WatchdogReport(**found, incidents=incidents)
    except (FileNotFoundError, ValueError, KeyError, TypeError):
        return None
