"""Settings of the REST API; see :mod:`fraudwatch.settings`."""

from __future__ import annotations

from pydantic_settings import BaseSettings

from fraudwatch.settings import Secret, from_environment


class RestApiSettings(BaseSettings):
    """The REST API's port."""

    model_config = from_environment("REST_API_")
    port: int = 8002


class TokensSettings(BaseSettings):
    """The URL of ingest at which identifiers are tokenised, and the API key for it."""

    model_config = from_environment("TOKENS_")
    url: str
    api_key: Secret
