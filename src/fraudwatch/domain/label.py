"""A label: what somebody came to know about a transaction, and when; training believes it."""

from __future__ import annotations

import enum
from dataclasses import dataclass

from fraudwatch.domain.fields import fact
from fraudwatch.domain.purchase import (
    EARLIEST_EVENT_MS,
    IDENTIFIER,
    LATEST_EVENT_MS,
    LONGEST_ID,
    LONGEST_SOURCE,
    SOURCE_NAME,
)

LABEL_SCHEMA = "label.v1"
# A login or the name of an office; never a mail address of a customer.
LABELLER = r"[A-Za-z0-9._@-]+"
# What the outside world may say of itself: neither a mail address nor a card number fits.
OFFICE = r"[A-Za-z][A-Za-z0-9._-]*"


class Truth(enum.StrEnum):
    """What a purchase turned out to be."""

    FRAUD = "fraud"
    GENUINE = "genuine"
    UNSURE = "unsure"  # somebody looked and cannot tell; training and reports leave it out


class Source(enum.StrEnum):
    """Where the knowledge comes from: a person's judgement or the payment system's."""

    ANALYST = "analyst"
    CHARGEBACK = "chargeback"


@dataclass(frozen=True, slots=True, kw_only=True)
class Label:
    """One piece of knowledge on ``labels_topic``, keyed by transaction id.

    Labels are only ever added: whoever changes their mind says so later, and the latest of a
    source stands. So what was known at any time in the past can be told from them.
    """

    schema: str = fact("Message version", pattern=r"label\.v1")
    transaction_id: str = fact("What it is about", pattern=IDENTIFIER, max_length=64)
    verdict: Truth = fact("What the purchase turned out to be")  # noqa: RUF009
    source: Source = fact("Where the knowledge comes from")  # noqa: RUF009
    by: str = fact("Who says so: a login or an office", pattern=LABELLER, max_length=64)
    known_at_ms: int = fact(
        "Since when it is known",
        unit="epoch ms UTC",
        minimum=EARLIEST_EVENT_MS,
        maximum=LATEST_EVENT_MS,
    )
    note: str | None = fact(
        "Why, in an analyst's words; no names, no numbers of cards", default=None, max_length=500
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class ReportedLabel:
    """What the payment system reports about one of its purchases: a chargeback, or its withdrawal.

    Without ``known_at_ms`` it is known since it came. Whoever may report twice gives it, so that
    the second report is the first one again and not another label.
    """

    source: str = fact(
        "Which system reported the purchase", pattern=SOURCE_NAME, max_length=LONGEST_SOURCE
    )
    id: str = fact("The purchase's id there", pattern=IDENTIFIER, max_length=LONGEST_ID)
    # Whoever reports knows it; only a person who looked may be unsure.
    verdict: Truth = fact(  # noqa: RUF009
        "What the purchase turned out to be", pattern=f"{Truth.FRAUD}|{Truth.GENUINE}"
    )
    by: str = fact("Which office says so", pattern=OFFICE, max_length=64)
    known_at_ms: int | None = fact(
        "Since when it is known",
        default=None,
        unit="epoch ms UTC",
        minimum=EARLIEST_EVENT_MS,
        maximum=LATEST_EVENT_MS,
    )
    # Analysts speak through the console, which knows who they are.
    kind: Source = fact(  # noqa: RUF009
        "Where the knowledge comes from", default=Source.CHARGEBACK, pattern=Source.CHARGEBACK.value
    )
