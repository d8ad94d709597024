"""Panels of *Fraud operations*: is it drifting, and is the work getting done."""

from __future__ import annotations

from typing import Final

from fraudwatch.observability.dashboards.panels import Event, Kind, Limits, Panel, Query, Row, Unit
from fraudwatch.observability.dashboards.promql import age, increase, last, quantile, rate

_HOUR_AGO: Final = "1h"


def _alert_share(offset: str = "") -> str:
    """Return the share of verdicts that are alerts, of the hour before the offset."""
    window = f"[1h]{f' offset {offset}' if offset else ''}"
    alerts = f"sum(increase(fraudwatch_detector_alerts_total{window}))"
    return f"{alerts} / sum(increase(fraudwatch_detector_verdicts_total{window}))"


DRIFTING: Final = Row(
    "Is it drifting",
    (
        Panel(
            title="Share of alerts against the same hour before",
            normal="Near the same hour of yesterday and of a week ago.",
            queries=(
                Query("now", _alert_share()),
                Query("a day ago", _alert_share("1d")),
                Query("a week ago", _alert_share("7d")),
            ),
            unit=Unit.RATIO,
            alerts=("AlertVolumeHigh", "AlertVolumeLow"),
        ),
        Panel(
            title="Score",
            normal="Steady quantiles. A shift without a new model means other purchases.",
            queries=tuple(
                Query(f"p{share * 100:g}", quantile(share, "fraudwatch_detector_score"))
                for share in (0.5, 0.95, 0.99)
            ),
        ),
        Panel(
            title="Drift against the reference days (PSI)",
            normal="Below 0.1; above 0.25 the distribution is another one.",
            queries=(Query("{{subject}}", last("fraudwatch_drift_psi", "subject")),),
            limits=Limits(0.1, 0.25),
            appears_after=Event.DRIFT,
        ),
        Panel(
            title="Features that moved",
            normal="0 or a few. Many at once: the source has changed, or its parsing.",
            queries=(Query("features", last("fraudwatch_drift_features_moved")),),
            appears_after=Event.DRIFT,
        ),
        Panel(
            title="Share of late transactions",
            normal="Close to 0. Offline terminals upload late; a wrong clock as well.",
            queries=(
                Query(
                    "late",
                    f"{rate('fraudwatch_detector_late_total')}"
                    f" / {rate('fraudwatch_detector_verdicts_total')}",
                ),
            ),
            unit=Unit.RATIO,
        ),
        Panel(
            title="Age of what the detector uses",
            normal="Views: an hour or two. Model, forest, calibration: days. No bar: none in use.",
            queries=(
                Query(
                    "{{artefact}}", age("fraudwatch_detector_artefact_made_at_seconds", "artefact")
                ),
            ),
            unit=Unit.SECONDS,
            kind=Kind.BARS,
            alerts=("ModelStale", "CurvesStale", "ViewsStale"),
        ),
    ),
)
WORK: Final = Row(
    "Is the work getting done",
    (
        Panel(
            title="Alerts in the console's list",
            normal="Falls over a working day.",
            queries=(Query("alerts", "max(fraudwatch_console_alerts_shown)"),),
            appears_after=Event.CONSOLE_PAGE,
        ),
        Panel(
            title="Labels in the last hour",
            normal="Decisions of analysts and chargebacks. 0 for days: no decisions, no reports.",
            queries=(Query("labels", increase("fraudwatch_ingest_labels_total", "1h")),),
            alerts=("LabelFlowStopped",),
        ),
        Panel(
            title="Alerts raised in the last hour",
            normal="What comes in for the analysts, to compare with the labels beside it.",
            queries=(Query("alerts", increase("fraudwatch_detector_alerts_total", "1h")),),
        ),
        Panel(
            title="Loading time of the console's pages, p95",
            normal="Below a second.",
            queries=(Query("{{page}}", quantile(0.95, "fraudwatch_console_page_seconds", "page")),),
            unit=Unit.SECONDS,
            limits=Limits(1, 5),
            appears_after=Event.CONSOLE_PAGE,
        ),
        Panel(
            title="Reveals of sealed fields",
            normal="Few, and all `shown`. Others: a lead asks for more than work needs.",
            queries=(
                Query("{{outcome}}", increase("fraudwatch_ingest_reveals_total", "1h", "outcome")),
            ),
        ),
        Panel(
            title="Refused logins in the last hour",
            normal="An occasional typing error. Many: passwords are being guessed.",
            queries=(
                Query(
                    "{{reason}}",
                    increase("fraudwatch_console_sign_ins_refused_total", "1h", "reason"),
                ),
            ),
            appears_after=Event.CONSOLE_PAGE,
        ),
    ),
)
