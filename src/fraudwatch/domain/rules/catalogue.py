"""List all rules by the name that policies, verdicts and screens use."""

from __future__ import annotations

from typing import Final

from fraudwatch.domain.rules.above_own_level import AboveOwnLevel
from fraudwatch.domain.rules.bulk_buying import BulkBuying
from fraudwatch.domain.rules.card_testing import CardTesting
from fraudwatch.domain.rules.failed_payments import FailedPayments
from fraudwatch.domain.rules.high_amount import HighAmount
from fraudwatch.domain.rules.impossible_travel import ImpossibleTravel
from fraudwatch.domain.rules.new_device_high_amount import NewDeviceHighAmount
from fraudwatch.domain.rules.rapid_purchases import RapidPurchases
from fraudwatch.domain.rules.risky_merchant import RiskyMerchant
from fraudwatch.domain.rules.rule import Rule
from fraudwatch.domain.rules.shared_device import SharedDevice
from fraudwatch.domain.rules.spend_above_own_level import SpendAboveOwnLevel
from fraudwatch.domain.rules.unusual_hours import UnusualHours
from fraudwatch.domain.rules.watch_list_match import WatchListMatch

# Rules whose parameters are numbers; the deny list is built from the lists of the policy.
RULES: Final[dict[str, type[Rule]]] = {
    rule.name: rule
    for rule in (
        HighAmount,
        AboveOwnLevel,
        SpendAboveOwnLevel,
        NewDeviceHighAmount,
        BulkBuying,
        RapidPurchases,
        UnusualHours,
        ImpossibleTravel,
        FailedPayments,
        CardTesting,
        RiskyMerchant,
        SharedDevice,
        WatchListMatch,
    )
}
