"""Status of alerts: claims and decisions, cached for all sessions."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Final

from fraudwatch.application.console.alerts import Alert
from fraudwatch.application.console.casework import CaseReader, Claims
from fraudwatch.domain.messages.label import Label, Source
from streamlit_app.live.window import REACH
from streamlit_app.view_models import LABEL_WORDS

# The persister may lag: read the latest labels again.
OVERLAP: Final = timedelta(minutes=10)
FULL_READ_EVERY: Final = timedelta(minutes=10)


@dataclass(frozen=True, slots=True)
class Status:
    """Claims (login) and decisions, by transaction id."""

    claims: Mapping[str, str] = field(default_factory=dict)
    decided: Mapping[str, Label] = field(default_factory=dict)

    def is_open_for(self, login: str, alert: Alert) -> bool:
        """Whether the alert is undecided and not claimed by another person."""
        name = alert.transaction_id
        return name not in self.decided and self.claims.get(name, login) == login

    def words(self, login: str, alerts: Iterable[Alert]) -> str:
        """Status of one line: claims first, the person's own marked, then decisions; each once."""
        names = [alert.transaction_id for alert in alerts]
        claims = {self.claims[name] for name in names if name in self.claims}
        labels = [self.decided[name] for name in names if name in self.decided]
        claimed = ["★ Yours"] if login in claims else []
        claimed += [f"With {other}" for other in sorted(claims - {login})]
        words = dict.fromkeys(f"{LABEL_WORDS[label.verdict]} ({label.by})" for label in labels)
        part = f"{len(labels)} of {len(names)}: " if 0 < len(labels) < len(names) else ""
        return ", ".join([*claimed, *([part + ", ".join(words)] if words else [])]) or "Open"


class StatusCache:
    """Last claims and decisions read; each is read by one thread at a time."""

    def __init__(self, claims: Claims, cases: CaseReader) -> None:
        self._claims, self._cases = claims, cases
        self._claimed_by: Mapping[str, str] = {}
        self._decided: Mapping[str, Label] = {}
        self._read_at: datetime | None = None
        self._full_read_at: datetime | None = None

    def status(self) -> Status:
        """Return the status without a query."""
        return Status(self._claimed_by, self._decided)

    def read_claims(self, now: datetime) -> None:  # noqa: ARG002  signature of every job
        """Read all claims.

        Raises:
            StoreUnavailable: the previous status stays.
        """
        self._claimed_by = dict(self._claims.active_claims())

    def read_decisions(self, now: datetime) -> None:
        """Read the latest decision on each case: new ones, and all of them every ten minutes.

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
        by_analysts = [label for label in labels if label.source is Source.ANALYST]
        decided = {} if is_full else dict(self._decided)
        for label in sorted(by_analysts, key=lambda label: label.known_at_ms):
            known = decided.get(label.transaction_id)
            if known is None or known.known_at_ms <= label.known_at_ms:
                decided[label.transaction_id] = label
        self._decided, self._read_at = decided, now
        if is_full:
            self._full_read_at = now
