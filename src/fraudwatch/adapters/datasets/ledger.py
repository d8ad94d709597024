"""Ledger of replays into this home, so that nothing is replayed twice by mistake.

Each entry is on disk before the replay continues. The last entry of a replay counts; the others are
removed when the next replay begins.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Literal

from fraudwatch.adapters.datasets.layout import content_hash
from fraudwatch.adapters.datasets.mapping import Mapping
from fraudwatch.adapters.datasets.templates import ROW_NUMBER, placeholders
from fraudwatch.adapters.jsonl_journal import JsonlJournal
from fraudwatch.application.replay.ports import ReplayFailed
from fraudwatch.domain.messages.purchase import transaction_id_of

State = Literal["begun", "reached", "finished"]
NOTED_EVERY_SECONDS = 10.0  # a killed replay repeats at most this much


@dataclass(frozen=True, slots=True)
class ReplayEntry:
    """Progress of a replay: ``position`` rows in event order are acknowledged by ingest."""

    replay: str
    state: State
    position: int
    at: str
    file: str
    # Only of replays since these were recorded.
    source: str | None = None
    newest_ms: int | None = None
    content: str | None = None
    row_ids: str | None = None


class Ledger:
    """File of ledger entries."""

    def __init__(self, path: Path) -> None:
        self._journal = JsonlJournal(path)

    def last(self, replay: str) -> ReplayEntry | None:
        """Return the newest entry of this replay, or None."""
        found = [_entry(one) for one in self._journal.entries() if one.get("replay") == replay]
        return next((entry for entry in reversed(found) if entry is not None), None)

    def others(self, replay: str) -> list[ReplayEntry]:
        """Return the entries of all other replays, oldest first."""
        found = [_entry(one) for one in self._journal.entries()]
        return [entry for entry in found if entry is not None and entry.replay != replay]

    def write(self, entry: ReplayEntry) -> None:
        """Append an entry, on disk before this returns."""
        if entry.state == "begun":
            self._journal.compact(_last_of_each)
        self._journal.append(asdict(entry))


def _last_of_each(entries: list[dict[str, Any]]) -> list[dict[str, Any]]:
    return list({entry.get("replay"): entry for entry in entries}.values())


def _entry(fields: dict[str, Any]) -> ReplayEntry | None:
    try:
        return ReplayEntry(**fields)
    except TypeError:  # of a version with other fields
        return None


def identity_of(
    files: list[Path], mapping: Mapping, from_ms: int | None, until_ms: int | None
) -> str:
    """Hash what a replay sends: contents of its files, its mapping, its range."""
    digests = [content_hash(path) for path in files]
    parts = [digests, mapping.identity(), from_ms, until_ms]
    return hashlib.sha256(json.dumps(parts).encode()).hexdigest()


def row_ids_of(mapping: Mapping) -> str | None:
    """Return what two files' ids have in common if they are row numbers alone, else None."""
    template = mapping.fields["id"]
    if set(placeholders(template)) != {ROW_NUMBER}:
        return None
    name = transaction_id_of(mapping.fields["source"], template)
    are_refunds = mapping.refunds is not None and mapping.refunds.rows == "all"
    # Refunds have ids of their own, so these may be those of purchases as well.
    return f"refunds {name}" if are_refunds else name


class Journal:
    """Ledger of one replay of a file."""

    def __init__(
        self, ledger: Ledger, replay: str, file: Path, mapping: Mapping, clock: Callable[[], float]
    ) -> None:
        self._ledger = ledger
        self._replay = replay
        self._file = file
        self._source = mapping.fields["source"]
        self._row_ids = row_ids_of(mapping)
        self._content = content_hash(file)
        self._clock = clock
        self._noted_at = clock()
        self.newest_ms: int | None = None

    def position(self) -> int:
        """Return the position at which to resume.

        Raises:
            ReplayFailed: the replay is complete, or another file has the same ids.
        """
        last = self._ledger.last(self._replay)
        if last is None:
            self._refuse_same_ids()
            return 0
        if last.state == "finished":
            raise ReplayFailed(
                f"{self._file.name} was replayed into this home already ({last.at}; same content,"
                " mapping and range), so nothing was sent; --again replays it"
            )
        return last.position

    def _refuse_same_ids(self) -> None:
        if self._row_ids is None:
            return
        for other in self._ledger.others(self._replay):
            if other.row_ids == self._row_ids and other.content != self._content:
                raise ReplayFailed(
                    f"{self._file.name} would get the ids that {other.file} has ({self._row_ids}),"
                    " so its purchases would count as repeated or replace verdicts, and nothing was"
                    ' sent; write id: "{file_hash}-{row_number}" in the mapping, or give --again if'
                    " it is a corrected copy of the same rows"
                )

    def newest_other_ms(self, accepted_ms: dict[str, int]) -> int | None:
        """Return the newest event time of this source that was sent otherwise.

        ``accepted_ms`` has the newest accepted ones by source, among them those of this replay,
        if it was begun before. They are left out where they may be its own.
        """
        own = self._ledger.last(self._replay)
        own_ms = own.newest_ms if own is not None else None
        sent_ms = accepted_ms.get(self._source)
        is_others = sent_ms is not None and (own_ms is None or sent_ms > own_ms)
        others = [sent_ms] if is_others and sent_ms is not None else []
        others += [
            entry.newest_ms
            for entry in self._ledger.others(self._replay)
            if entry.source == self._source and entry.newest_ms is not None
        ]
        return max(others, default=None)

    def note(self, state: State, position: int) -> None:
        """Record the position of the replay."""
        at = datetime.now(UTC).isoformat(timespec="seconds")
        entry = ReplayEntry(
            replay=self._replay,
            state=state,
            position=position,
            at=at,
            file=self._file.name,
            source=self._source,
            newest_ms=self.newest_ms,
            content=self._content,
            row_ids=self._row_ids,
        )
        self._ledger.write(entry)
        self._noted_at = self._clock()

    def note_now_and_then(self, position: int) -> None:
        """Record the position every few seconds only, because each entry waits for the disk."""
        if self._clock() - self._noted_at > NOTED_EVERY_SECONDS:
            self.note("reached", position)
