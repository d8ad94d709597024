"""Cache extract pages in the lake, sealed with a key that only this machine has.

The key is deleted when the day's extract ends: this erases the personal data of the pages,
including any copies that remain on a disk.
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
# Pages of an unfinished extract become unreadable after this.
_MAX_KEY_AGE = timedelta(days=7)
_FASTEST = 1


class SealedPages:
    """See :class:`fraudwatch.application.extract.ports.PageCache`."""

    def __init__(self, files: LakeFiles, day: date, keys_folder: Path) -> None:
        aead.register()
        self._files, self._day = files, day.isoformat()
        self._folder = f"{extract_work_folder(day)}/pages"
        self._key_path = keys_folder / _KEYS_FOLDER / f"{self._day}.json"
        self._primitive: aead.Aead | None = None

    def save(self, page: SourcePage) -> None:
        packed = zlib.compress(msgspec.msgpack.encode(page), _FASTEST)
        self._files.write(
            self._path(page.page), [self._aead().encrypt(packed, self._name(page.page))]
        )

    def load(self, number: int) -> SourcePage | None:
        if not self._key_path.exists():
            return None
        sealed = content_of(self._files, self._path(number))
        if sealed is None:
            return None
        try:
            packed = self._aead().decrypt(sealed, self._name(number))
            return msgspec.msgpack.decode(zlib.decompress(packed), type=SourcePage)
        except (tink.TinkError, msgspec.DecodeError):
            return None  # altered, or of another key or version: the page is read again

    def clear(self) -> None:
        self._key_path.unlink(missing_ok=True)
        self._primitive = None
        self._files.remove(self._folder)

    def _aead(self) -> aead.Aead:
        if self._primitive is None:
            keyset = load_or_create_keyset(self._key_path, aead.aead_key_templates.AES256_GCM)
            self._primitive = keyset.primitive(aead.Aead)
        return self._primitive

    def _path(self, number: int) -> str:
        return f"{self._folder}/{number:05d}.sealed"

    def _name(self, number: int) -> bytes:
        return f"{self._day}:{number}".encode()


def delete_old_keys(keys_folder: Path, today: date) -> None:
    """Delete the keys of unfinished extracts, so that their pages become unreadable."""
    for path in (keys_folder / _KEYS_FOLDER).glob("*.json"):
        made_on = datetime.fromtimestamp(path.stat().st_mtime, UTC).date()
        if today - made_on > _MAX_KEY_AGE:
            path.unlink(missing_ok=True)
