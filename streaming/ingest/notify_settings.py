"""Settings of customer notices at ingest; see :mod:`fraudwatch.settings`."""

from __future__ import annotations

from pathlib import Path

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
