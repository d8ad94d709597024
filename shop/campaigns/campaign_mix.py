"""The order in which kinds of fraud are dealt: one campaign per slot of time."""

from __future__ import annotations

from dataclasses import dataclass

from shop.campaigns.account_takeover import account_takeover, night_spree
from shop.campaigns.bulk_buying import bulk_buying
from shop.campaigns.campaign import Stage
from shop.campaigns.card_testing import card_testing, failed_payments
from shop.campaigns.cloned_card import impossible_travel
from shop.campaigns.compromised_merchant import compromised_merchant
from shop.campaigns.stolen_card import burst, stolen_card


@dataclass(frozen=True, slots=True)
class Pattern:
    """A kind of campaign and how many frauds it makes on average."""

    stage: Stage
    mean_frauds: float


_S, _B = Pattern(stolen_card, 3.0), Pattern(burst, 14.0)
_T, _C = Pattern(impossible_travel, 1.5), Pattern(card_testing, 6.5)
_F, _N = Pattern(failed_payments, 6.0), Pattern(night_spree, 3.0)
_A, _K = Pattern(account_takeover, 1.5), Pattern(bulk_buying, 1.5)
_M = Pattern(compromised_merchant, 1.5)

# Over and over: every kind once, then mostly the quiet ones, which leave room for more campaigns
# within the same share of fraud, so that several kinds show within minutes of a demonstration.
DECK = (
    *(_S, _T, _C, _A, _K, _B, _N, _F, _M),
    *(_S, _A, _T, _N, _K, _S, _T, _A, _M, _S),
    *(_K, _T, _N, _A, _S, _T, _K, _M, _S, _A, _N),
)
MEAN_FRAUDS_PER_CAMPAIGN = sum(pattern.mean_frauds for pattern in DECK) / len(DECK)
