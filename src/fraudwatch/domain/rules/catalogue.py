"""The rules there are, by the name that policies, verdicts and screens use."""

from __future__ import annotations

from typing import Final

from fraudwatch.domain.rules.high_amount import HighAmount
from fraudwatch.domain.rules.impossible_travel import ImpossibleTravel
from fraudwatch.domain.rules.rapid_purchases import RapidPurchases
from fraudwatch.domain.rules.rule import Rule

RULES: Final[dict[str, type[Rule]]] = {
    rule.name: rule for rule in (HighAmount, RapidPurchases, ImpossibleTravel)
}
