"""Write every data set, chart and dashboard to superset/: ``python -m`` this module."""

from __future__ import annotations

import re
import sys
from pathlib import Path
from typing import Final

from fraudwatch.reporting.asset_yaml import chart_of, dashboard_of, data_set_of, text_of
from fraudwatch.reporting.dashboards import DASHBOARDS
from fraudwatch.reporting.data_sets import DATA_SETS

FOLDER: Final = Path(__file__).parents[3] / "superset"
# Files that are written here; the database and the metadata are written by hand.
WRITTEN: Final = ("datasets/lake", "charts", "dashboards")


def files() -> dict[str, str]:
    """Return the text of every file, by its path in superset/."""
    charts = {chart.uuid: chart for board in DASHBOARDS for chart in board.charts}
    return {
        **{f"datasets/lake/{one.table}.yaml": text_of(data_set_of(one)) for one in DATA_SETS},
        **{f"charts/{_name(one.title)}.yaml": text_of(chart_of(one)) for one in charts.values()},
        **{f"dashboards/{_name(one.slug)}.yaml": text_of(dashboard_of(one)) for one in DASHBOARDS},
    }


def written(folder: Path = FOLDER) -> dict[str, Path]:
    """Return the files that are there, by their path in superset/."""
    paths = [path for below in WRITTEN for path in sorted((folder / below).glob("*.yaml"))]
    return {str(path.relative_to(folder)): path for path in paths}


def main() -> None:
    """Write each file, and remove those of assets that are gone."""
    texts = files()
    for name, path in written().items():
        if name not in texts:
            path.unlink()
    for name, text in texts.items():
        (FOLDER / name).parent.mkdir(parents=True, exist_ok=True)
        (FOLDER / name).write_text(text, encoding="utf-8")
    sys.stdout.write(f"{len(texts)} files in {FOLDER}\n")


def _name(title: str) -> str:
    return re.sub(r"[^a-z0-9]+", "_", title.lower()).strip("_")


if __name__ == "__main__":
    main()
