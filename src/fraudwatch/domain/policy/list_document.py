"""Lists of a policy: entries with reason, author and expiry, an artefact of their own.

A policy and its lists make verdicts together (:func:`with_lists`), and a verdict names both: its
``policy_version`` is ``name+hash of the policy+hash of the lists``.
"""

from __future__ import annotations

import dataclasses
import enum
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, Final, TypeVar

from fraudwatch.domain.instants import epoch_ms_of
from fraudwatch.domain.messages.audit import LONGEST_REASON
from fraudwatch.domain.messages.verdict import Outcome
from fraudwatch.domain.policy.lists import never_matches
from fraudwatch.domain.policy.policy import BrokenPolicy, Policy
from fraudwatch.domain.policy.values import expect_keys, mapping
from fraudwatch.domain.rules.lists import NEVER_EXPIRES, DenyList, ListEntries

NO_LISTS_DOCUMENT: Final = b"entries: []\n"
T = TypeVar("T", bound=enum.StrEnum)
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_NEEDED: Final = {"list", "kind", "value", "reason", "by", "added_at"}
_BY: Final = re.compile(r"[A-Za-z0-9._@-]{1,64}")


class ListName(enum.StrEnum):
    """List of a policy: what it does to a purchase."""

    DENY = "deny"  # decline
    ALLOW = "allow"  # approve over everything but a deny entry


class ListKind(enum.StrEnum):
    """Kind of thing that an entry names."""

    CUSTOMER = "customer"
    CARD = "card"
    DEVICE = "device"
    NETWORK = "network"
    MERCHANT = "merchant"
    COUNTRY = "country"

    @property
    def column(self) -> str:
        """Column of a purchase that holds such a value."""
        return _COLUMNS[self]


_COLUMNS: Final[Mapping[ListKind, str]] = {
    ListKind.CUSTOMER: "customer_token",
    ListKind.CARD: "card_token",
    ListKind.DEVICE: "device_token",
    ListKind.NETWORK: "ip_network_token",
    ListKind.MERCHANT: "merchant_id",
    ListKind.COUNTRY: "merchant_country",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class ListEntry:
    """One entry: a value, and why, by whom and until which event time it is listed."""

    name: ListName
    kind: ListKind
    value: str
    reason: str
    by: str
    added_at_ms: int
    expires_at_ms: int | None = None  # event time from which it no longer counts; None: never

    @property
    def key(self) -> tuple[ListName, ListKind, str]:
        """Identity of the entry: a list names a value once."""
        return self.name, self.kind, self.value


@dataclass(frozen=True, slots=True)
class PolicyLists:
    """All entries, with the version of their file."""

    version: str = ""
    entries: tuple[ListEntry, ...] = ()

    def of(self, name: ListName) -> ListEntries:
        """Return the entries of one list by column."""
        columns: dict[str, dict[str, int]] = {}
        for entry in self.entries:
            if entry.name is name:
                until_ms = NEVER_EXPIRES if entry.expires_at_ms is None else entry.expires_at_ms
                columns.setdefault(entry.kind.column, {})[entry.value] = until_ms
        return ListEntries(**columns)


def with_lists(policy: Policy, lists: PolicyLists) -> Policy:
    """Return the policy that scores: the document with these lists, its version naming both."""
    deny = DenyList(policy.deny_points, lists.of(ListName.DENY))
    return dataclasses.replace(
        policy,
        version=f"{policy.version}+{lists.version}" if lists.version else policy.version,
        rules=(*(rule for rule in policy.rules if rule.name != DenyList.name), deny),
        floors={**policy.floors, DenyList.name: Outcome.DECLINE},
        allow=lists.of(ListName.ALLOW),
    )


def lists_from(document: Mapping[str, Any]) -> tuple[ListEntry, ...]:
    """Build the entries from a parsed document; an invalid value is never quoted.

    Raises:
        BrokenPolicy: a key is missing or unknown, an entry can never match, or is there twice.
    """
    expect_keys(document, {"entries"}, "the lists")
    given = document["entries"]
    if not isinstance(given, list):
        raise BrokenPolicy("entries must be a list, [] for none")
    entries = tuple(_entry(one, f"entry {number}") for number, one in enumerate(given, start=1))
    places: dict[object, int] = {}
    for number, entry in enumerate(entries, start=1):
        first = places.setdefault(entry.key, number)
        if first != number:
            raise BrokenPolicy(f"entry {number} is entry {first} again; remove one of them")
    return entries


def lists_document(entries: tuple[ListEntry, ...]) -> dict[str, Any]:
    """Return the document of these entries; :func:`lists_from` reads it."""
    return {"entries": list(map(_document, entries))}


def instant_text(at_ms: int) -> str:
    """Format an instant as in the file: ``2026-11-30T09:00:00Z``."""
    instant = _EPOCH + timedelta(milliseconds=at_ms)
    return instant.isoformat(timespec="seconds").replace("+00:00", "Z")


def _document(entry: ListEntry) -> dict[str, Any]:
    document: dict[str, Any] = {
        "list": str(entry.name),
        "kind": str(entry.kind),
        "value": entry.value,
        "reason": entry.reason,
        "by": entry.by,
        "added_at": instant_text(entry.added_at_ms),
    }
    if entry.expires_at_ms is not None:
        document["expires_at"] = instant_text(entry.expires_at_ms)
    return document


def _entry(given: object, where: str) -> ListEntry:
    settings = mapping(given, where)
    expect_keys(settings, _NEEDED, where, {"expires_at"})
    texts = dict(_texts(settings, where))
    kind = _one_of(ListKind, texts["kind"], f"{where}: kind")
    if wrong := never_matches(kind.column, texts["value"]):
        raise BrokenPolicy(f"{where}: value can never match a {kind}, it {wrong}")
    if not 0 < len(texts["reason"].strip()) <= LONGEST_REASON:
        raise BrokenPolicy(f"{where}: reason must have 1 to {LONGEST_REASON} characters")
    if not _BY.fullmatch(texts["by"]):
        raise BrokenPolicy(f"{where}: by must be a login")
    added_at_ms = _instant(settings["added_at"], f"{where}: added_at")
    expires_at = settings.get("expires_at")
    expires_at_ms = None if expires_at is None else _instant(expires_at, f"{where}: expires_at")
    if expires_at_ms is not None and expires_at_ms <= added_at_ms:
        raise BrokenPolicy(f"{where}: expires_at must be after added_at")
    return ListEntry(
        name=_one_of(ListName, texts["list"], f"{where}: list"),
        kind=kind,
        value=texts["value"],
        reason=texts["reason"].strip(),
        by=texts["by"],
        added_at_ms=added_at_ms,
        expires_at_ms=expires_at_ms,
    )


def _texts(settings: Mapping[str, Any], where: str) -> Iterator[tuple[str, str]]:
    for name in ("list", "kind", "value", "reason", "by"):
        if not isinstance(settings[name], str):
            raise BrokenPolicy(
                f"{where}: {name} must be a text; quote it: to YAML, NO without quotes is false "
                "and 007 a number"
            )
        yield name, settings[name]


def _one_of(kind: type[T], given: str, where: str) -> T:
    try:
        return kind(given)
    except ValueError:
        raise BrokenPolicy(f"{where} must be one of {', '.join(kind)}") from None


def _instant(given: object, where: str) -> int:
    """Parse an instant; without a zone it is UTC, and a day begins at midnight."""
    try:
        instant = given if isinstance(given, datetime) else datetime.fromisoformat(str(given))
        aware = instant if instant.tzinfo else instant.replace(tzinfo=UTC)
        return epoch_ms_of(aware)
    except (ValueError, OverflowError):
        raise BrokenPolicy(
            f"{where} must be an instant such as 2026-12-31T00:00:00Z, in UTC"
        ) from None
