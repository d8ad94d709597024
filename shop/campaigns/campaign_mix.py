"""Campaign mix: the order of the kinds of fraud, one campaign in each slot of time."""

from __future__ import annotations

from dataclasses import dataclass

from shop.campaigns.account_takeover import account_takeover, night_spree
from shop.campaigns.bulk_buying import bulk_buying
from shop.campaigns.campaign import Campaign
from shop.campaigns.card_testing import card_testing, failed_payments
from shop.campaigns.cloned_card import impossible_travel
from shop.campaigns.compromised_merchant import compromised_merchant
from shop.campaigns.stolen_card import burst, stolen_card


@dataclass(frozen=True, slots=True)
class CampaignKind:
    """A kind of campaign and the mean number of frauds in it."""

    generate: Campaign
    mean_frauds: float


_S, _B = CampaignKind(stolen_card, 3.0), CampaignKind(burst, 14.0)
_T, _C = CampaignKind(impossible_travel, 1.5), CampaignKind(card_testing, 6.5)
_F, _N = CampaignKind(failed_payments, 6.0), CampaignKind(night_spree, 3.0)
_A, _K = CampaignKind(account_takeover, 1.5), CampaignKind(bulk_buying, 1.5)
_M = CampaignKind(compromised_merchant, 1.5)

# Repeated for ever: every kind once, then mostly those with few frauds, which allow more campaigns
# for the same share of fraud, so that several kinds appear within minutes of a demonstration.
CAMPAIGN_MIX = (
    *(_S, _T, _C, _A, _K, _B, _N, _F, _M),
    *(_S, _A, _T, _N, _K, _S, _T, _A, _M, _S),
    *(_K, _T, _N, _A, _S, _T, _K, _M, _S, _A, _N),
)
MEAN_FRAUDS_PER_CAMPAIGN = sum(kind.mean_frauds for kind in CAMPAIGN_MIX) / len(CAMPAIGN_MIX)
