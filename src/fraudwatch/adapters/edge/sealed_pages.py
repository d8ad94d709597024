"""Pages of a day that is being read, sealed in the lake under a key that only this machine has.

The key lives as long as the day is being extracted: with it goes what the pages hold of persons,
whatever copies of them a disk may keep.
"""

from __future__ import annotations

import zlib
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import msgspec
import tink
from tink import aead

from fraudwatch.adapters.edge.keysets import load_or_create_keyset
from fraudwatch.application.extract.lake_files import LakeFiles, content_of
from fraudwatch.domain.lake.day_extract import SourcePage
from fraudwatch.lake import extract_work_folder

_KEYS_FOLDER = "extract"
# A day that nobody finishes: its pages are shut for ever after this.
_LONGEST_KEPT = timedelta(days=7)
_FASTEST = 1


class SealedPages:
    """See :class:`fraudwatch.application.extract.ports.PageCache`."""

    def __init__(self, files: LakeFiles, day: date, keys_folder: Path) -> None:
        aead.register()
        self._files, self._day = files, day.isoformat()
        self._folder = f"{extract_work_folder(day)}/pages"
        self._key_path = keys_folder / _KEYS_FOLDER / f"{self._day}.json"
        self._opened: aead.Aead | None = None

    def save(self, page: SourcePage) -> None:
        """See :class:`fraudwatch.application.extract.ports.PageCache`."""
        packed = zlib.compress(msgspec.msgpack.encode(page), _FASTEST)
        self._files.write(
            self._path(page.page), [self._box().encrypt(packed, self._name(page.page))]
        )

    def load(self, number: int) -> SourcePage | None:
        """See :class:`fraudwatch.application.extract.ports.PageCache`."""
        if not self._key_path.exists():
            return None
        sealed = content_of(self._files, self._path(number))
        if sealed is None:
            return None
        try:
            packed = self._box().decrypt(sealed, self._name(number))
            return msgspec.msgpack.decode(zlib.decompress(packed), type=SourcePage)
        except (tink.TinkError, msgspec.DecodeError):
            return None  # altered, of another key or version: it is read again

    def clear(self) -> None:
        """See :class:`fraudwatch.application.extract.ports.PageCache`."""
        self._key_path.unlink(missing_ok=True)
        self._opened = None
        self._files.remove(self._folder)

    def _box(self) -> aead.Aead:
        if self._opened is None:
            keyset = load_or_create_keyset(self._key_path, aead.aead_key_templates.AES256_GCM)
            self._opened = keyset.primitive(aead.Aead)
        return self._opened

    def _path(self, number: int) -> str:
        return f"{self._folder}/{number:05d}.sealed"

    def _name(self, number: int) -> bytes:
        return f"{self._day}:{number}".encode()


def forget_old_pages(keys_folder: Path, today: date) -> None:
    """Shut what extracts left behind that nobody finished."""
    for path in (keys_folder / _KEYS_FOLDER).glob("*.json"):
        made_on = datetime.fromtimestamp(path.stat().st_mtime, UTC).date()
        if today - made_on > _LONGEST_KEPT:
            path.unlink(missing_ok=True)
