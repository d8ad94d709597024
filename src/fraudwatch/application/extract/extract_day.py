"""Extract a closed day: read it, verify it, admit it, and publish its folder atomically.

Work files are in a folder beside the days that engines ignore. A killed run leaves its pages
there, and the next run resumes with them.
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
    DayLocked,
    DaySource,
    PageCache,
    SourceChanged,
    SourceMismatch,
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
_LOG_EVERY_LINES = 50_000


@dataclass(frozen=True, slots=True)
class ExtractCodec:
    """Decodes and admits lines of the source (or raises ``Refused``), and encodes documents."""

    decode: Callable[[bytes], Purchase]
    admit: Callable[[Purchase, int], bytes]
    encode: Callable[[object], bytes]


@dataclass(frozen=True, slots=True)
class Extracted:
    """A complete day in the lake; ``is_new`` is False when it was there before."""

    manifest: ExtractManifest
    is_new: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class DayExtract:
    """Use case: extract one day."""

    day: date
    source: DaySource
    files: LakeFiles
    pages: PageCache
    lease: DayLease
    codec: ExtractCodec
    sources: frozenset[str]
    """Sources that it speaks for alone (none: any), so that it takes no ids of another one."""
    manifests: Manifests
    now_ms: Callable[[], int]
    run_id: str
    code_version: str

    def run(self, *, force: bool = False) -> Extracted:
        """Extract the day; with ``force`` also when it is there with the same checksum.

        Raises:
            ExtractFailed: the day's folder is unchanged.
            LakeUnavailable: the day's folder is unchanged.
        """
        self.lease.acquire()
        try:
            return self._extracted(force=force)
        except (SourceMismatch, SourceChanged):
            self.pages.clear()  # else the next run would resume with the same pages
            raise
        finally:
            self.lease.release()

    def _extracted(self, *, force: bool) -> Extracted:
        began_at_ms = self.now_ms()
        self._restore()
        reader = DayReader(self.source, self.pages, self.day.isoformat(), self.lease.renew)
        first = reader.begin()
        existing = self.manifests.of(self.day)
        is_same = existing and existing.checksum_sha256 == first.totals.checksum_sha256
        if existing and is_same and not force:
            return Extracted(existing, is_new=False)
        digests = reader.read(first)
        manifest = self._write(reader.reread(digests), first, began_at_ms)
        self._publish()
        self.pages.clear()
        self.files.remove(extract_work_folder(self.day))
        return Extracted(manifest, is_new=True)

    def _write(
        self, pages: Iterable[SourcePage], first: SourcePage, began_at_ms: int
    ) -> ExtractManifest:
        self.files.remove(self._new)
        rejected: list[RejectedPurchase] = []
        written = _LineFiles(self.files, self._new)
        written.write(self._admitted(pages, rejected))
        notes = (self.codec.encode(one) + b"\n" for one in rejected)
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
        self.files.write(f"{self._new}/{MANIFEST_NAME}", [self.codec.encode(manifest)])
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
            if number % _LOG_EVERY_LINES == 0:
                log.info("admitted %d purchases of %s, refused %d", number, day, len(rejected))

    def _admit(self, line: bytes, day: str) -> bytes:
        purchase = self.codec.decode(line)
        if self.sources and purchase.source not in self.sources:
            raise Refused(
                Code.OUT_OF_BOUNDS, [Problem("source", "is none that this extract speaks for")]
            )
        admitted = self.codec.admit(purchase, self.now_ms())
        if day_of(purchase.event_at_ms) != day:
            raise Refused(Code.OUT_OF_BOUNDS, [Problem("event_at_ms", "is outside its day")])
        return admitted

    def _publish(self) -> None:
        folder = extract_folder(self.day)
        self.lease.confirm()
        self.files.remove(self._old)
        if self.files.exists(folder):
            self.files.move(folder, self._old)
        if not self.files.move(self._new, folder):
            raise DayLocked(
                f"{folder} appeared while {self.day} was extracted, so this run wrote nothing "
                "there; run this again"
            )

    def _restore(self) -> None:
        """Restore the old day after a run that was killed between its two moves."""
        if not self.files.exists(extract_folder(self.day)) and self.files.exists(self._old):
            self.files.move(self._old, extract_folder(self.day))

    @property
    def _new(self) -> str:
        return f"{extract_work_folder(self.day)}/new"

    @property
    def _old(self) -> str:
        return f"{extract_work_folder(self.day)}/old"


class _LineFiles:
    """Writer of line files: at least one, each of at most ``LARGEST_FILE_LINES``."""

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
