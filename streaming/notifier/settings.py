"""Settings of the notifier; see :mod:`fraudwatch.settings`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

from pydantic import BeforeValidator, Field, SecretStr, model_validator
from pydantic_settings import BaseSettings, NoDecode

from fraudwatch.adapters.notifications.http_addresses import NONE, checked_url
from fraudwatch.domain.notifications.customer_notice import NoticeTemplate
from fraudwatch.domain.notifications.quiet_hours import QuietHours, quiet_hours_of
from fraudwatch.domain.notifications.staff_policy import StaffPolicy
from fraudwatch.settings import Secret, from_environment


def _events(text: str | frozenset[NoticeTemplate]) -> frozenset[NoticeTemplate]:
    if not isinstance(text, str):
        return text
    return frozenset() if text == NONE else frozenset(map(NoticeTemplate, text.split(",")))


class NotifierSettings(BaseSettings):
    """The notifier: its state, its channels, and when it notifies whom."""

    model_config = from_environment("NOTIFIER_")
    metrics_port: int = 9117
    state_path: Path
    instance: str = "notifier-1"
    max_poll_records: int = 1_000
    poll_seconds: float = 1.0
    mail_from: str
    mail_to: str
    chat_url: SecretStr = SecretStr(NONE)
    console_url: str
    dedupe_seconds: int = Field(default=3_600, ge=0)
    digest_seconds: int = Field(default=900, ge=10)
    digest_size: int = Field(default=50, ge=1)
    critical_per_hour: int = Field(default=20, ge=1)
    digests_per_hour: int = Field(default=12, ge=1)
    old_after_seconds: int = Field(default=900, ge=1)
    quiet_hours: str = NONE
    time_zone: str = "UTC"
    critical_in_quiet_hours: Literal["pass", "wait"] = "pass"
    customer_events: Annotated[frozenset[NoticeTemplate], NoDecode, BeforeValidator(_events)]
    edge_url: str
    edge_api_key: Secret

    @model_validator(mode="after")
    def _is_complete(self) -> NotifierSettings:
        self.chat()
        self.quiet()
        return self

    def chat(self) -> str | None:
        """Return the address of the chat's webhook, or None."""
        return checked_url(self.chat_url.get_secret_value(), "NOTIFIER_CHAT_URL")

    def quiet(self) -> QuietHours | None:
        """Return the quiet hours, or None."""
        if self.quiet_hours == NONE:
            return None
        return quiet_hours_of(self.quiet_hours, self.time_zone)

    def policy(self) -> StaffPolicy:
        """Return the policy of messages to staff."""
        return StaffPolicy(
            dedupe_seconds=self.dedupe_seconds,
            digest_seconds=self.digest_seconds,
            digest_size=self.digest_size,
            critical_per_hour=self.critical_per_hour,
            digests_per_hour=self.digests_per_hour,
            old_after_seconds=self.old_after_seconds,
            quiet_hours=self.quiet(),
            critical_in_quiet_hours=self.critical_in_quiet_hours == "pass",
        )
