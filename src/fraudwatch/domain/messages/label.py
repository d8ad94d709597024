"""Define the label of a transaction: fraud, genuine or unsure, with source and time."""

from __future__ import annotations

import enum
from dataclasses import dataclass
from typing import Annotated, Final

from fraudwatch.domain.messages.chargeback_reason import REASON_CODE
from fraudwatch.domain.messages.fields import Fact
from fraudwatch.domain.messages.purchase import (
    EARLIEST_EVENT_MS,
    IDENTIFIER,
    LATEST_EVENT_MS,
    LONGEST_ID,
    LONGEST_SOURCE,
    LONGEST_TRANSACTION_ID,
    SOURCE_NAME,
)

LABEL_SCHEMA = "label.v1"
# A login or the name of a department; never a mail address of a customer.
LABELLER = r"[A-Za-z0-9._@-]+"
# Name of an external reporter: neither a mail address nor a card number matches.
OFFICE = r"[A-Za-z][A-Za-z0-9._-]*"


class LabelValue(enum.StrEnum):
    """Value of a label: what a purchase turned out to be."""

    FRAUD = "fraud"
    GENUINE = "genuine"
    UNSURE = "unsure"  # reviewed without a result; training and reports leave it out


class Source(enum.StrEnum):
    """Source of a label: an analyst, or the payment system, by what became of a purchase there.

    Of several sources the later label counts, so a won dispute overrules its chargeback.
    """

    ANALYST = "analyst"
    CHARGEBACK = "chargeback"
    WON_DISPUTE = "won_dispute"  # the shop proved that the card holder paid
    FRIENDLY_FRAUD = "friendly_fraud"  # the card holder paid, and denies it


NEVER_FRAUD: Final = frozenset({Source.WON_DISPUTE, Source.FRIENDLY_FRAUD})
"""Sources whose label is genuine: the card holder paid, whatever was claimed afterwards."""
_REPORTED: Final = "|".join(one for one in Source if one is not Source.ANALYST)


@dataclass(frozen=True, slots=True, kw_only=True)
class Label:
    """One label on ``labels_topic``, keyed by transaction id.

    Labels are only ever added: a changed decision is a later label, and the latest of a source is
    in effect. So the labels known at any time in the past can be derived from them.
    """

    schema: Annotated[str, Fact("Message version", pattern=r"label\.v1")]
    transaction_id: Annotated[
        str, Fact("The labelled transaction", pattern=IDENTIFIER, max_length=LONGEST_TRANSACTION_ID)
    ]
    verdict: Annotated[LabelValue, Fact("What the purchase turned out to be")]
    source: Annotated[Source, Fact("Source of the label")]
    by: Annotated[
        str, Fact("Labelled by: a login or a department", pattern=LABELLER, max_length=64)
    ]
    known_at_ms: Annotated[
        int,
        Fact(
            "When it became known",
            unit="epoch ms UTC",
            minimum=EARLIEST_EVENT_MS,
            maximum=LATEST_EVENT_MS,
        ),
    ]
    note: Annotated[
        str | None,
        Fact("Why, in an analyst's words; no names, no numbers of cards", max_length=500),
    ] = None
    reason_code: Annotated[
        str | None, Fact("The card scheme's code of a chargeback", pattern=REASON_CODE)
    ] = None

    @property
    def decides(self) -> bool:
        """Whether the label closes the transaction's alert: unsure leaves it open."""
        return self.verdict is not LabelValue.UNSURE


@dataclass(frozen=True, slots=True, kw_only=True)
class ReportedLabel:
    """Label reported by the payment system: a chargeback, its withdrawal, or how a dispute ended.

    Without ``known_at_ms`` the time of arrival counts. A reporter that may repeat a report sends
    it, so that the repeat is recognised and is not another label.
    """

    source: Annotated[
        str,
        Fact("Which system reported the purchase", pattern=SOURCE_NAME, max_length=LONGEST_SOURCE),
    ]
    id: Annotated[str, Fact("The purchase's id there", pattern=IDENTIFIER, max_length=LONGEST_ID)]
    # A report is definite; only an analyst may be unsure.
    verdict: Annotated[
        LabelValue,
        Fact(
            "What the purchase turned out to be", pattern=f"{LabelValue.FRAUD}|{LabelValue.GENUINE}"
        ),
    ]
    by: Annotated[str, Fact("The reporting department", pattern=OFFICE, max_length=64)]
    known_at_ms: Annotated[
        int | None,
        Fact(
            "When it became known",
            unit="epoch ms UTC",
            minimum=EARLIEST_EVENT_MS,
            maximum=LATEST_EVENT_MS,
        ),
    ] = None
    # Analysts label in the console, where they are logged in.
    kind: Annotated[
        Source, Fact("Source of the label: what became of the purchase", pattern=_REPORTED)
    ] = Source.CHARGEBACK
    reason_code: Annotated[
        str | None, Fact("The card scheme's code of a chargeback: 10.4, 4837", pattern=REASON_CODE)
    ] = None
