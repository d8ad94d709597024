"""Settings of customer notices at ingest; see :mod:`fraudwatch.settings`."""

from __future__ import annotations

from pathlib import Path

from pydantic import SecretStr
from pydantic_settings import BaseSettings

from fraudwatch.settings import Secret, from_environment


class NotifySettings(BaseSettings):
    """Customer notices: the notifier's API key, the templates, the sender and the SMS gateway."""

    model_config = from_environment("NOTIFY_")
    api_key: Secret
    templates_folder: Path
    language: str = "en"
    mail_from: str
    sms_url: str = "none"
    sms_api_key: Secret

    def check_key_differs_from(self, *others: SecretStr) -> None:
        """Refuse an API key that other callers have.

        Raises:
            ValueError: they could notify customers.
        """
        if self.api_key in others:
            raise ValueError(
                "NOTIFY_API_KEY is also REVEAL_API_KEY, so that its other caller could notify "
                "customers; remove one line from .env and start again to get a random one"
            )
