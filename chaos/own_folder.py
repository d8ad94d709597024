"""Run in a temporary folder, which is kept for inspection unless the run passes."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

from fraudwatch.cli import output


def in_own_folder(name: str, run: Callable[[Path], dict[str, Any]]) -> dict[str, Any]:
    """Run on a private stack in a new folder; returns the report, whose ``ok`` decides."""
    folder = Path(tempfile.mkdtemp(prefix=f"fraudwatch-{name}-"))
    output.notify(f"starting a private stack in {folder} ...")
    is_kept = True
    try:
        report = run(folder)
        is_kept = not report["ok"]
    finally:
        if is_kept:
            output.notify(f"logs, ledger and data are kept in {folder}; remove it after inspection")
        else:
            shutil.rmtree(folder)
    return report
