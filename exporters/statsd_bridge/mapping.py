"""Read the mapping file of statsd_exporter, which the native bridge and compose share.

Of its format only what the file uses: default buckets, and mappings by glob with name, labels and
``action: drop``. All else is refused at the start, so that both programs always write the same.
"""

from __future__ import annotations

import re
from functools import lru_cache
from itertools import pairwise
from pathlib import Path
from typing import Annotated, Final, Literal, NamedTuple

import msgspec
from msgspec import Meta

from exporters.statsd_bridge.lines import Sample, plain_name

_WILDCARD: Final = "*"
_REFERENCE: Final = re.compile(r"\$\{?(\d+)\}?")
# As statsd_exporter checks them.
_MATCH: Final = r"^(\*|[a-zA-Z_][\w\-]*)(\.\*|\.\w[\w\-]*)*$"
_NAME: Final = r"^([a-zA-Z_]|\$\{?\d+\}?)(\w|\$\{?\d+\}?)*$"
_LABEL: Final = r"^[a-zA-Z_]\w+$"
# Names that one process sends are few; the bound is against a sender that invents them.
_REMEMBERED_NAMES: Final = 4_096


class BadMapping(ValueError):
    """The mapping file cannot be used; the message says what to correct."""


class HistogramOptions(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Upper bounds of a histogram's buckets, in seconds."""

    buckets: Annotated[tuple[float, ...], Meta(min_length=1)]


class Defaults(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Defaults of every metric."""

    observer_type: Literal["histogram"]
    histogram_options: HistogramOptions


class Rule(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One entry of ``mappings``; the first that matches counts."""

    match: Annotated[str, Meta(pattern=_MATCH)]
    name: Annotated[str, Meta(pattern=_NAME)]
    action: Literal["map", "drop"] = "map"
    labels: dict[Annotated[str, Meta(pattern=_LABEL)], str] = {}


class MappingFile(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The whole file."""

    defaults: Defaults
    mappings: tuple[Rule, ...] = ()


class MappedName(NamedTuple):
    """Name and additional labels of a metric in Prometheus."""

    name: str
    labels: tuple[tuple[str, str], ...]


class Mapping:
    """Names of Prometheus by names of StatsD."""

    def __init__(self, file: MappingFile) -> None:
        """Compile the rules."""
        self.buckets = file.defaults.histogram_options.buckets
        self._rules = [(_pattern(rule.match), rule) for rule in file.mappings]
        self._mapped = lru_cache(_REMEMBERED_NAMES)(self._map)

    def mapped(self, sample: Sample) -> MappedName | None:
        """Return name and all labels of a sample; None where it is dropped."""
        mapped = self._mapped(sample.name)
        if mapped is None or not mapped.labels:
            return mapped and MappedName(mapped.name, sample.labels)
        labels = dict(sample.labels) | dict(mapped.labels)
        return MappedName(mapped.name, tuple(sorted(labels.items())))

    def _map(self, name: str) -> MappedName | None:
        for pattern, rule in self._rules:
            if found := pattern.fullmatch(name):
                return None if rule.action == "drop" else _filled(rule, found)
        return MappedName(plain_name(name), ())


def load_mapping(path: Path) -> Mapping:
    """Read and check a mapping file.

    Raises:
        BadMapping: it is missing, invalid, or uses more than the bridge can do.
    """
    try:
        file = msgspec.yaml.decode(path.read_bytes(), type=MappingFile)
    except (OSError, msgspec.DecodeError) as error:
        raise BadMapping(
            f"the StatsD bridge cannot use {path} ({error}), so it did not start; it knows "
            "defaults (observer_type: histogram, histogram_options) and mappings by glob with "
            "match, name, labels and action: remove the rest, or run statsd_exporter instead"
        ) from error
    _check(file, path)
    return Mapping(file)


def _check(file: MappingFile, path: Path) -> None:
    buckets = file.defaults.histogram_options.buckets
    if any(low >= high for low, high in pairwise(buckets)):
        raise BadMapping(f"the buckets in {path} do not rise, so no bridge was started; sort them")
    for rule in file.mappings:
        wildcards = rule.match.count(_WILDCARD)
        for text in (rule.name, *rule.labels.values()):
            if any(not 1 <= int(one) <= wildcards for one in _REFERENCE.findall(text)):
                raise BadMapping(
                    f"{text} in {path} refers to a wildcard that {rule.match} does not have, so "
                    f"no bridge was started; it has {wildcards}"
                )


def _pattern(match: str) -> re.Pattern[str]:
    parts = ("([^.]*)" if part == _WILDCARD else re.escape(part) for part in match.split("."))
    return re.compile(r"\.".join(parts))


def _filled(rule: Rule, found: re.Match[str]) -> MappedName:
    def fill(text: str) -> str:
        return _REFERENCE.sub(lambda one: found[int(one[1])], text)

    labels = tuple((label, fill(text)) for label, text in rule.labels.items())
    return MappedName(plain_name(fill(rule.name)), labels)
