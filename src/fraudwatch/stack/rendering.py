"""Render an engine's settings from its template in docker/ into a private file."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from string import Template
from xml.sax.saxutils import escape

from fraudwatch.stack.home import write_private


def render(template: Path, target: Path, values: Mapping[str, str]) -> None:
    """Fill ${name} in a template; values are escaped in XML files."""
    if template.suffix == ".xml":
        values = {name: escape(value) for name, value in values.items()}
    write_private(target, Template(template.read_text(encoding="utf-8")).substitute(values))
