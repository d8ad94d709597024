from __future__ import annotations

import json
import re
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

from fraudwatch.application.backtest.chart import HEIGHT, WIDTH, chart
from fraudwatch.application.backtest.figures import compare_policies
from spark_jobs.backtest.page import page, write_backtest


class Tags(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []
        self.tags: list[tuple[str, dict[str, str | None]]] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))
        if tag not in {"meta", "line", "circle", "polyline"}:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag


def test_the_page_is_well_formed_and_needs_no_network(document: dict[str, Any]) -> None:
    text, tags = page(document), Tags()
    tags.feed(text)
    assert tags.open == []
    assert not re.search(r"https?://|url\(|@import", text)
    assert {tag for tag, _ in tags.tags}.isdisjoint({"script", "link", "img", "iframe"})
    assert not any({"src", "href"} & attributes.keys() for _, attributes in tags.tags)


def test_the_page_shows_the_numbers_and_a_dash_for_unknown(
    document: dict[str, Any],
) -> None:
    text = page(document)
    assert "stricter" in text
    assert "10.00 €" in text, "the fraud that the candidate alone catches"
    assert "2026-11-02" in text
    assert "<td>0.0800</td><td>-</td><td>0.9700</td>" in text, "the bounds of the candidate"
    assert ">-<" in text
    for note in document["notes"]:
        assert note.split(":")[0] in text


def test_text_of_a_policy_is_escaped(document: dict[str, Any]) -> None:
    policy = {"name": "<b>x</b>", "version": '"><script>alert(1)</script>+0'}
    text = page(document | {"policy": policy})
    assert "<script>" not in text
    assert "<b>x</b>" not in text


def test_both_files_are_named_by_day_policy_and_interval(
    tmp_path: Path, document: dict[str, Any]
) -> None:
    written = write_backtest(tmp_path / "backtests", document)
    assert re.fullmatch(r"2026-11-21_stricter_[0-9a-f]{8}\.html", written.page.name)
    assert json.loads(written.numbers.read_text(encoding="utf-8")) == document
    repeated = write_backtest(tmp_path / "backtests", document)
    other = write_backtest(tmp_path / "backtests", document | {"until": "2026-11-04"})
    assert (repeated == written, other == written) == (True, False)
    odd = write_backtest(tmp_path, document | {"policy": {"name": "../Ä b", "version": "1"}})
    assert odd.page.parent == tmp_path


def test_a_difference_is_shown_only_where_both_are_known(document: dict[str, Any]) -> None:
    lines = {line.label: line for line in compare_policies(document)}
    assert lines["Alerts"][1:4] == ("3", "3", "=")
    assert lines["Fraud money caught"][1:4] == ("80.00 €", "90.00 €", "+10.00 €")
    assert lines["Recall, of known frauds"].difference == "+50.0 points"
    document = document | {"live": document["live"] | {"recall": None}}
    [recall] = [line for line in compare_policies(document) if line.label.startswith("Recall")]
    assert (recall.live, recall.difference) == ("-", "-")


def test_a_chart_begins_at_zero_and_ends_at_a_round_number() -> None:
    days = [{"day": f"2026-11-0{n + 1}", "alerts": n * 7} for n in range(3)]
    drawn = chart("Alerts", days, {"alerts": "live"})
    assert drawn.top == 20
    assert drawn.lines[0].points == ((0.0, HEIGHT), (WIDTH / 2, 104.0), (WIDTH, 48.0))
    alone = chart("Alerts", days[:1], {"alerts": "live"})
    assert (alone.top, alone.lines[0].points) == (1, ((WIDTH / 2, HEIGHT),))
