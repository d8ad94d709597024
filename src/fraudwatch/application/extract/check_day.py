"""Check an extracted day before it becomes part of the lake: contract, freshness, volume."""

from __future__ import annotations

import enum
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from statistics import median

from fraudwatch.domain.instants import epoch_ms_of
from fraudwatch.domain.lake.day_extract import ExtractManifest
from fraudwatch.domain.messages.dead_letter import Refused
from fraudwatch.domain.messages.fields import problems
from fraudwatch.domain.messages.transaction import Kind, Transaction

DAYS_BEFORE = 28
_FEWEST_DAYS = 3
_LEAST_SHARE, _GREATEST_SHARE = 0.2, 5.0
# Above this share of refused purchases the source itself has changed.
_GREATEST_REFUSED_SHARE = 0.05
_DAY = timedelta(days=1)


class DayCheck(enum.StrEnum):
    """Check of an extracted day."""

    CONTRACT = "contract"
    FRESHNESS = "freshness"
    VOLUME = "volume"


@dataclass(frozen=True, slots=True)
class DayFinding:
    """Result of one check; a day with a finding that is no note must not enter the lake."""

    check: DayCheck
    sentence: str
    is_note: bool = False


def freshness(manifest: ExtractManifest, day: date) -> list[DayFinding]:
    """Check that the extract is of this day and was made after the day had ended."""
    wanted = day.isoformat()
    if manifest.day != wanted:
        return [
            _failed(DayCheck.FRESHNESS, f"the manifest in the folder of {wanted} is of another day")
        ]
    ended_at_ms = _begin_ms(day) + _DAY // timedelta(milliseconds=1)
    if manifest.began_at_ms < ended_at_ms:
        return [_failed(DayCheck.FRESHNESS, f"{wanted} was extracted before it had ended")]
    return []


def volume(manifest: ExtractManifest, earlier: Sequence[ExtractManifest]) -> list[DayFinding]:
    """Check the number of purchases against the median of the days before."""
    counts = [one.purchases for one in earlier]
    if manifest.purchases == 0 and any(counts):
        return [
            _failed(
                DayCheck.VOLUME,
                f"{manifest.day} has no purchases while days before it had some, so its source may "
                "have lost it; ask the source's owner, or accept it with --accept-volume",
            )
        ]
    if len(counts) < _FEWEST_DAYS:
        note = f"{len(counts)} earlier days are too few to judge the volume of {manifest.day} by"
        return [DayFinding(DayCheck.VOLUME, note, is_note=True)]
    usual = median(counts)
    if _LEAST_SHARE * usual <= manifest.purchases <= _GREATEST_SHARE * usual:
        return []
    return [
        _failed(
            DayCheck.VOLUME,
            f"{manifest.day} has {manifest.purchases} purchases and the median of {len(counts)} "
            f"days before is {usual:.0f}; ask the source's owner, or accept it with "
            "--accept-volume",
        )
    ]


@dataclass(slots=True)
class ContractCheck:
    """Contract check of a day's lines; ``decode`` raises ``Refused`` for an invalid transaction."""

    day: date
    decode: Callable[[bytes], Transaction]

    def run(
        self, manifest: ExtractManifest, lines: Iterable[bytes], rejected: int
    ) -> list[DayFinding]:
        """Check that each line is a transaction of the day, ids are unique and counts match."""
        begin_ms = _begin_ms(self.day)
        end_ms = begin_ms + _DAY // timedelta(milliseconds=1)
        ids: set[str] = set()
        number = 0
        for number, line in enumerate(lines, start=1):
            if fault := self._fault(line, begin_ms, end_ms, ids):
                where = f"line {number} of the transactions of {self.day}"
                return [_failed(DayCheck.CONTRACT, f"{where} {fault}")]
        return self._counted(manifest, number, rejected)

    def _fault(self, line: bytes, begin_ms: int, end_ms: int, ids: set[str]) -> str:
        try:
            transaction = self.decode(line)
        except Refused as why:
            return f"is no transaction.v1: {why.reason}"
        broken = problems(transaction)
        if broken or transaction.kind is not Kind.TRANSACTION:
            faults = "; ".join(f"{one.field} {one.reason}" for one in broken)
            return f"breaks its bounds: {faults or 'kind is no purchase'}"
        if not begin_ms <= transaction.event_at_ms < end_ms:
            return "is outside its day"
        if transaction.transaction_id in ids:
            return "repeats an id"
        ids.add(transaction.transaction_id)
        return ""

    def _counted(self, manifest: ExtractManifest, found: int, rejected: int) -> list[DayFinding]:
        declared = sum(manifest.rejected.values())
        if (found, rejected) != (
            manifest.accepted,
            declared,
        ) or found + rejected != manifest.purchases:
            return [
                _failed(
                    DayCheck.CONTRACT,
                    f"{self.day} holds {found} transactions and {rejected} refused purchases, and "
                    f"its manifest says {manifest.accepted} and {declared} of {manifest.purchases}",
                )
            ]
        if rejected > _GREATEST_REFUSED_SHARE * manifest.purchases:
            counts = ", ".join(f"{code} {count}" for code, count in manifest.rejected.items())
            return [
                _failed(
                    DayCheck.CONTRACT,
                    f"{rejected} of {manifest.purchases} purchases of {self.day} were refused "
                    f"({counts}), so the source has changed its purchases; see the reasons in "
                    "rejected.jsonl",
                )
            ]
        return []


def _failed(check: DayCheck, sentence: str) -> DayFinding:
    return DayFinding(check, sentence)


def _begin_ms(day: date) -> int:
    return epoch_ms_of(datetime.fromisoformat(f"{day.isoformat()}T00:00:00+00:00"))
