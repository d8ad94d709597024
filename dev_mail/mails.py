"""Store mails in a Maildir and parse them; a malformed mail is still shown."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from email import message_from_bytes
from email.errors import HeaderParseError
from email.header import decode_header, make_header
from email.message import Message
from mailbox import Maildir
from pathlib import Path

MAX_KEPT = 1_000
_UNREADABLE = "(cannot be read)"
_KEY = re.compile(r"(\d+)\.M(\d+)")


@dataclass(frozen=True, slots=True, kw_only=True)
class Mail:
    """One mail, decoded for display."""

    key: str
    received_at: datetime
    subject: str
    sender: str
    recipient: str
    text: str


class Mails:
    """Maildir with a limited number of mails; the oldest are deleted first."""

    def __init__(self, folder: Path, *, max_kept: int = MAX_KEPT) -> None:
        folder.parent.mkdir(parents=True, exist_ok=True)
        self._maildir = Maildir(folder, factory=None, create=True)
        self._max_kept = max_kept

    def add(self, raw: bytes) -> None:
        """Store a mail byte by byte and delete the oldest beyond the limit."""
        self._maildir.add(raw)
        for key in self._keys()[self._max_kept :]:
            self._maildir.discard(key)

    def newest(self, count: int) -> Iterator[Mail]:
        """Yield the newest mails, newest first."""
        for key in self._keys()[:count]:
            try:
                yield self.read(key)
            except KeyError:  # deleted meanwhile
                continue

    def read(self, key: str) -> Mail:
        """Read one mail.

        Raises:
            KeyError: no mail has that key.
        """
        message = message_from_bytes(self._maildir.get_bytes(key))
        return Mail(
            key=key,
            received_at=datetime.fromtimestamp(_moment(key)[0], UTC),
            subject=_header(message, "Subject"),
            sender=_header(message, "From"),
            recipient=_header(message, "To"),
            text=_text(message),
        )

    def _keys(self) -> list[str]:
        return sorted(self._maildir.keys(), key=_moment, reverse=True)


def _moment(key: str) -> tuple[int, int]:
    """Parse seconds and microseconds of a Maildir file name; the epoch for any other name."""
    match = _KEY.match(key)
    return (int(match[1]), int(match[2])) if match else (0, 0)


def _header(message: Message, name: str) -> str:
    try:
        # A long header is folded over several lines.
        return " ".join(str(make_header(decode_header(str(message.get(name, ""))))).split())
    except (HeaderParseError, LookupError, ValueError):
        return _UNREADABLE


def _text(message: Message) -> str:
    """Return the plain text of a mail; without one, the source of its first text part."""
    texts = [part for part in message.walk() if part.get_content_maintype() == "text"]
    texts.sort(key=lambda part: part.get_content_subtype() != "plain")
    return _decoded(texts[0]) if texts else _UNREADABLE


def _decoded(part: Message) -> str:
    payload = part.get_payload(decode=True)
    if not isinstance(payload, bytes):
        return _UNREADABLE
    try:
        return payload.decode(part.get_content_charset("utf-8"), errors="replace")
    except LookupError:  # an unknown character set
        return payload.decode("utf-8", errors="replace")
