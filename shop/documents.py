"""Response models for the API documentation; responses are built elsewhere."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import BaseModel, Field

Purchases = Annotated[
    list[dict[str, Any]], Field(description="Purchases in the order in which they happened")
]


class Health(BaseModel):
    """The health of the shop, and the start of its history and of its live time."""

    status: str = "ok"
    history_from_ms: int = Field(description="Time of the start of the feed, epoch ms UTC")
    live_from_ms: int = Field(description="Time at which the busy sale began, epoch ms UTC")


class FeedPage(BaseModel):
    """One page of the live feed."""

    events: Purchases
    next_cursor: str = Field(
        description="Pass it as `after` to get the next page", examples=["29380123:4"]
    )
    sequence: int = Field(description="Number of events before next_cursor, since the beginning")
    head_sequence: int = Field(
        description="Number of events that exist by now; the difference is your lag"
    )


class Chargeback(BaseModel):
    """A purchase that its card issuer reports as fraud."""

    source: str = Field(description="As in the purchase", examples=["shop"])
    id: str = Field(description="As in the purchase", examples=["29380123-4"])
    verdict: Literal["fraud"]
    by: Literal["issuer"]
    known_at_ms: int = Field(description="Time of the report, epoch ms UTC")


class ChargebackPage(BaseModel):
    """One page of chargebacks, in the order in which they became known."""

    chargebacks: list[Chargeback]
    next_cursor: str = Field(
        description="Pass it as `after` to get the next page", examples=["29384461:1"]
    )
    sequence: int = Field(
        description="Number of chargebacks before next_cursor, since the beginning"
    )
    head_sequence: int = Field(description="Number of chargebacks that are known by now")


class ExtractPage(BaseModel):
    """One page of a closed day; everything but `page` and `purchases` is the same on each."""

    day: str = Field(examples=["2026-03-14"])
    page: int
    pages: int
    page_size: int
    total_purchases: int = Field(description="Purchases of the whole day, over all pages")
    total_amount_minor_by_currency: dict[str, int] = Field(
        description="Sum of amount_minor over all purchases of the day, of any status",
        examples=[{"EUR": 68123450, "JPY": 1203400}],
    )
    checksum_sha256: str = Field(
        description="SHA-256 over the day's purchases in order, each as JSON with sorted keys, no "
        "spaces and ASCII escapes, followed by a line feed"
    )
    purchases: Purchases


class Refusal(BaseModel):
    """The reason why a request was refused."""

    detail: str
