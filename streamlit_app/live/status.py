"""Who works on what, and what was decided: beside the alerts, kept for every session."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Final

from fraudwatch.application.alerts import Alert
from fraudwatch.application.casework import CaseReader, Claims
from fraudwatch.domain.label import Label, Source, Truth
from streamlit_app.live.window import REACH

# Labels are written by a persister that may lag: read again what became known a while ago.
OVERLAP: Final = timedelta(minutes=10)
WHOLE_EVERY: Final = timedelta(minutes=10)
_TRUTH_WORDS = {Truth.FRAUD: "Fraud", Truth.GENUINE: "Genuine", Truth.UNSURE: "Unsure"}


@dataclass(frozen=True, slots=True)
class Status:
    """What people do about alerts, by transaction id."""

    holders: Mapping[str, str] = field(default_factory=dict)
    decided: Mapping[str, Label] = field(default_factory=dict)

    def is_open_for(self, login: str, alert: Alert) -> bool:
        """Could this person take it up: neither decided nor claimed by another."""
        name = alert.transaction_id
        return name not in self.decided and self.holders.get(name, login) == login

    def words(self, login: str, alerts: Iterable[Alert]) -> str:
        """One line's status: claims first, a person's own marked, then decisions; each once."""
        names = [alert.transaction_id for alert in alerts]
        holders = {self.holders[name] for name in names if name in self.holders}
        said = [self.decided[name] for name in names if name in self.decided]
        claimed = ["★ Yours"] if login in holders else []
        claimed += [f"With {holder}" for holder in sorted(holders - {login})]
        words = dict.fromkeys(f"{_TRUTH_WORDS[label.verdict]} ({label.by})" for label in said)
        part = f"{len(said)} of {len(names)}: " if 0 < len(said) < len(names) else ""
        return ", ".join([*claimed, *([part + ", ".join(words)] if words else [])]) or "Open"


class StatusBook:
    """The last answers about claims and decisions; each part is read by one thread at a time."""

    def __init__(self, claims: Claims, cases: CaseReader) -> None:
        self._claims, self._cases = claims, cases
        self._holders: Mapping[str, str] = {}
        self._decided: Mapping[str, Label] = {}
        self._read_at: datetime | None = None
        self._whole_at: datetime | None = None

    def status(self) -> Status:
        """What is known, without asking anybody."""
        return Status(self._holders, self._decided)

    def read_claims(self, now: datetime) -> None:  # noqa: ARG002  as every job, by its clock
        """Take over who holds what.

        Raises:
            StoreUnavailable: what was known stays.
        """
        self._holders = dict(self._claims.held())

    def read_decisions(self, now: datetime) -> None:
        """Take in the latest analyst's word on each case; all of them now and then.

        Raises:
            StoreUnavailable: what was known stays.
        """
        last = self._read_at
        is_whole = last is None or self._whole_at is None or now - self._whole_at >= WHOLE_EVERY
        since = now - REACH if is_whole or last is None else min(last, now) - OVERLAP
        labels = self._cases.labels_known(since, now=now)
        said = [label for label in labels if label.source is Source.ANALYST]
        decided = {} if is_whole else dict(self._decided)
        for label in sorted(said, key=lambda label: label.known_at_ms):
            known = decided.get(label.transaction_id)
            if known is None or known.known_at_ms <= label.known_at_ms:
                decided[label.transaction_id] = label
        self._decided, self._read_at = decided, now
        if is_whole:
            self._whole_at = now
