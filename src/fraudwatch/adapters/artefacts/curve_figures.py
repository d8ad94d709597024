"""Plot the curves of a training run, as pictures for the model registry."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from matplotlib.axes import Axes
from matplotlib.figure import Figure

_INCHES = (7.0, 5.0)
_SMALLEST = 0.001
Points = Sequence[Mapping[str, float]]


def figures_of(curves: Mapping[str, Any]) -> dict[str, Figure]:
    """Plot ``curves.json`` as a picture by file name; see fraudwatch.domain.training.curves.

    Uses Figure directly: pyplot keeps every figure in memory and may need a display.
    """
    return {
        "precision_recall.png": _precision_recall(curves["precision_recall"]),
        "reliability.png": _reliability(curves["reliability"]),
    }


def _precision_recall(by_model: Mapping[str, Points]) -> Figure:
    figure, axes = _axes("Recall: share of the frauds found", "Precision: share of frauds in those")
    for name, points in by_model.items():
        if points:
            recall, precision = ([point[of] for point in points] for of in ("recall", "precision"))
            axes.step(recall, precision, where="pre", label=name)
    if axes.lines:
        axes.legend()
    return figure


def _reliability(points: Points) -> Figure:
    figure, axes = _axes("Probability the model gave, mean of a bin", "Share that was fraud")
    # Frauds are rare: nearly all bins are close to zero.
    axes.set_xscale("symlog", linthresh=_SMALLEST)
    axes.set_yscale("symlog", linthresh=_SMALLEST)
    axes.plot([0, 1], [0, 1], color="0.7", linestyle="--", label="perfect calibration")
    axes.plot(
        [point["probability"] for point in points],
        [point["fraud_ratio"] for point in points],
        marker="o",
        label="the model",
    )
    for point in points:
        place = (point["probability"], point["fraud_ratio"])
        axes.annotate(f"{point['purchases']:,.0f}", place, (4, 4), textcoords="offset points")
    axes.legend()
    return figure


def _axes(across: str, up: str) -> tuple[Figure, Axes]:
    figure = Figure(figsize=_INCHES, layout="constrained")
    axes = figure.subplots()
    axes.set(xlabel=across, ylabel=up, xlim=(0, 1), ylim=(0, 1.02))
    axes.grid(alpha=0.3)
    return figure, axes
