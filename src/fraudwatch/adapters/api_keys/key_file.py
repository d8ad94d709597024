"""API key file: one JSON document with hashed keys, private to its owner, replaced atomically.

Ingest and the REST API read it, ``./fraudwatch keys`` changes it. A change is in effect with the
next request: each one compares the file's identity (inode, size, time of change).
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from fraudwatch.adapters.codecs.json_codec import decode, encode
from fraudwatch.adapters.durable_file import lock_file, replace_file
from fraudwatch.domain.api_keys import ApiKey, UnknownKey, split_presented
from fraudwatch.domain.messages.dead_letter import Refused

_FORMAT: Final = 1


class KeysUnavailable(Exception):
    """The key file cannot be used, so that no caller is accepted."""


@dataclass(frozen=True, slots=True)
class _Document:
    format: int
    keys: tuple[ApiKey, ...]


class ApiKeyFile:
    """All API keys of a home, in one file; a missing file has no keys."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._lock = threading.Lock()
        self._identity: tuple[int, int, int] | None = None
        self._keys: Mapping[str, ApiKey] = {}

    def authenticate(self, presented: str, now_ms: int) -> ApiKey:
        """Return the key that a caller presents.

        Raises:
            KeyRefused: the key is unknown, expired or revoked.
            KeysUnavailable: the file cannot be read.
        """
        key_id, secret = split_presented(presented)
        key = self._current().get(key_id)
        if key is None:
            raise UnknownKey
        key.accept(secret, now_ms)
        return key

    def list_keys(self) -> list[ApiKey]:
        """Return all keys, also expired and revoked ones, the oldest first.

        Raises:
            KeysUnavailable: the file cannot be read.
        """
        return sorted(self._current().values(), key=lambda key: (key.created_at_ms, key.key_id))

    def change(self, change: Callable[[Mapping[str, ApiKey]], ApiKey | None]) -> None:
        """Add or replace the key that ``change`` returns, given all keys by id; None: no change.

        Concurrent changes wait for each other, so that none is lost.

        Raises:
            KeysUnavailable: the file cannot be read or written.
        """
        try:
            with lock_file(self._path):
                keys = dict(self._current())
                if (changed := change(keys)) is None:
                    return
                keys[changed.key_id] = changed
                replace_file(self._path, encode(_Document(_FORMAT, tuple(keys.values()))))
        except OSError as error:
            raise self._unavailable(str(error)) from error

    def _current(self) -> Mapping[str, ApiKey]:
        """Return the keys by id, read again if the file was replaced or changed."""
        with self._lock:
            try:
                found = self._path.stat()
                identity = (found.st_ino, found.st_size, found.st_mtime_ns)
                if identity != self._identity:
                    # Forgotten first: a file that cannot be read must not leave revoked keys valid.
                    self._identity, self._keys = None, {}
                    self._keys = self._read()
                    self._identity = identity
            except FileNotFoundError:
                self._identity, self._keys = None, {}
            except OSError as error:
                raise self._unavailable(str(error)) from error
            return self._keys

    def _read(self) -> Mapping[str, ApiKey]:
        try:
            document = decode(_Document, self._path.read_bytes())
        except Refused as error:
            raise self._unavailable(error.reason) from error
        if document.format != _FORMAT:
            raise self._unavailable(f"its format is {document.format}, this code reads {_FORMAT}")
        return {key.key_id: key for key in document.keys}

    def _unavailable(self, reason: str) -> KeysUnavailable:
        return KeysUnavailable(
            f"the API keys in {self._path} cannot be read or written ({reason}), so no caller is "
            "accepted; restore the file from a backup, or remove it and make new keys"
        )
