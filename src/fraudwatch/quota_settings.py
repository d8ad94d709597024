"""Settings of the dead-letter quota, which ingest and the detector have in common."""

from __future__ import annotations

from typing import Annotated

from annotated_types import Ge, Gt, Le
from pydantic_settings import BaseSettings

from fraudwatch.domain.dead_letter_quota import QuotaLimits
from fraudwatch.settings import from_environment


class QuotaSettings(BaseSettings):
    """Dead letters that a source may have in a minute; a share of 1 pauses nothing."""

    model_config = from_environment("DEAD_LETTER_QUOTA_")
    per_minute: Annotated[int, Ge(0)] = 100
    share: Annotated[float, Gt(0), Le(1)] = 0.2

    @property
    def limits(self) -> QuotaLimits:
        """Return the limits."""
        return QuotaLimits(per_minute=self.per_minute, share_ratio=self.share)
