"""Layout of a data file: what stands between, around and before its cells."""

from __future__ import annotations

import codecs
import hashlib
from pathlib import Path
from typing import Literal, Self

from pydantic import BaseModel, ConfigDict, Field, field_validator, model_validator

Kind = Literal["csv", "json_lines", "json", "parquet"]
COMPRESSED = (".gz", ".zst", ".bz2", ".xz", ".zip")
KIND_BY_SUFFIX: dict[str, Kind] = {
    **dict.fromkeys((".csv", ".tsv", ".txt", ".dat", ".data", ".psv", ".tab"), "csv"),
    **dict.fromkeys((".ndjson", ".jsonl"), "json_lines"),
    ".json": "json",
    **dict.fromkeys((".parquet", ".pq"), "parquet"),
}
_TAB_SUFFIXES = (".tsv", ".tab")


class UnreadableFile(Exception):
    """The file cannot be read as its mapping defines; the message names the cure and no cell."""


class Strict(BaseModel):
    """Keys of a mapping file: others are refused."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)


class Layout(Strict):
    """How the cells of a file are written; all of it may be left out."""

    format: Kind | None = None
    separator: str = Field(default=",", min_length=1, max_length=1)
    quote: str = '"'
    escape: str | None = Field(default=None, min_length=1, max_length=1)
    encoding: str = "utf-8"
    columns: list[str] | None = Field(default=None, min_length=1)
    skip_lines: int = Field(default=0, ge=0)
    ragged: Literal["refuse", "bad_row"] = "refuse"

    @field_validator("quote")
    @classmethod
    def _one_character(cls, quote: str) -> str:
        if quote != "none" and (len(quote) != 1 or not quote.isascii()):
            raise ValueError("must be one ASCII character, or none")
        return quote

    @field_validator("separator")
    @classmethod
    def _ascii(cls, separator: str) -> str:
        if not separator.isascii() or separator in "\r\n":
            raise ValueError('must be one ASCII character, such as ";" or "\\t"')
        return separator

    @field_validator("encoding")
    @classmethod
    def _known(cls, encoding: str) -> str:
        try:
            is_text = codecs.lookup(encoding)._is_text_encoding  # noqa: SLF001  there is no other
        except LookupError:
            is_text = False
        if not is_text:
            raise ValueError("is no encoding, such as utf-8, windows-1252 or utf-16")
        return encoding

    @model_validator(mode="after")
    def _columns_once(self) -> Self:
        if self.columns and len(set(self.columns)) < len(self.columns):
            raise ValueError("columns: names a column twice; give each one name of its own")
        return self

    @property
    def quote_char(self) -> str | None:
        """Quotation mark, or None where quotation marks are text."""
        return None if self.quote == "none" else self.quote

    @property
    def is_utf8(self) -> bool:
        """Whether the file is UTF-8, with or without a byte order mark."""
        return codecs.lookup(self.encoding).name in {"utf-8", "utf-8-sig", "ascii"}

    def separator_of(self, path: Path) -> str:
        """Return the separator; of a ``.tsv`` file it is a tab unless the mapping gives one."""
        if "separator" not in self.model_fields_set and _inner_suffix(path) in _TAB_SUFFIXES:
            return "\t"
        return self.separator

    def kind_of(self, path: Path) -> Kind:
        """Return what kind of file this is.

        Raises:
            UnreadableFile: neither its name nor the mapping says so.
        """
        kind = self.format or KIND_BY_SUFFIX.get(_inner_suffix(path))
        if kind is None:
            raise UnreadableFile(
                f"{path.name}: its name ends in none of {', '.join(KIND_BY_SUFFIX)}, also with"
                f" {', '.join(COMPRESSED)}; rename it, or give format in the mapping"
            )
        return kind


def compression_of(path: Path) -> str | None:
    """Return the suffix of the compression, or None."""
    suffix = path.suffix.lower()
    return suffix if suffix in COMPRESSED else None


def content_hash(path: Path) -> str:
    """Hash the content of a file."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _inner_suffix(path: Path) -> str:
    suffixes = [suffix.lower() for suffix in path.suffixes]
    if suffixes and suffixes[-1] in COMPRESSED:
        suffixes.pop()
        # A bare .gz has always been CSV.
        return suffixes[-1] if suffixes and suffixes[-1] in KIND_BY_SUFFIX else ".csv"
    return suffixes[-1] if suffixes else ""
