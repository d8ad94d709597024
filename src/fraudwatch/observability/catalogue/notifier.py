"""Declare the metrics of the notifier."""

from __future__ import annotations

from typing import Final

from fraudwatch.domain.notifications.customer_notice import NoticeState
from fraudwatch.domain.notifications.staff_policy import MessageKind
from fraudwatch.observability.catalogue.metric import (
    NEVER_ALONE,
    Kind,
    Label,
    Metric,
    Section,
    Unit,
)

STAFF_CHANNELS: Final = ("mail", "chat")
CUSTOMERS: Final = "customers"
_SETTLED: Final = tuple(
    str(state) for state in NoticeState if state not in {NoticeState.WAITING, NoticeState.ASKED}
)
_CHANNEL: Final = Label("channel", (*STAFF_CHANNELS, CUSTOMERS))
_STAFF_CHANNEL: Final = Label("channel", STAFF_CHANNELS)

NOTIFIER: Final = Section(
    "Notifier",
    ("notifier",),
    "",
    (
        Metric(
            name="fraudwatch_notifier_verdicts_total",
            kind=Kind.COUNTER,
            unit=Unit.COUNT,
            meaning="Verdicts consumed",
            worry_when="it stops increasing while verdicts are published: staff are not notified",
        ),
        Metric(
            name="fraudwatch_notifier_alerts_total",
            kind=Kind.COUNTER,
            unit=Unit.COUNT,
            meaning="HIGH and CRITICAL verdicts among them, repeated ones included",
            worry_when=NEVER_ALONE,
        ),
        Metric(
            name="fraudwatch_notifier_unreadable_total",
            kind=Kind.COUNTER,
            unit=Unit.COUNT,
            meaning="Messages without a valid verdict",
            worry_when="it is not 0: the persister has dead-lettered the messages with the reason",
        ),
        Metric(
            name="fraudwatch_notifier_paused",
            kind=Kind.GAUGE,
            unit=Unit.FLAG,
            meaning="1 while the notifier cannot write its state and consumption is paused",
            worry_when="it stays 1 for a minute: the disk is full",
        ),
        Metric(
            name="fraudwatch_notifier_messages_total",
            kind=Kind.COUNTER,
            unit=Unit.COUNT,
            meaning="Messages sent to staff",
            worry_when="critical grows by the hourly limit: a campaign, or a policy that is wrong",
            labels=(_STAFF_CHANNEL, Label("kind", tuple(map(str, MessageKind)))),
        ),
        Metric(
            name="fraudwatch_notifier_given_up_total",
            kind=Kind.COUNTER,
            unit=Unit.COUNT,
            meaning="Messages to staff that a working server refused several times",
            worry_when="it is not 0: its alerts are in the console alone; the log has the reason",
            labels=(_STAFF_CHANNEL,),
        ),
        Metric(
            name="fraudwatch_notifier_failures_total",
            kind=Kind.COUNTER,
            unit=Unit.COUNT,
            meaning="Attempts that failed, by channel",
            worry_when="it grows for minutes: see fraudwatch_notifier_channel_failing",
            labels=(_CHANNEL,),
        ),
        Metric(
            name="fraudwatch_notifier_channel_failing",
            kind=Kind.GAUGE,
            unit=Unit.FLAG,
            meaning="1 from a failed attempt to the next that succeeds",
            worry_when="it stays 1 for five minutes: this channel is silent",
            labels=(_CHANNEL,),
        ),
        Metric(
            name="fraudwatch_notifier_oldest_waiting_seconds",
            kind=Kind.GAUGE,
            unit=Unit.SECONDS,
            meaning="Age of the oldest alert that no sent message has; 0 while none waits",
            worry_when="it is above the digest interval outside quiet hours",
            labels=(_STAFF_CHANNEL,),
        ),
        Metric(
            name="fraudwatch_notifier_notices_total",
            kind=Kind.COUNTER,
            unit=Unit.COUNT,
            meaning="Notices to customers that were settled, by what came of them",
            worry_when="uncertain or expired is not 0: customers may have got no notice",
            labels=(Label("state", _SETTLED),),
        ),
    ),
)
