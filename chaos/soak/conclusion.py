"""Conclude a soak test: memory growth by service, restarts, and whether the rate was reached."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

from chaos.soak.growth import Growth, GrowthVerdict, fit
from chaos.soak.samples import Sample

# Heaps, caches and the customers' state fill first.
WARM_UP_SHARE: Final = 1 / 3
# A load that falls behind proves nothing about the rate that was asked for.
LEAST_RATE_SHARE: Final = 0.95


@dataclass(frozen=True, slots=True, kw_only=True)
class Conclusion:
    """Growth of each service's memory, services that were restarted, and the rate."""

    growth: dict[str, Growth]
    bound_mib_per_hour: float
    restarted: list[str]
    rate_per_second: int
    sent_per_second: float

    @property
    def ok(self) -> bool:
        """Whether every service stayed up and below the bound, at the rate that was asked for."""
        return not (self.restarted or self.not_below()) and self.has_reached_its_rate

    @property
    def has_reached_its_rate(self) -> bool:
        """Whether nearly as many purchases were sent as asked for."""
        return self.sent_per_second >= LEAST_RATE_SHARE * self.rate_per_second

    def not_below(self) -> dict[str, GrowthVerdict]:
        """Return the services whose growth is above the bound, or not known to be below it."""
        verdicts = {name: one.against(self.bound_mib_per_hour) for name, one in self.growth.items()}
        return {name: one for name, one in verdicts.items() if one is not GrowthVerdict.BELOW}

    def as_json(self) -> dict[str, Any]:
        """Build the conclusion's part of the report; a margin that is not known is null."""
        return {
            "rate_per_second": self.rate_per_second,
            "sent_per_second": round(self.sent_per_second, 1),
            "restarted": self.restarted,
            "growth_bound_mib_per_hour": self.bound_mib_per_hour,
            "growth": {
                name: {
                    "mib_per_hour": round(one.mib_per_hour, 1),
                    "margin_mib_per_hour": (
                        round(one.margin_mib_per_hour, 1)
                        if math.isfinite(one.margin_mib_per_hour)
                        else None
                    ),
                    "readings": one.readings,
                    "verdict": one.against(self.bound_mib_per_hour).value,
                }
                for name, one in sorted(self.growth.items())
            },
        }


def conclude(
    samples: Sequence[Sample], *, bound_mib_per_hour: float, rate: int, sent_per_second: float
) -> Conclusion:
    """Fit the private memory of each service over the samples after the warm-up."""
    warm = [one for one in samples if one.hours >= WARM_UP_SHARE * samples[-1].hours]
    names = {name for one in samples for name in one.pids}
    growth = {}
    for name in names:
        known = [(one.hours, one.memory[name].private_mib) for one in warm if name in one.memory]
        growth[name] = fit([hours for hours, _ in known], [mib for _, mib in known])
    return Conclusion(
        growth=growth,
        bound_mib_per_hour=bound_mib_per_hour,
        restarted=sorted(name for name in names if _is_restarted(name, samples)),
        rate_per_second=rate,
        sent_per_second=sent_per_second,
    )


def _is_restarted(name: str, samples: Sequence[Sample]) -> bool:
    """Whether a service had another process, or none, in any sample."""
    return len({one.pids.get(name) for one in samples}) > 1
