"""Write a backtest as files: an HTML page that needs no network, and its numbers as JSON."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final, NamedTuple

from fraudwatch.adapters.durable_file import replace_file
from fraudwatch.application.backtest import figures
from fraudwatch.application.backtest.chart import HEIGHT, WIDTH, chart

TEMPLATE: Final = Path(__file__).with_name("page.html.j2")
_NAMED_DIGITS: Final = 8
_PLAIN: Final = re.compile(r"[^a-z0-9]+")


class BacktestFiles(NamedTuple):
    """Paths of a written backtest."""

    page: Path
    numbers: Path


def write_backtest(folder: Path, document: Mapping[str, Any]) -> BacktestFiles:
    """Write both files; the same policy over the same days on the same day replaces them."""
    policy = document["policy"]
    key = (policy["version"], document["from"], document["until"])
    digest = hashlib.sha256("\n".join(key).encode()).hexdigest()[:_NAMED_DIGITS]
    plain = _PLAIN.sub("-", policy["name"].lower()).strip("-") or "policy"
    stem = f"{document['made_at'][:10]}_{plain}_{digest}"
    written = BacktestFiles(folder / f"{stem}.html", folder / f"{stem}.json")
    replace_file(written.numbers, json.dumps(document, indent=2).encode())
    replace_file(written.page, page(document).encode())
    return written


def page(document: Mapping[str, Any]) -> str:
    """Render the page; every value of the document is escaped."""
    from jinja2 import Environment, StrictUndefined

    environment = Environment(
        autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True
    )
    for written in (figures.count, figures.share, figures.euro, figures.instant, figures.bound):
        environment.filters[written.__name__] = written
    days = document["by_day"]
    return environment.from_string(TEMPLATE.read_text(encoding="utf-8")).render(
        document=document,
        comparison=list(figures.compare_policies(document)),
        charts=[
            chart(
                "Alerts a day",
                days,
                {"live_alerts": "live", "candidate_alerts": "candidate"},
            ),
            chart(
                "Known frauds a day, and those among the alerts",
                days,
                {
                    "known_frauds": "all known frauds",
                    "live_alerted_frauds": "live",
                    "candidate_alerted_frauds": "candidate",
                },
            ),
        ],
        width=WIDTH,
        height=HEIGHT,
    )
