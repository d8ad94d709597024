"""Subscription file: one JSON document with signing secrets, private to its owner.

The service reads it, ``./fraudwatch webhooks`` changes it. A change is in effect at the next
attempt: each one compares the file's identity (inode, size, time of change). The secrets are in
clear text, because signing needs them; whoever reads the file can forge events to these clients.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from fraudwatch.adapters.codecs.json_codec import decode, encode
from fraudwatch.adapters.durable_file import lock_file, replace_file
from fraudwatch.application.ports import StoreUnavailable
from fraudwatch.domain.messages.dead_letter import Refused
from fraudwatch.domain.webhooks.subscription import Subscription

_FORMAT: Final = 1


@dataclass(frozen=True, slots=True)
class _Document:
    format: int
    subscriptions: tuple[Subscription, ...]


class SubscriptionFile:
    """``SubscriptionStore`` in one file; a missing file has no subscriptions."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._lock = threading.Lock()
        self._identity: tuple[int, int, int] | None = None
        self._known: Mapping[str, Subscription] = {}

    def current(self) -> Mapping[str, Subscription]:
        with self._lock:
            try:
                found = self._path.stat()
                identity = (found.st_ino, found.st_size, found.st_mtime_ns)
                if identity != self._identity:
                    # Forgotten first: what cannot be read must not go on under earlier rules.
                    self._identity, self._known = None, {}
                    self._known = self._read()
                    self._identity = identity
            except FileNotFoundError:
                self._identity, self._known = None, {}
            except OSError as error:
                raise self._unavailable(str(error)) from error
            return self._known

    def change(
        self, change: Callable[[Mapping[str, Subscription]], Mapping[str, Subscription]]
    ) -> None:
        try:
            with lock_file(self._path):
                changed = change(self.current())
                document = _Document(_FORMAT, tuple(changed.values()))
                replace_file(self._path, encode(document))
        except OSError as error:
            raise self._unavailable(str(error)) from error

    def _read(self) -> Mapping[str, Subscription]:
        try:
            document = decode(_Document, self._path.read_bytes())
        except Refused as error:
            raise self._unavailable(error.reason) from error
        if document.format != _FORMAT:
            raise self._unavailable(f"its format is {document.format}, this code reads {_FORMAT}")
        return {one.subscription_id: one for one in document.subscriptions}

    def _unavailable(self, reason: str) -> StoreUnavailable:
        return StoreUnavailable(
            f"the subscriptions in {self._path} cannot be read or written ({reason}), so no event "
            "is recorded or sent; restore the file from a backup, or remove it and add the "
            "subscriptions again"
        )
