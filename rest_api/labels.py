"""Accept labels: what purchases turned out to be."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Body

from fraudwatch.domain.messages.label import ReportedLabel
from rest_api.examples import LABEL
from rest_api.schemas import LabelReport, LabelResult
from rest_api.services import Labeller, Services

routes = APIRouter(prefix="/v1", tags=["labels"])


@routes.post("/labels", status_code=202)
def report_label(
    services: Services, key: Labeller, report: Annotated[LabelReport, Body(examples=[LABEL])]
) -> LabelResult:
    """Report what one purchase turned out to be; the latest report counts.

    202 means that the broker has acknowledged it. It is admitted as by ingest, so the purchase is
    not looked up, and the same report sent again changes nothing.
    """
    key.require_sources([report.source])
    result = services.labels.submit(
        [
            ReportedLabel(
                source=report.source,
                id=report.id,
                verdict=report.verdict,
                by=report.by,
                known_at_ms=report.known_at_ms,
                kind=report.kind,
                reason_code=report.reason_code,
            )
        ]
    )
    return LabelResult(accepted=result.accepted, repeated=result.repeated)
