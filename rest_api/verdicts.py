"""Serve the verdict of one transaction."""

from __future__ import annotations

from fastapi import APIRouter, HTTPException, Response

from rest_api.access import TransactionId, require_source_of
from rest_api.alerts import json_response
from rest_api.examples import VERDICT, example_of
from rest_api.schemas import VerdictBody
from rest_api.services import Reader, Services

routes = APIRouter(prefix="/v1", tags=["verdicts"])


# A path, because servers decode %2F before they route.
@routes.get(
    "/verdicts/{transaction_id:path}", response_model=VerdictBody, responses=example_of(VERDICT)
)
def show_verdict(services: Services, key: Reader, transaction_id: TransactionId) -> Response:
    """Return the current verdict of a transaction, approved or not, for 90 days.

    404: it has none (yet). A purchase is stored a moment after it is scored; to wait for its
    verdict, submit it to ingest with `wait_seconds`.
    """
    require_source_of(key, transaction_id)
    verdict = services.verdicts.verdict_of(transaction_id)
    if verdict is None:
        raise HTTPException(404, "there is no verdict of this transaction (yet)")
    return json_response(verdict)
