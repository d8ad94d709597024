"""Queries of the case page: independent ones run in parallel, each with its own error.

A part that the store does not answer is replaced by its error; the other parts are shown. A
complete case is cached for a few seconds; an incomplete one is queried again at the next run.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Final, TypeVar

import streamlit as st

from fraudwatch.application.console.access import Person, Right
from fraudwatch.application.console.alerts import is_alert
from fraudwatch.application.console.casework import CaseReader, Shared
from fraudwatch.application.ports import StoreUnavailable
from fraudwatch.domain.messages.label import Label, LabelValue
from fraudwatch.domain.messages.refund import Refund
from fraudwatch.domain.messages.transaction import Transaction
from fraudwatch.domain.messages.verdict import Verdict
from streamlit_app.case import open_cases
from streamlit_app.case.links import VerdictsAndLabels
from streamlit_app.console_services import ConsoleServices, ServiceSource
from streamlit_app.metrics import timed_query

DAYS_BACK: Final = 30
# As long as purchases are stored. A replayed case is years old, so are its neighbours.
LINK_DAYS: Final = 90
MAX_OF_CUSTOMER, MAX_SHARED = 100, 50
FRESH_FOR = timedelta(seconds=4)
LABELS_FRESH_FOR = timedelta(seconds=30)
_MAX_PARALLEL: Final = 8

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class CaseFile:
    """Everything stored about one case; each part is its answer or the error in its place."""

    verdict: Verdict
    purchase: Transaction | StoreUnavailable | None
    labels: list[Label] | StoreUnavailable
    refunds: list[Refund] | StoreUnavailable
    recent: list[Transaction] | StoreUnavailable
    shared: Mapping[Shared, list[Transaction] | StoreUnavailable]
    verdicts: dict[str, Verdict] | StoreUnavailable
    known_labels: Mapping[str, LabelValue] | StoreUnavailable

    @property
    def is_open(self) -> bool:
        """Whether it is an alert that no label decides; True if the labels are not known."""
        labels = [] if isinstance(self.labels, StoreUnavailable) else self.labels
        return is_alert(self.verdict) and not any(label.decides for label in labels)

    @property
    def is_complete(self) -> bool:
        """Whether the store answered every part."""
        parts = (self.purchase, self.labels, self.refunds, self.recent, self.verdicts)
        others = (self.known_labels, *self.shared.values())
        return not any(isinstance(part, StoreUnavailable) for part in (*parts, *others))

    @property
    def known(self) -> VerdictsAndLabels:
        """Verdicts and labels of the related purchases; empty where the store did not answer."""
        verdicts = {} if isinstance(self.verdicts, StoreUnavailable) else self.verdicts
        known_labels = {} if isinstance(self.known_labels, StoreUnavailable) else self.known_labels
        return VerdictsAndLabels(verdicts, known_labels)


class _Incomplete(Exception):
    """Carries an incomplete case past the cache, which stores return values only."""

    def __init__(self, case: CaseFile) -> None:
        self.case = case


def read(source: ServiceSource, person: Person, transaction_id: str) -> CaseFile | None:
    """Read the case of a transaction; None if no verdict on it is stored.

    Raises:
        Forbidden: the person's role does not see cases.
        StoreUnavailable: the verdict cannot be read.
    """
    person.require(Right.SEE)
    with timed_query("verdict_of"):
        verdict = source.services().alerts.verdict_of(transaction_id)
    if verdict is None:  # past its 90 days it is stored with the open alert alone
        verdict = open_cases.reader(source).open_verdict(transaction_id)
    if verdict is None:
        return None
    try:
        return _complete(source, verdict)
    except _Incomplete as incomplete:
        return incomplete.case


def forget() -> None:
    """Clear the cache after a decision."""
    _complete.clear()


@st.cache_data(ttl=FRESH_FOR, max_entries=200, show_spinner=False)
def _complete(_source: ServiceSource, verdict: Verdict) -> CaseFile:
    case = _query_all(_source, verdict)
    if not case.is_complete:
        raise _Incomplete(case)
    return case


def _query_all(source: ServiceSource, verdict: Verdict) -> CaseFile:
    services, transaction_id = source.services(), verdict.transaction_id
    with ThreadPoolExecutor(_MAX_PARALLEL) as pool:
        submit = partial(_submit, pool)
        purchase = submit("purchase_of", partial(services.cases.purchase_of, verdict))
        recent = submit("purchases_of", partial(_recent, services, verdict, source.clock()))
        labels = submit("labels_of", partial(services.alerts.labels_of, transaction_id))
        refunds = submit("refunds_of", partial(services.cases.refunds_of, transaction_id))
        # On this thread, for the cache; the others run in parallel.
        known_labels = _run_query("labels_known", partial(_known_labels, source))
        sharing = partial(
            purchases_sharing, services.cases, verdict, now=source.clock(), limit=MAX_SHARED
        )
        shared = {
            what: submit("purchases_with", partial(sharing, (what, token)))
            for what, token in _tokens(purchase.result()).items()
        }
        found = {what: answer.result() for what, answer in shared.items()}
        names = _names([recent.result(), *found.values()])
        verdicts = _run_query("verdicts_of", partial(services.cases.verdicts_of, names))
    return CaseFile(
        verdict=verdict,
        purchase=purchase.result(),
        labels=labels.result(),
        refunds=refunds.result(),
        recent=recent.result(),
        shared=found,
        verdicts=verdicts,
        known_labels=known_labels,
    )


@st.cache_data(ttl=LABELS_FRESH_FOR, show_spinner=False)
def _known_labels(_source: ServiceSource) -> Mapping[str, LabelValue]:
    """Read the latest label of each purchase of the last weeks."""
    now = _source.clock()
    labels = _source.services().cases.labels_known(now - timedelta(days=DAYS_BACK), now=now)
    return {label.transaction_id: label.verdict for label in reversed(labels)}


def _recent(services: ConsoleServices, verdict: Verdict, now: datetime) -> list[Transaction]:
    """Read the weeks up to a day after the case, also for an old or replayed case."""
    bought = _bought_at(verdict)
    until = min(now, bought + timedelta(days=1))
    return services.cases.purchases_of(
        verdict.customer_token,
        until=max(until, bought + timedelta(milliseconds=1)),
        days=DAYS_BACK,
        limit=MAX_OF_CUSTOMER,
    )


def purchases_sharing(
    cases: CaseReader, verdict: Verdict, shared: tuple[Shared, str], *, now: datetime, limit: int
) -> list[Transaction]:
    """Read purchases with a card, device or network of a case, before the case and after it.

    Raises:
        StoreUnavailable: not now.
    """
    what, token = shared
    bought, length = _bought_at(verdict), timedelta(days=LINK_DAYS)
    until = max(min(now, bought + length), bought) + timedelta(milliseconds=1)
    days = LINK_DAYS + (until - bought).days + 1
    return cases.purchases_with(what, token, until=until, days=days, limit=limit)


def _bought_at(verdict: Verdict) -> datetime:
    return datetime.fromtimestamp(verdict.event_at_ms / 1_000, UTC)


def _tokens(purchase: Transaction | StoreUnavailable | None) -> dict[Shared, str]:
    if purchase is None or isinstance(purchase, StoreUnavailable):
        return {}
    tokens = {what: getattr(purchase, what) for what in Shared}
    return {what: token for what, token in tokens.items() if token is not None}


def _names(lists: Collection[list[Transaction] | StoreUnavailable]) -> frozenset[str]:
    answered = [found for found in lists if not isinstance(found, StoreUnavailable)]
    return frozenset(one.transaction_id for found in answered for one in found)


def _submit(
    pool: ThreadPoolExecutor, kind: str, query: Callable[[], T]
) -> Future[T | StoreUnavailable]:
    return pool.submit(_run_query, kind, query)


def _run_query(kind: str, query: Callable[[], T]) -> T | StoreUnavailable:
    try:
        with timed_query(kind):
            return query()
    except StoreUnavailable as error:
        return error
