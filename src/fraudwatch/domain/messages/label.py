"""A label: what somebody came to know about a transaction, and when; training believes it."""

from __future__ import annotations

import enum
from dataclasses import dataclass
from typing import Annotated

from fraudwatch.domain.messages.fields import Fact
from fraudwatch.domain.messages.purchase import (
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

    schema: Annotated[str, Fact("Message version", pattern=r"label\.v1")]
    transaction_id: Annotated[str, Fact("What it is about", pattern=IDENTIFIER, max_length=64)]
    verdict: Annotated[Truth, Fact("What the purchase turned out to be")]
    source: Annotated[Source, Fact("Where the knowledge comes from")]
    by: Annotated[str, Fact("Who says so: a login or an office", pattern=LABELLER, max_length=64)]
    known_at_ms: Annotated[
        int,
        Fact(
            "Since when it is known",
            unit="epoch ms UTC",
            minimum=EARLIEST_EVENT_MS,
            maximum=LATEST_EVENT_MS,
        ),
    ]
    note: Annotated[
        str | None,
        Fact("Why, in an analyst's words; no names, no numbers of cards", max_length=500),
    ] = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ReportedLabel:
    """What the payment system reports about one of its purchases: a chargeback, or its withdrawal.

    Without ``known_at_ms`` it is known since it came. Whoever may report twice gives it, so that
    the second report is the first one again and not another label.
    """

    source: Annotated[
        str,
        Fact("Which system reported the purchase", pattern=SOURCE_NAME, max_length=LONGEST_SOURCE),
    ]
    id: Annotated[str, Fact("The purchase's id there", pattern=IDENTIFIER, max_length=LONGEST_ID)]
    # Whoever reports knows it; only a person who looked may be unsure.
    verdict: Annotated[
        Truth, Fact("What the purchase turned out to be", pattern=f"{Truth.FRAUD}|{Truth.GENUINE}")
    ]
    by: Annotated[str, Fact("Which office says so", pattern=OFFICE, max_length=64)]
    known_at_ms: Annotated[
        int | None,
        Fact(
            "Since when it is known",
            unit="epoch ms UTC",
            minimum=EARLIEST_EVENT_MS,
            maximum=LATEST_EVENT_MS,
        ),
    ] = None
    # Analysts speak through the console, which knows who they are.
    kind: Annotated[
        Source, Fact("Where the knowledge comes from", pattern=Source.CHARGEBACK.value)
    ] = Source.CHARGEBACK
