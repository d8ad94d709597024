"""Hold what the endpoints of the REST API use, and hand it to them."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Annotated, Final, Protocol

from fastapi import Depends, Request

from fraudwatch.adapters.http.key_check import require
from fraudwatch.application.alert_search import AlertScanner
from fraudwatch.application.alert_stream import AlertHistory, AlertHub
from fraudwatch.application.intake.intake import Intake
from fraudwatch.domain.api_keys import ApiKey, Scope
from fraudwatch.domain.messages.label import Label, ReportedLabel
from fraudwatch.domain.messages.refund import Refund
from fraudwatch.domain.messages.transaction import Transaction
from fraudwatch.domain.messages.verdict import Verdict

MAX_STREAMS: Final = 100
MAX_CATCH_UPS: Final = 4


class VerdictReader(Protocol):
    """Reader of one transaction; methods raise ``StoreUnavailable`` without an answer."""

    def verdict_of(self, transaction_id: str) -> Verdict | None:
        """Return the current verdict of a transaction, or None."""

    def labels_of(self, transaction_id: str) -> list[Label]:
        """Return all labels of a transaction, latest first."""


class PurchaseReader(Protocol):
    """Reader of a scored purchase; methods raise ``StoreUnavailable`` without an answer."""

    def purchase_of(self, verdict: Verdict) -> Transaction | None:
        """Return the scored purchase; None when it is not stored (yet, or any more)."""

    def refunds_of(self, transaction_id: str) -> list[Refund]:
        """Return what was refunded of a purchase, latest first."""


class FeatureReader(Protocol):
    """Reader of the feature vector that a verdict was made from."""

    def features_of(self, verdict: Verdict) -> Mapping[str, float | None] | None:
        """Return its features by name; None when the vector is gone or not found in time.

        Raises:
            LogUnavailable: the broker does not answer.
        """


class Tokens(Protocol):
    """Tokeniser of customers' identifiers."""

    def customer_token(self, source: str, customer_id: str) -> str:
        """Return the token of a customer.

        Raises:
            TokensUnavailable: the edge does not answer or refuses.
        """


def _now_ms() -> int:
    return time.time_ns() // 1_000_000


@dataclass(frozen=True, kw_only=True)
class RestApiServices:
    """The services behind the endpoints."""

    verdicts: VerdictReader
    purchases: PurchaseReader
    features: FeatureReader
    scanner: AlertScanner
    tokens: Tokens
    labels: Intake[ReportedLabel]
    hub: AlertHub
    history: AlertHistory
    problems: Callable[[], Mapping[str, str]]
    """List the engines that do not answer, each with the reason; empty when ready."""
    now_ms: Callable[[], int] = _now_ms
    streams: asyncio.Semaphore = field(default_factory=lambda: asyncio.Semaphore(MAX_STREAMS))
    catch_ups: asyncio.Semaphore = field(default_factory=lambda: asyncio.Semaphore(MAX_CATCH_UPS))
    """Of streams that begin far back, each with a consumer of its own."""


def _services(request: Request) -> RestApiServices:
    services: RestApiServices = request.app.state.services
    return services


Services = Annotated[RestApiServices, Depends(_services)]
Reader = Annotated[ApiKey, Depends(require(Scope.READ))]
Labeller = Annotated[ApiKey, Depends(require(Scope.LABEL))]
