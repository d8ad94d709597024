"""Status of alerts: claims, decisions, assignments and snoozes, cached for all sessions."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Final

from fraudwatch.application.console.alerts import Alert
from fraudwatch.application.console.casework import CaseReader, Claims
from fraudwatch.application.console.handling import UNHANDLED, Handling, HandlingStore
from fraudwatch.application.console.sla import is_overdue
from fraudwatch.domain.messages.label import Label, Source
from streamlit_app.handling_view import due_text, handling_words
from streamlit_app.live.window import REACH
from streamlit_app.view_models import LABEL_WORDS

# The persister may lag: read the latest labels again.
OVERLAP: Final = timedelta(minutes=10)
FULL_READ_EVERY: Final = timedelta(minutes=10)


@dataclass(frozen=True, slots=True)
class Status:
    """Claims (login), decisions and handling, by transaction id."""

    claims: Mapping[str, str] = field(default_factory=dict)
    decided: Mapping[str, Label] = field(default_factory=dict)
    handlings: Mapping[str, Handling] = field(default_factory=dict)

    def is_open_for(self, login: str, alert: Alert) -> bool:
        """Whether the alert is undecided, and neither claimed by nor assigned to another person."""
        name = alert.transaction_id
        is_free = self.claims.get(name, login) == login
        return (
            is_free and self._is_undecided(name) and not self._handling(name).is_of_another(login)
        )

    def words(self, login: str, alerts: Sequence[Alert], now_ms: int) -> str:
        """Status of one line: claims, assignments and snoozes, then decisions; each once."""
        names = [alert.transaction_id for alert in alerts]
        claims = {self.claims[name] for name in names if name in self.claims}
        labels = [self.decided[name] for name in names if name in self.decided]
        claimed = ["★ Yours"] if login in claims else []
        claimed += [f"With {other}" for other in sorted(claims - {login})]
        left = [alert for alert in alerts if self._is_undecided(alert.transaction_id)]
        unclaimed = [one.transaction_id for one in left if one.transaction_id not in self.claims]
        handled = (handling_words(self._handling(name), login, now_ms) for name in unclaimed)
        claimed += dict.fromkeys(filter(None, handled))
        words = dict.fromkeys(f"{LABEL_WORDS[label.verdict]} ({label.by})" for label in labels)
        part = f"{len(labels)} of {len(names)}: " if 0 < len(labels) < len(names) else ""
        status = ", ".join([*claimed, *([part + ", ".join(words)] if words else [])])
        return status or _undecided_words(left, now_ms)

    def _is_undecided(self, name: str) -> bool:
        label = self.decided.get(name)
        return label is None or not label.decides

    def _handling(self, name: str) -> Handling:
        return self.handlings.get(name, UNHANDLED)


def _weight(label: Label) -> tuple[bool, bool, int]:
    """A label that decides counts over one that does not, then an analyst's, then the latest."""
    return label.decides, label.source is Source.ANALYST, label.known_at_ms


def _undecided_words(alerts: Iterable[Alert], now_ms: int) -> str:
    overdue = [due_text(one, now_ms) for one in alerts if is_overdue(one, now_ms)]
    return overdue[-1] if overdue else "Open"


class StatusCache:
    """Last claims and decisions read; each is read by one thread at a time."""

    def __init__(self, claims: Claims, cases: CaseReader, handlings: HandlingStore) -> None:
        self._claims, self._cases, self._handlings = claims, cases, handlings
        self._handled: Mapping[str, Handling] = {}
        self._claimed_by: Mapping[str, str] = {}
        self._decided: Mapping[str, Label] = {}
        self._read_at: datetime | None = None
        self._full_read_at: datetime | None = None

    def status(self) -> Status:
        """Return the status without a query."""
        return Status(self._claimed_by, self._decided, self._handled)

    def read_claims(self, now: datetime) -> None:  # noqa: ARG002  signature of every job
        """Read all claims, assignments and snoozes.

        Raises:
            StoreUnavailable: the previous status stays.
        """
        self._claimed_by = dict(self._claims.active_claims())
        self._handled = self._handlings.handlings()

    def read_decisions(self, now: datetime) -> None:
        """Read the decision on each case: new ones, and all of them every ten minutes.

        Raises:
            StoreUnavailable: the previous status stays.
        """
        last = self._read_at
        is_full = (
            last is None
            or self._full_read_at is None
            or now - self._full_read_at >= FULL_READ_EVERY
        )
        since = now - REACH if is_full or last is None else min(last, now) - OVERLAP
        labels = self._cases.labels_known(since, now=now)
        decided = {} if is_full else dict(self._decided)
        for label in labels:
            known = decided.get(label.transaction_id)
            if known is None or _weight(known) <= _weight(label):
                decided[label.transaction_id] = label
        self._decided, self._read_at = decided, now
        if is_full:
            self._full_read_at = now
