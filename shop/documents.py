"""What the shop answers, for the documentation of its API; answers are built elsewhere."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import BaseModel, Field

Purchases = Annotated[
    list[dict[str, Any]], Field(description="Purchases in the order in which they happened")
]


class Health(BaseModel):
    """The shop answers, and since when its feed is live."""

    status: str = "ok"
    history_from_ms: int = Field(description="Where the feed begins, epoch ms UTC")
    live_from_ms: int = Field(description="When the busy sale began, epoch ms UTC")


class FeedPage(BaseModel):
    """A stretch of the live feed."""

    events: Purchases
    next_cursor: str = Field(
        description="Hand it back as `after` to go on", examples=["29380123:4"]
    )
    sequence: int = Field(description="How many events precede next_cursor, from the beginning on")
    head_sequence: int = Field(
        description="How many events exist by now; the difference is your lag"
    )


class Chargeback(BaseModel):
    """A purchase that its card issuer reports as fraud."""

    source: str = Field(description="As in the purchase", examples=["shop"])
    id: str = Field(description="As in the purchase", examples=["29380123-4"])
    verdict: Literal["fraud"]
    by: Literal["issuer"]
    known_at_ms: int = Field(description="When the report came, epoch ms UTC")


class ChargebackPage(BaseModel):
    """A stretch of the chargebacks, in the order in which they became known."""

    chargebacks: list[Chargeback]
    next_cursor: str = Field(
        description="Hand it back as `after` to go on", examples=["29384461:1"]
    )
    sequence: int = Field(
        description="How many chargebacks precede next_cursor, from the beginning on"
    )
    head_sequence: int = Field(description="How many chargebacks are known by now")


class ExtractPage(BaseModel):
    """One page of a closed day; everything but `page` and `purchases` is the same on each."""

    day: str = Field(examples=["2026-03-14"])
    page: int
    pages: int
    page_size: int
    total_purchases: int = Field(description="Purchases of the whole day, over all pages")
    total_amount_minor_by_currency: dict[str, int] = Field(
        description="Sum of amount_minor over all purchases of the day, whatever their status",
        examples=[{"EUR": 68123450, "JPY": 1203400}],
    )
    checksum_sha256: str = Field(
        description="SHA-256 over the day's purchases in order, each as JSON with sorted keys, no "
        "spaces and ASCII escapes, followed by a line feed"
    )
    purchases: Purchases


class Refusal(BaseModel):
    """Why there is no answer."""

    detail: str
