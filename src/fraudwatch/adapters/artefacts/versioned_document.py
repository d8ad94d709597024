"""JSON document in a file of its own, with the number of its format: replaced and read whole."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Generic, TypeVar

from msgspec import Raw

from fraudwatch.adapters.codecs.json_codec import decode, encode
from fraudwatch.adapters.durable_file import replace_file
from fraudwatch.domain.messages.dead_letter import Refused

T = TypeVar("T")
_FORMAT: Final = "format"


@dataclass(frozen=True, slots=True)
class VersionedDocument(Generic[T]):
    """Value of one type under its name, as in ``{"format":1,"trial":{...}}``."""

    path: Path
    name: str
    type: type[T]
    format: int
    unreadable: Callable[[str], Exception]
    """Makes the error of a file that cannot be used, from the cause: it names the cure."""

    def read(self) -> T | None:
        """Return the value; None: there is no file.

        Raises:
            The document's own error: the file cannot be read, or has another format.
        """
        try:
            fields = decode(dict[str, Raw], self.path.read_bytes())
            found = decode(int, fields.get(_FORMAT, b"null"))
            if found != self.format:
                raise self.unreadable(f"its format is {found}, this code reads {self.format}")
            return decode(self.type, fields.get(self.name, b"null"))
        except FileNotFoundError:
            return None
        except (OSError, Refused) as error:
            raise self.unreadable(str(error)) from error

    def write(self, value: T) -> None:
        """Replace the file durably.

        Raises:
            OSError: it cannot be written; the former one stays.
        """
        replace_file(self.path, encode({_FORMAT: self.format, self.name: value}))
