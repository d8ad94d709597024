"""What the case screen asks the store: independent questions at once, each answer for itself.

A part that the store does not answer is its own error, and the other parts stand. A case that was
answered in full is kept for a few seconds; an incomplete one is asked for again at once.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Final, TypeVar

import streamlit as st

from fraudwatch.application.access import Person, Right
from fraudwatch.application.casework import Shared
from fraudwatch.application.ports import StoreUnavailable
from fraudwatch.domain.label import Label, Truth
from fraudwatch.domain.transaction import Transaction
from fraudwatch.domain.verdict import Verdict
from streamlit_app.case.shared import Known
from streamlit_app.desk import Desk, Source
from streamlit_app.metrics import asked

DAYS_BACK: Final = 30
MOST_OF_CUSTOMER, MOST_SHARED = 100, 50
FRESH_FOR = timedelta(seconds=4)
TRUTHS_FRESH_FOR = timedelta(seconds=30)
_AT_ONCE: Final = 8

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class CaseFile:
    """All that the store said of one case; a part is its answer or the error in its place."""

    verdict: Verdict
    purchase: Transaction | StoreUnavailable | None
    labels: list[Label] | StoreUnavailable
    recent: list[Transaction] | StoreUnavailable
    shared: Mapping[Shared, list[Transaction] | StoreUnavailable]
    verdicts: dict[str, Verdict] | StoreUnavailable
    truths: Mapping[str, Truth] | StoreUnavailable

    @property
    def is_complete(self) -> bool:
        """Whether everything was answered."""
        parts = (self.purchase, self.labels, self.recent, self.verdicts, self.truths)
        return not any(
            isinstance(part, StoreUnavailable) for part in (*parts, *self.shared.values())
        )

    @property
    def known(self) -> Known:
        """What is known of the purchases beside this one; empty where the store was silent."""
        verdicts = {} if isinstance(self.verdicts, StoreUnavailable) else self.verdicts
        truths = {} if isinstance(self.truths, StoreUnavailable) else self.truths
        return Known(verdicts, truths)


class _Incomplete(Exception):
    """Carries a case past the cache, which keeps what is returned and nothing that is raised."""

    def __init__(self, case: CaseFile) -> None:
        self.case = case


def read(source: Source, person: Person, transaction_id: str) -> CaseFile | None:
    """The case of a transaction; None while no verdict on it is stored.

    Raises:
        Forbidden: the person's role does not see cases.
        StoreUnavailable: not even the verdict was answered.
    """
    person.require(Right.SEE)
    with asked("verdict_of"):
        verdict = source.desk().alerts.verdict_of(transaction_id)
    if verdict is None:
        return None
    try:
        return _complete(source, verdict)
    except _Incomplete as incomplete:
        return incomplete.case


def forget() -> None:
    """Ask anew at the next look: something was just decided."""
    _complete.clear()


@st.cache_data(ttl=FRESH_FOR, max_entries=200, show_spinner=False)
def _complete(_source: Source, verdict: Verdict) -> CaseFile:
    case = _ask_all(_source, verdict)
    if not case.is_complete:
        raise _Incomplete(case)
    return case


def _ask_all(source: Source, verdict: Verdict) -> CaseFile:
    desk, transaction_id = source.desk(), verdict.transaction_id
    with ThreadPoolExecutor(_AT_ONCE) as pool:
        ask = partial(_ask, pool)
        purchase = ask("purchase_of", partial(desk.cases.purchase_of, verdict))
        recent = ask("purchases_of", partial(_recent, desk, verdict, source.clock()))
        labels = ask("labels_of", partial(desk.alerts.labels_of, transaction_id))
        # On this thread, for the cache; the others are under way meanwhile.
        truths = _answer("labels_known", partial(_truths, source))
        shared = {
            what: ask("purchases_with", partial(_sharing, desk, what, token))
            for what, token in _tokens(purchase.result()).items()
        }
        found = {what: answer.result() for what, answer in shared.items()}
        names = _names([recent.result(), *found.values()])
        verdicts = _answer("verdicts_of", partial(desk.cases.verdicts_of, names))
    return CaseFile(
        verdict, purchase.result(), labels.result(), recent.result(), found, verdicts, truths
    )


@st.cache_data(ttl=TRUTHS_FRESH_FOR, show_spinner=False)
def _truths(_source: Source) -> Mapping[str, Truth]:
    """What was said last of each purchase in the last weeks."""
    now = _source.clock()
    labels = _source.desk().cases.labels_known(now - timedelta(days=DAYS_BACK), now=now)
    return {label.transaction_id: label.verdict for label in reversed(labels)}


def _recent(desk: Desk, verdict: Verdict, now: datetime) -> list[Transaction]:
    """The weeks up to a day after the case: an old or replayed one shows its own days."""
    bought = datetime.fromtimestamp(verdict.event_at_ms / 1_000, UTC)
    until = min(now, bought + timedelta(days=1))
    return desk.cases.purchases_of(
        verdict.customer_token,
        until=max(until, bought + timedelta(milliseconds=1)),
        days=DAYS_BACK,
        limit=MOST_OF_CUSTOMER,
    )


def _sharing(desk: Desk, shared: Shared, token: str) -> list[Transaction]:
    return desk.cases.purchases_with(shared, token, limit=MOST_SHARED)


def _tokens(purchase: Transaction | StoreUnavailable | None) -> dict[Shared, str]:
    if purchase is None or isinstance(purchase, StoreUnavailable):
        return {}
    tokens = {what: getattr(purchase, what) for what in Shared}
    return {what: token for what, token in tokens.items() if token is not None}


def _names(lists: Collection[list[Transaction] | StoreUnavailable]) -> frozenset[str]:
    answered = [found for found in lists if not isinstance(found, StoreUnavailable)]
    return frozenset(one.transaction_id for found in answered for one in found)


def _ask(
    pool: ThreadPoolExecutor, kind: str, question: Callable[[], T]
) -> Future[T | StoreUnavailable]:
    return pool.submit(_answer, kind, question)


def _answer(kind: str, question: Callable[[], T]) -> T | StoreUnavailable:
    try:
        with asked(kind):
            return question()
    except StoreUnavailable as error:
        return error
