"""Feed files: one YAML file for each feed in another shape, with its mapping and where to read it.

``docs/feeds.md`` explains the keys for operators.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, Self

import httpx
import yaml
from pydantic import Field, ValidationError, field_validator, model_validator

from fraudwatch.adapters.datasets.json_path import WrongPath, is_json_path, steps_of
from fraudwatch.adapters.datasets.layout import Strict
from fraudwatch.adapters.datasets.mapping import WrongMapping, load_mapping
from fraudwatch.adapters.notifications.http_addresses import checked_url
from fraudwatch.application.intake.intake import MAPPED_FEED_PREFIX

if TYPE_CHECKING:
    from fraudwatch.adapters.datasets.records import RecordMapper

_SUFFIX: Final = ".yaml"
_MAPPING_SUFFIX: Final = "_mapping.yaml"
_NAME: Final = re.compile(r"[a-z0-9][a-z0-9_-]{0,39}")
_LARGEST_PAGE: Final = 2_000


class BrokenFeedFile(ValueError):
    """A feed cannot be followed; the message names its file, the cause and the cure."""


class Pages(Strict):
    """Paths of a page's records and of the cursor of the page after it."""

    records: str = "$.data"
    next_cursor: str | None = None
    last_record_cursor: str | None = None

    @field_validator("records", "next_cursor", "last_record_cursor")
    @classmethod
    def _path(cls, path: str | None) -> str | None:
        if path is not None:
            if not is_json_path(path):
                raise ValueError("must be a JSON path such as $.data")
            try:
                steps_of(path)
            except WrongPath as error:
                raise ValueError(str(error)) from None
        return path

    @model_validator(mode="after")
    def _one_cursor(self) -> Self:
        if (self.next_cursor is None) == (self.last_record_cursor is None):
            raise ValueError("give either next_cursor, a path in the page, or last_record_cursor")
        return self


class FeedFile(Strict):
    """Validated feed file."""

    about: str = ""
    url: str
    api_key_header: str | None = Field(default=None, pattern=r"^[A-Za-z0-9-]+$")
    mapping: str
    sources: list[str] = Field(min_length=1)
    pages: Pages
    parameters: dict[str, str] = Field(default_factory=dict)
    cursor_parameter: str = Field(default="after", min_length=1)
    limit_parameter: str | None = "limit"
    page_records: int = Field(default=100, ge=1, le=_LARGEST_PAGE)

    @field_validator("url")
    @classmethod
    def _encrypted(cls, url: str) -> str:
        try:
            is_usable = checked_url(url, "url") is not None and bool(httpx.URL(url).host)
        except (ValueError, httpx.InvalidURL):
            is_usable = False
        if not is_usable:
            raise ValueError("must be an https address, or plain http on this machine")
        return url


@dataclass(frozen=True, slots=True)
class FeedDefinition:
    """One feed to follow: its file and its mapping, checked."""

    name: str
    file: FeedFile
    mapper: RecordMapper

    @property
    def origin(self) -> str:
        """Prefix of the origin of its dead letters, and its name under the dead-letter quota."""
        return f"{MAPPED_FEED_PREFIX}{self.name}"


def feed_paths(folder: Path) -> list[Path]:
    """List the feed files of a folder, without the mappings beside them; none without a folder."""
    found = sorted(folder.glob(f"*{_SUFFIX}"))
    return [path for path in found if not path.name.endswith(_MAPPING_SUFFIX)]


def load_feed(path: Path, mappings_folder: Path) -> FeedDefinition:
    """Read and check a feed file and its mapping.

    Raises:
        BrokenFeedFile: the feed cannot be followed as its file defines.
    """
    # With polars 30 MiB, for which an ingest without such feeds has no use.
    from fraudwatch.adapters.datasets.records import RecordMapper

    if not _NAME.fullmatch(path.stem):
        raise BrokenFeedFile(
            f"{path}: its name must have at most 40 of the characters a-z 0-9 _ -; rename it"
        )
    try:
        file = FeedFile.model_validate(yaml.safe_load(path.read_text(encoding="utf-8")))
        mapping = load_mapping(mapping_path(file.mapping, path.parent, mappings_folder))
        mapper = RecordMapper(mapping)
    except (OSError, UnicodeDecodeError, yaml.YAMLError) as error:
        reason = " ".join(str(error).split())
        raise BrokenFeedFile(f"{path} cannot be read as YAML: {reason}") from error
    except ValidationError as error:
        reasons = "; ".join(_sentence(one) for one in error.errors())
        raise BrokenFeedFile(f"{path} is no valid feed file: {reasons}") from None
    except WrongMapping as error:
        reasons = " ".join(str(error).split())
        raise BrokenFeedFile(f"{path}: its mapping {reasons}") from error
    return FeedDefinition(path.stem, file, mapper)


def mapping_path(name_or_file: str, beside: Path, shipped: Path) -> Path:
    """Return the file of a mapping: a file beside the feed file, or the name of a shipped one."""
    if name_or_file.endswith((".yaml", ".yml")):
        return beside / name_or_file
    return shipped / f"{name_or_file}.yaml"


def api_key_of(definition: FeedDefinition, keys_folder: Path) -> str:
    """Read a feed's API key; it is with the keys of the home, which no backup of data has.

    Raises:
        BrokenFeedFile: there is none.
    """
    file = keys_folder / f"feed_{definition.name}.key"
    try:
        key = file.read_text(encoding="ascii").strip()
    except (OSError, UnicodeDecodeError):
        key = ""
    if not key or not key.isprintable():
        raise BrokenFeedFile(
            f"{file} has no key, so feed {definition.name} cannot be read; write the source's key"
            " into it, readable by its owner alone"
        )
    return key


def _sentence(item: Any) -> str:
    key = ".".join(str(part) for part in item["loc"])
    message = item["msg"].removeprefix("Value error, ")
    return f"{key}: {message}" if key else message
