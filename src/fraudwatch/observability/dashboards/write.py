"""Write all dashboards to monitoring/grafana/dashboards: ``python -m`` this module.

It needs the development environment.
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Final

from fraudwatch.observability.dashboards.catalogue import DASHBOARDS
from fraudwatch.observability.dashboards.grafana_json import to_json

FOLDER: Final = Path(__file__).parents[4] / "monitoring/grafana/dashboards"
_PREFIX: Final = "fraudwatch-"


def files() -> dict[str, str]:
    """Return the text of every dashboard's file, by the file's name."""
    return {f"{board.uid.removeprefix(_PREFIX)}.json": to_json(board) for board in DASHBOARDS}


def main() -> None:
    """Write each dashboard to its file, and remove files of dashboards that are gone."""
    FOLDER.mkdir(parents=True, exist_ok=True)
    texts = files()
    for old in FOLDER.glob("*.json"):
        if old.name not in texts:
            old.unlink()
    for name, text in texts.items():
        (FOLDER / name).write_text(text, encoding="utf-8")
        sys.stdout.write(f"{FOLDER / name}\n")


if __name__ == "__main__":
    main()
