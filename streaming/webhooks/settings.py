"""Settings of the webhooks; see :mod:`fraudwatch.settings`."""

from __future__ import annotations

from pathlib import Path

from pydantic import Field
from pydantic_settings import BaseSettings

from fraudwatch.domain.webhooks.retry_policy import RetryPolicy
from fraudwatch.settings import from_environment


class WebhooksSettings(BaseSettings):
    """The webhooks: subscriptions, outbox, and how long an event is attempted and kept."""

    model_config = from_environment("WEBHOOKS_")
    metrics_port: int = 9118
    subscriptions_path: Path
    outbox_path: Path
    instance: str = "webhooks-1"
    allow_loopback: bool = False
    max_attempts: int = Field(default=20, ge=1)
    give_up_seconds: int = Field(default=86_400, ge=60)
    keep_days: int = Field(default=7, ge=1)
    max_events: int = Field(default=200_000, ge=1_000)
    first_pause_seconds: float = Field(default=5.0, gt=0)
    max_poll_records: int = 500
    poll_seconds: float = 1.0

    def policy(self) -> RetryPolicy:
        """Return the policy of retries."""
        return RetryPolicy(
            max_attempts=self.max_attempts,
            give_up_seconds=self.give_up_seconds,
            first_pause_seconds=self.first_pause_seconds,
        )
