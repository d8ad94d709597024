"""Progress lines of a start: what is written is read back, and no other line is one."""

from __future__ import annotations

import pytest

from fraudwatch.stack.progress_lines import ReadyLine, parse_ready_line


@pytest.mark.parametrize(
    ("line", "text"),
    [
        (ReadyLine("kafka", 8.1), "kafka ready after 8.1 s"),
        (ReadyLine("lake_setup", 12.0, is_job=True), "lake_setup done after 12.0 s"),
    ],
)
def test_a_ready_line_is_read_back(line: ReadyLine, text: str) -> None:
    assert str(line) == text
    assert parse_ready_line(text) == line


@pytest.mark.parametrize(
    "text",
    [
        "installing the lake environment ...",
        "speed is ready after 58.2 s",
        "kafka ready after 8.1 s too late",
        "kafka is not ready after 120 s (RUNNING)",
        "",
    ],
)
def test_other_lines_are_not_ready_lines(text: str) -> None:
    assert parse_ready_line(text) is None
