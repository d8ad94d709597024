"""Lay a dashboard's panels out in one picture, on Grafana's grid."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Final

import matplotlib as mpl
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle

from exporters.render_dashboards.dashboard_files import ROW, DashboardFile, DashboardPanel
from exporters.render_dashboards.panel_drawings import FAINT, TEXT, draw, legend_inches
from exporters.render_dashboards.range_queries import Series

LINES: Final = "timeseries"
_COLUMNS: Final = 24
_COLUMN_INCHES: Final = 0.8
_LINE_INCHES: Final = 0.4
_HEAD_INCHES: Final = 0.75
_GAP_INCHES: Final = 0.06
_TITLE_INCHES: Final = 0.30
_DPI: Final = 100
# Space around the axes inside a panel, by kind: left, right, below.
_MARGINS: Final = {
    LINES: (0.62, 0.15, 0.1),
    "stat": (0.0, 0.0, 0.0),
    "bargauge": (2.1, 0.15, 0.1),
    "state-timeline": (1.5, 0.15, 0.3),
}


def save_picture(
    board: DashboardFile, series: Mapping[int, Sequence[Series]], about: str, path: Path
) -> None:
    """Draw a dashboard and save it as PNG.

    Args:
        board: The dashboard.
        series: Series of each panel, by the panel's place in the dashboard's list.
        about: One line under the title: the time range.
        path: The file.
    """
    lines = max(panel.place.y + panel.place.height for panel in board.panels)
    width, height = _COLUMNS * _COLUMN_INCHES, lines * _LINE_INCHES + _HEAD_INCHES
    with mpl.rc_context({"font.family": "DejaVu Sans"}):
        figure = Figure(figsize=(width, height), dpi=_DPI, facecolor="#f4f5f5")
        FigureCanvasAgg(figure)
        figure.text(0.01, 1 - 0.30 / height, board.title, fontsize=17, color=TEXT, va="center")
        figure.text(0.01, 1 - 0.60 / height, about, fontsize=9, color=FAINT, va="center")
        for number, panel in enumerate(board.panels):
            _Frame(figure, panel, width, height).draw(series.get(number, ()))
        figure.savefig(path)


class _Frame:
    """One panel's place in the picture; inches are counted from the lower left corner."""

    def __init__(self, figure: Figure, panel: DashboardPanel, width: float, height: float) -> None:
        self._figure, self._panel = figure, panel
        self._whole = (width, height)
        place = panel.place
        self._left = place.x * _COLUMN_INCHES + _GAP_INCHES
        self._top = height - _HEAD_INCHES - place.y * _LINE_INCHES - _GAP_INCHES
        self._width = place.width * _COLUMN_INCHES - 2 * _GAP_INCHES
        self._height = place.height * _LINE_INCHES - 2 * _GAP_INCHES

    def draw(self, series: Sequence[Series]) -> None:
        """Draw the heading of a row, or a card with title and chart."""
        title_y = self._top - 0.16
        if self._panel.kind == ROW:
            self._text(self._left, title_y, self._panel.title, fontsize=13, weight="bold")
            return
        self._card()
        self._text(self._left + 0.1, title_y, self._panel.title, fontsize=9, weight="bold")
        left, right, below = _MARGINS[self._panel.kind]
        if self._panel.kind == LINES:
            below += legend_inches(self._width - left - right, len(series))
        bottom = self._top - self._height
        axes = self._figure.add_axes(
            self._share(
                self._left + left,
                bottom + below,
                self._width - left - right,
                self._height - below - _TITLE_INCHES,
            ),
            facecolor="none",
        )
        draw(axes, self._panel, series)

    def _card(self) -> None:
        left, bottom, width, height = self._share(
            self._left, self._top - self._height, self._width, self._height
        )
        self._figure.patches.append(
            Rectangle(
                (left, bottom),
                width,
                height,
                transform=self._figure.transFigure,
                facecolor="white",
                edgecolor="#dfe2e6",
                linewidth=0.8,
                zorder=-1,
            )
        )

    def _text(self, left: float, y: float, text: str, *, fontsize: float, weight: str) -> None:
        x, y, _, _ = self._share(left, y, 0, 0)
        self._figure.text(x, y, text, fontsize=fontsize, fontweight=weight, color=TEXT, va="center")

    def _share(
        self, left: float, bottom: float, width: float, height: float
    ) -> tuple[float, float, float, float]:
        """Return a rectangle in inches as shares of the whole picture."""
        across, up = self._whole
        return left / across, bottom / up, width / across, height / up
