"""Render the dashboards' charts as pictures from a Prometheus, one PNG for each dashboard.

The panels, queries and places are those of the files that Grafana shows. A table, or one JSON
object, lists how many series each panel has.
"""

from __future__ import annotations

import argparse
import json
import sys
import time
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

from exporters.render_dashboards.dashboard_files import ROW, DashboardFile, read_dashboards
from exporters.render_dashboards.pictures import save_picture
from exporters.render_dashboards.range_queries import (
    Prometheus,
    PrometheusError,
    TimeRange,
    client_of,
)
from fraudwatch.stack import catalogue, env_file
from fraudwatch.stack.catalogue import CatalogueError
from fraudwatch.stack.home import ROOT, Home, StackError

FOLDER: Final = ROOT / "monitoring/grafana/dashboards"
SCRAPE_SECONDS: Final = 10
"""As scrape_interval in monitoring/prometheus/prometheus.yml."""
FAILED: Final = 1


def main() -> int:
    """Draw, print what was drawn, and return the exit code."""
    arguments = _parser().parse_args()
    boards = [board for board in read_dashboards(FOLDER) if board.name in arguments.dashboards]
    now = time.time()
    within = TimeRange(now - arguments.minutes * 60, now, SCRAPE_SECONDS)
    try:
        home = Home.from_environment()
        address = arguments.prometheus or address_of(home)
        folder = arguments.folder or home.folder / "dashboards"
        folder.mkdir(parents=True, exist_ok=True)
        with client_of(address) as client:
            prometheus = Prometheus(client, within)
            rendered = [render(board, prometheus, within, folder) for board in boards]
    except (PrometheusError, CatalogueError, StackError) as error:
        sys.stderr.write(f"fraudwatch: {error}\n")
        return FAILED
    if arguments.json:
        sys.stdout.write(json.dumps({"dashboards": rendered}, indent=2) + "\n")
    else:
        print_table(rendered)
    return 0


def address_of(home: Home) -> str:
    """Return the address of a home's Prometheus."""
    offset = env_file.port_offset(env_file.read(home) or {})
    return f"http://127.0.0.1:{catalogue.load().port('prometheus', 'http', offset)}"


def render(
    board: DashboardFile, prometheus: Prometheus, within: TimeRange, folder: Path
) -> dict[str, Any]:
    """Query and draw one dashboard; return its title, picture, and the series of each panel."""
    series = {
        number: prometheus.series_of(panel)
        for number, panel in enumerate(board.panels)
        if panel.kind != ROW
    }
    picture = folder / f"{board.name}.png"
    save_picture(board, series, _about(within), picture)
    return {
        "title": board.title,
        "picture": str(picture),
        "panels": [
            {"title": board.panels[number].title, "series": len(found)}
            for number, found in series.items()
        ],
    }


def print_table(rendered: list[dict[str, Any]]) -> None:
    """Print the panels of each dashboard with their number of series."""
    for board in rendered:
        empty = sum(not panel["series"] for panel in board["panels"])
        sys.stdout.write(
            f"\n{board['title']}: {len(board['panels'])} panels, {empty} without data; "
            f"{board['picture']}\n"
        )
        for panel in board["panels"]:
            sys.stdout.write(f"{panel['series'] or 'no data':>9}  {panel['title']}\n")


def _about(within: TimeRange) -> str:
    start, end = (datetime.fromtimestamp(at, UTC) for at in (within.start, within.end))
    return f"{start:%Y-%m-%d %H:%M} to {end:%H:%M} UTC, a point every {within.step} s"


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="fraudwatch dashboards",
        description=__doc__,
        epilog="Example: ./fraudwatch dashboards operations kafka --minutes 15 --folder charts",
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    names = [path.stem for path in sorted(FOLDER.glob("*.json"))]

    def known(name: str) -> str:
        if name not in names:
            raise argparse.ArgumentTypeError(f"no dashboard {name}; there are {', '.join(names)}")
        return name

    parser.add_argument(
        "dashboards",
        nargs="*",
        type=known,
        default=names,
        metavar="dashboard",
        help=f"{', '.join(names)}; default: all",
    )
    parser.add_argument("--minutes", type=_minutes, default=30, help="how long back; default: 30")
    parser.add_argument(
        "--folder", type=Path, help="for the pictures; default: dashboards in this home's folder"
    )
    parser.add_argument("--prometheus", help="its address; default: that of this home's stack")
    parser.add_argument("--json", action="store_true", help="print exactly one JSON object")
    return parser


def _minutes(text: str) -> float:
    minutes = float(text)
    if not 1 <= minutes <= 60 * 24 * 30:
        raise argparse.ArgumentTypeError("from 1 minute to 30 days")
    return minutes


if __name__ == "__main__":
    sys.exit(main())
