"""Extract a closed day: read it, confirm it, admit it, and let its folder appear at once.

The work lies beside the days, in a folder that engines pass over. A run that is killed leaves its
pages there, and the next one goes on with them.
"""

from __future__ import annotations

import logging
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from datetime import date
from itertools import chain, islice

from fraudwatch.application.extract.day_lease import DayLease
from fraudwatch.application.extract.lake_files import LakeFiles
from fraudwatch.application.extract.manifests import Manifests
from fraudwatch.application.extract.ports import (
    DaySource,
    DayTaken,
    KeptPages,
    SourceChanged,
    Untrue,
)
from fraudwatch.application.extract.read_day import DayReader
from fraudwatch.domain.instants import day_of
from fraudwatch.domain.lake.day_extract import (
    LARGEST_FILE_LINES,
    MANIFEST_NAME,
    REJECTED_NAME,
    ExtractManifest,
    RejectedPurchase,
    SourcePage,
    transactions_name,
)
from fraudwatch.domain.messages.dead_letter import Code, Refused
from fraudwatch.domain.messages.fields import Problem
from fraudwatch.domain.messages.purchase import Purchase
from fraudwatch.lake import extract_folder, extract_work_folder

log = logging.getLogger("extract_day")
_LINES_A_CHUNK = 500
_TELL_EVERY_LINES = 50_000


@dataclass(frozen=True, slots=True)
class Letting:
    """How a line of the source becomes one of ours, or ``Refused``; and how notes are spelled."""

    decode: Callable[[bytes], Purchase]
    admit: Callable[[Purchase, int], bytes]
    encode: Callable[[object], bytes]


@dataclass(frozen=True, slots=True)
class Extracted:
    """A whole day in the lake; ``is_new`` is False when it was there before."""

    manifest: ExtractManifest
    is_new: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class DayExtract:
    """The extract of one day, over its ports."""

    day: date
    source: DaySource
    files: LakeFiles
    pages: KeptPages
    lease: DayLease
    letting: Letting
    manifests: Manifests
    now_ms: Callable[[], int]
    run_id: str
    code_version: str

    def run(self, *, again: bool = False) -> Extracted:
        """Bring the day into the lake; ``again`` also when the same day lies there already.

        Raises:
            ExtractFailed: the day's folder is as it was before.
            LakeUnavailable: the same.
        """
        self.lease.take()
        try:
            return self._extracted(again=again)
        except (Untrue, SourceChanged):
            self.pages.clear()  # or the next run would begin with the same pages
            raise
        finally:
            self.lease.release()

    def _extracted(self, *, again: bool) -> Extracted:
        began_at_ms = self.now_ms()
        self._restore()
        reader = DayReader(self.source, self.pages, self.day.isoformat(), self.lease.renew)
        first = reader.begin()
        standing = self.manifests.of(self.day)
        is_same = standing and standing.checksum_sha256 == first.totals.checksum_sha256
        if standing and is_same and not again:
            return Extracted(standing, is_new=False)
        digests = reader.read(first)
        manifest = self._write(reader.again(digests), first, began_at_ms)
        self._publish()
        self.pages.clear()
        self.files.remove(extract_work_folder(self.day))
        return Extracted(manifest, is_new=True)

    def _write(
        self, pages: Iterable[SourcePage], first: SourcePage, began_at_ms: int
    ) -> ExtractManifest:
        self.files.remove(self._new)
        rejected: list[RejectedPurchase] = []
        written = _Written(self.files, self._new)
        written.write(self._admitted(pages, rejected))
        notes = (self.letting.encode(one) + b"\n" for one in rejected)
        self.files.write(f"{self._new}/{REJECTED_NAME}", notes)
        manifest = ExtractManifest(
            day=self.day.isoformat(),
            purchases=first.totals.purchases,
            amount_minor_by_currency=first.totals.amount_minor_by_currency,
            checksum_sha256=first.totals.checksum_sha256,
            pages=first.pages,
            accepted=written.lines,
            rejected=dict(sorted(Counter(one.code for one in rejected).items())),
            files=tuple(written.names),
            run_id=self.run_id,
            began_at_ms=began_at_ms,
            ended_at_ms=self.now_ms(),
            code_version=self.code_version,
        )
        self.files.write(f"{self._new}/{MANIFEST_NAME}", [self.letting.encode(manifest)])
        return manifest

    def _admitted(
        self, pages: Iterable[SourcePage], rejected: list[RejectedPurchase]
    ) -> Iterator[bytes]:
        day = self.day.isoformat()
        lines = chain.from_iterable(page.lines for page in pages)
        for number, line in enumerate(lines, start=1):
            try:
                yield self._admit(line, day)
            except Refused as why:
                origin = f"extract:{day}:{number}"
                rejected.append(
                    RejectedPurchase(origin=origin, code=why.code.value, reason=why.reason)
                )
            if number % _TELL_EVERY_LINES == 0:
                log.info("admitted %d purchases of %s, refused %d", number, day, len(rejected))

    def _admit(self, line: bytes, day: str) -> bytes:
        purchase = self.letting.decode(line)
        admitted = self.letting.admit(purchase, self.now_ms())
        if day_of(purchase.event_at_ms) != day:
            raise Refused(Code.OUT_OF_BOUNDS, [Problem("event_at_ms", "lies outside its day")])
        return admitted

    def _publish(self) -> None:
        folder = extract_folder(self.day)
        self.lease.confirm()
        self.files.remove(self._old)
        if self.files.exists(folder):
            self.files.move(folder, self._old)
        if not self.files.move(self._new, folder):
            raise DayTaken(
                f"{folder} appeared while {self.day} was extracted, so this run wrote nothing "
                "there; run this again"
            )

    def _restore(self) -> None:
        """A run that was killed between taking the old day away and putting the new one there."""
        if not self.files.exists(extract_folder(self.day)) and self.files.exists(self._old):
            self.files.move(self._old, extract_folder(self.day))

    @property
    def _new(self) -> str:
        return f"{extract_work_folder(self.day)}/new"

    @property
    def _old(self) -> str:
        return f"{extract_work_folder(self.day)}/old"


class _Written:
    """Files of lines, none longer than agreed, and at least one."""

    def __init__(self, files: LakeFiles, folder: str) -> None:
        self._files, self._folder = files, folder
        self.names: list[str] = []
        self.lines = 0

    def write(self, lines: Iterator[bytes]) -> None:
        following = next(lines, None)
        while following is not None or not self.names:
            head = [] if following is None else [following]
            self._write_file(chain(head, islice(lines, LARGEST_FILE_LINES - len(head))))
            following = next(lines, None)

    def _write_file(self, lines: Iterator[bytes]) -> None:
        name = transactions_name(len(self.names) + 1)
        self._files.write(f"{self._folder}/{name}", self._chunks(lines))
        self.names.append(name)

    def _chunks(self, lines: Iterator[bytes]) -> Iterator[bytes]:
        while block := list(islice(lines, _LINES_A_CHUNK)):
            self.lines += len(block)
            yield b"\n".join(block) + b"\n"
