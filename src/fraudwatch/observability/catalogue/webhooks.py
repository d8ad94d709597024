"""Declare the metrics of the webhooks."""

from __future__ import annotations

from typing import Final

from fraudwatch.domain.webhooks.delivery_state import EventState, FailureReason
from fraudwatch.observability.catalogue.metric import (
    NEVER_ALONE,
    Kind,
    Label,
    Metric,
    Section,
    Unit,
)

_SUBSCRIPTION: Final = Label("subscription")
_REASON: Final = Label("reason", tuple(map(str, FailureReason)))

WEBHOOKS: Final = Section(
    "Webhooks",
    ("webhooks",),
    "`subscription` is the id that `./fraudwatch webhooks list` shows.",
    (
        Metric(
            name="fraudwatch_webhooks_messages_total",
            kind=Kind.COUNTER,
            unit=Unit.COUNT,
            meaning="Verdicts and labels consumed, approvals included",
            worry_when="it stops increasing while verdicts are published: clients get no events",
        ),
        Metric(
            name="fraudwatch_webhooks_recorded_total",
            kind=Kind.COUNTER,
            unit=Unit.COUNT,
            meaning="Events added to the outbox, one for each subscription that wants it",
            worry_when=NEVER_ALONE,
        ),
        Metric(
            name="fraudwatch_webhooks_unreadable_total",
            kind=Kind.COUNTER,
            unit=Unit.COUNT,
            meaning="Messages without a valid verdict or label",
            worry_when="it is not 0: the persister has dead-lettered the messages with the reason",
        ),
        Metric(
            name="fraudwatch_webhooks_paused",
            kind=Kind.GAUGE,
            unit=Unit.FLAG,
            meaning="1 while the outbox or the subscriptions cannot be used and consumption is "
            "paused",
            worry_when="it stays 1 for a minute: the disk is full, or the subscriptions' file is "
            "damaged",
        ),
        Metric(
            name="fraudwatch_webhooks_delivered_total",
            kind=Kind.COUNTER,
            unit=Unit.COUNT,
            meaning="Events that the client has acknowledged",
            worry_when=NEVER_ALONE,
            labels=(_SUBSCRIPTION,),
        ),
        Metric(
            name="fraudwatch_webhooks_failures_total",
            kind=Kind.COUNTER,
            unit=Unit.COUNT,
            meaning="Attempts that failed, by reason",
            worry_when="address_refused grows: the name leads to an address that is not public",
            labels=(_SUBSCRIPTION, _REASON),
        ),
        Metric(
            name="fraudwatch_webhooks_dead_lettered_total",
            kind=Kind.COUNTER,
            unit=Unit.COUNT,
            meaning="Events given up after too many attempts or too long a time",
            worry_when="it grows: the client lacks events until they are replayed",
            labels=(_SUBSCRIPTION, _REASON),
        ),
        Metric(
            name="fraudwatch_webhooks_dropped_total",
            kind=Kind.COUNTER,
            unit=Unit.COUNT,
            meaning="Events deleted from the outbox by age, number or removal, by their last state",
            worry_when="waiting or dead grows: these events can no longer be replayed",
            labels=(Label("state", tuple(map(str, EventState))),),
        ),
        Metric(
            name="fraudwatch_webhooks_failing",
            kind=Kind.GAUGE,
            unit=Unit.FLAG,
            meaning="1 from a failed attempt to the next that succeeds",
            worry_when="it stays 1 for a quarter of an hour: the client gets nothing",
            labels=(_SUBSCRIPTION,),
        ),
        Metric(
            name="fraudwatch_webhooks_waiting",
            kind=Kind.GAUGE,
            unit=Unit.COUNT,
            meaning="Events that wait for their delivery",
            worry_when="it grows while the client does not fail: one connection is too slow for it",
            labels=(_SUBSCRIPTION,),
        ),
        Metric(
            name="fraudwatch_webhooks_oldest_waiting_seconds",
            kind=Kind.GAUGE,
            unit=Unit.SECONDS,
            meaning="Time that the oldest waiting event has been queued; 0 while none waits",
            worry_when="it is above minutes: the client fails, or refuses a customer's events",
            labels=(_SUBSCRIPTION,),
        ),
    ),
)
