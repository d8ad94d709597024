"""The mails of a mailbox as files of a Maildir, read so that no mail is too broken to be shown."""

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

MOST_KEPT = 1_000
_UNREADABLE = "(cannot be read)"
_KEY = re.compile(r"(\d+)\.M(\d+)")


@dataclass(frozen=True, slots=True, kw_only=True)
class Mail:
    """One mail as a person reads it."""

    key: str
    received_at: datetime
    subject: str
    sender: str
    recipient: str
    text: str


class Mails:
    """What the mailbox holds; the oldest give way."""

    def __init__(self, folder: Path, *, most_kept: int = MOST_KEPT) -> None:
        folder.parent.mkdir(parents=True, exist_ok=True)
        self._box = Maildir(folder, factory=None, create=True)
        self._most_kept = most_kept

    def keep(self, raw: bytes) -> None:
        """Keep a mail, byte by byte."""
        self._box.add(raw)
        for key in self._keys()[self._most_kept :]:
            self._box.discard(key)

    def newest(self, count: int) -> Iterator[Mail]:
        """The newest mails, newest first."""
        for key in self._keys()[:count]:
            try:
                yield self.read(key)
            except KeyError:  # given way since
                continue

    def read(self, key: str) -> Mail:
        """One mail.

        Raises:
            KeyError: there is none of that key.
        """
        message = message_from_bytes(self._box.get_bytes(key))
        return Mail(
            key=key,
            received_at=datetime.fromtimestamp(_moment(key)[0], UTC),
            subject=_header(message, "Subject"),
            sender=_header(message, "From"),
            recipient=_header(message, "To"),
            text=_text(message),
        )

    def _keys(self) -> list[str]:
        return sorted(self._box.keys(), key=_moment, reverse=True)


def _moment(key: str) -> tuple[int, int]:
    """Seconds and microseconds of a Maildir's file name; the epoch for a name of another's."""
    found = _KEY.match(key)
    return (int(found[1]), int(found[2])) if found else (0, 0)


def _header(message: Message, name: str) -> str:
    try:
        # A long header comes folded over several lines.
        return " ".join(str(make_header(decode_header(str(message.get(name, ""))))).split())
    except (HeaderParseError, LookupError, ValueError):
        return _UNREADABLE


def _text(message: Message) -> str:
    """Its plain text; without one, the source of whatever text it has."""
    texts = [part for part in message.walk() if part.get_content_maintype() == "text"]
    texts.sort(key=lambda part: part.get_content_subtype() != "plain")
    return _decoded(texts[0]) if texts else _UNREADABLE


def _decoded(part: Message) -> str:
    payload = part.get_payload(decode=True)
    if not isinstance(payload, bytes):
        return _UNREADABLE
    try:
        return payload.decode(part.get_content_charset("utf-8"), errors="replace")
    except LookupError:  # a character set that nobody knows
        return payload.decode("utf-8", errors="replace")
