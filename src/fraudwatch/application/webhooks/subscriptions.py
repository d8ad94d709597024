"""Manage subscriptions of webhooks, each change with an audit record first."""

from __future__ import annotations

import re
import secrets
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final
from urllib.parse import urlsplit

from fraudwatch.application.webhooks.ports import SubscriptionStore
from fraudwatch.domain.messages.audit import AuditAction
from fraudwatch.domain.messages.label import LABELLER
from fraudwatch.domain.messages.purchase import LONGEST_SOURCE, SOURCE_NAME
from fraudwatch.domain.time_units import HOUR_MS
from fraudwatch.domain.webhooks.signature import SECRET_BYTES, secret_text
from fraudwatch.domain.webhooks.subscription import (
    EventKind,
    SigningSecret,
    Subscription,
    UrlRefused,
    check_url,
)

# Each has a thread and a connection.
MAX_SUBSCRIPTIONS: Final = 32
MAX_OVERLAP_HOURS: Final = 24 * 30
_ID_BYTES: Final = 4
_LONGEST_CLIENT: Final = 64
_LONGEST_URL: Final = 2_000
_LONGEST_SUBJECT: Final = 200


class SubscriptionRefused(Exception):
    """A change of subscriptions breaks a rule; nothing was changed."""


RecordChange = Callable[[AuditAction, str], None]
"""Keeps the audit record of an action on a subject; an exception prevents the change."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SubscriptionRequest:
    """Wanted properties of a new subscription."""

    url: str
    client: str
    events: Sequence[EventKind]
    sources: Sequence[str] = ()

    def check(self, *, allow_loopback: bool) -> None:
        """Check the request.

        Raises:
            SubscriptionRefused: a property breaks its bounds.
        """
        faults = []
        if len(self.client) > _LONGEST_CLIENT or not re.fullmatch(LABELLER, self.client):
            faults.append(f"the client's name needs 1 to {_LONGEST_CLIENT} of A-Z a-z 0-9 . _ @ -")
        if not self.events:
            faults.append(f"a subscription needs at least one event of {', '.join(EventKind)}")
        if any(len(s) > LONGEST_SOURCE or not re.fullmatch(SOURCE_NAME, s) for s in self.sources):
            faults.append(f"a source has 1 to {LONGEST_SOURCE} of a-z 0-9 _ -")
        if len(self.url) > _LONGEST_URL:
            faults.append(f"the URL has more than {_LONGEST_URL} characters")
        if faults:
            raise SubscriptionRefused(f"{'; '.join(faults)}. No subscription was made.")
        try:
            check_url(self.url, allow_loopback=allow_loopback)
        except UrlRefused as error:
            raise SubscriptionRefused(str(error)) from error


@dataclass(frozen=True, slots=True)
class Subscriptions:
    """Use cases of subscriptions."""

    store: SubscriptionStore
    record: RecordChange
    now_ms: Callable[[], int]

    def add(self, request: SubscriptionRequest, *, allow_loopback: bool) -> Subscription:
        """Create a subscription; events from now on are sent to it.

        Raises:
            SubscriptionRefused: the request breaks a rule, or there are too many.
        """
        request.check(allow_loopback=allow_loopback)
        subscription = Subscription(
            subscription_id=secrets.token_hex(_ID_BYTES),
            client=request.client,
            url=request.url,
            events=tuple(sorted(set(request.events))),
            sources=tuple(sorted(set(request.sources))),
            secrets=(SigningSecret(_new_secret()),),
            created_at_ms=self.now_ms(),
        )

        def added(known: Mapping[str, Subscription]) -> Mapping[str, Subscription]:
            if len(known) >= MAX_SUBSCRIPTIONS:
                raise SubscriptionRefused(
                    f"there are {MAX_SUBSCRIPTIONS} subscriptions, the limit; remove one first. "
                    "No subscription was made."
                )
            self.record(AuditAction.WEBHOOK_ADDED, _subject(subscription))
            return {**known, subscription.subscription_id: subscription}

        self.store.change(added)
        return subscription

    def remove(self, subscription_id: str) -> Subscription:
        """Remove a subscription; what waits for it is dropped.

        Raises:
            SubscriptionRefused: there is none with this id.
        """
        subscription = self.find(subscription_id)

        def removed(known: Mapping[str, Subscription]) -> Mapping[str, Subscription]:
            self.record(AuditAction.WEBHOOK_REMOVED, _subject(_one_of(known, subscription_id)))
            return {key: one for key, one in known.items() if key != subscription_id}

        self.store.change(removed)
        return subscription

    def rotate(self, subscription_id: str, overlap_hours: int) -> Subscription:
        """Give a subscription another secret; for ``overlap_hours`` the earlier one signs too.

        Raises:
            SubscriptionRefused: there is none with this id, or the overlap is out of bounds.
        """
        if not 0 <= overlap_hours <= MAX_OVERLAP_HOURS:
            raise SubscriptionRefused(
                f"the overlap is 0 to {MAX_OVERLAP_HOURS} hours; nothing was changed"
            )
        secret, now_ms = _new_secret(), self.now_ms()

        def rotated(known: Mapping[str, Subscription]) -> Mapping[str, Subscription]:
            subscription = _one_of(known, subscription_id)
            self.record(AuditAction.WEBHOOK_SECRET_ROTATED, _subject(subscription))
            changed = subscription.with_new_secret(secret, now_ms, overlap_hours * HOUR_MS)
            return {**known, subscription_id: changed}

        self.store.change(rotated)
        return self.find(subscription_id)

    def find(self, subscription_id: str) -> Subscription:
        """Return a subscription.

        Raises:
            SubscriptionRefused: there is none with this id.
        """
        return _one_of(self.store.current(), subscription_id)

    def record_replay(self, subscription_id: str) -> None:
        """Keep the audit record of a replay, before it.

        Raises:
            SubscriptionRefused: there is none with this id.
        """
        self.record(AuditAction.WEBHOOK_REPLAYED, _subject(self.find(subscription_id)))


def _one_of(known: Mapping[str, Subscription], subscription_id: str) -> Subscription:
    if (found := known.get(subscription_id)) is None:
        raise SubscriptionRefused(
            f"there is no subscription {subscription_id}, so nothing was changed; "
            "./fraudwatch webhooks list shows their ids"
        )
    return found


def _new_secret() -> str:
    return secret_text(secrets.token_bytes(SECRET_BYTES))


def _subject(subscription: Subscription) -> str:
    """Describe a subscription in an audit record; its URL's path may be a secret."""
    sources = f"{len(subscription.sources)} sources" if subscription.sources else "all sources"
    text = (
        f"webhook {subscription.subscription_id} of {subscription.client}: "
        f"{', '.join(subscription.events)}; {sources}; to {urlsplit(subscription.url).hostname}"
    )
    return text[:_LONGEST_SUBJECT]
