"""Settings of single sign-on at the console."""

from __future__ import annotations

from typing import Any, Self

from pydantic import SecretStr, model_validator
from pydantic_settings import BaseSettings

from fraudwatch.settings import Secret, from_environment


class SingleSignOnSettings(BaseSettings):
    """An OpenID Connect provider; without its metadata URL there is no single sign-on."""

    model_config = from_environment("CONSOLE_OIDC_")
    metadata_url: str = ""
    client_id: str = ""
    client_secret: SecretStr = SecretStr("")
    redirect_url: str = ""  # the console's own address, ending in /oauth2callback
    login_claim: str = "preferred_username"
    cookie_secret: Secret

    @property
    def is_offered(self) -> bool:
        """Whether users may log in through a provider."""
        return bool(self.metadata_url)

    @model_validator(mode="after")
    def _is_complete(self) -> Self:
        if not self.is_offered:
            return self
        required = {
            "CLIENT_ID": self.client_id,
            "CLIENT_SECRET": self.client_secret.get_secret_value(),
            "REDIRECT_URL": self.redirect_url,
        }
        if missing := [f"CONSOLE_OIDC_{name}" for name, value in required.items() if not value]:
            raise ValueError(
                f"single sign-on lacks {', '.join(missing)}, so the console was not started; set "
                "them in .env, or empty CONSOLE_OIDC_METADATA_URL to have local accounts only"
            )
        if not self.redirect_url.endswith("/oauth2callback"):
            raise ValueError(
                "CONSOLE_OIDC_REDIRECT_URL must end in /oauth2callback, so the console was not "
                "started; correct it in .env and at the provider"
            )
        return self

    def secrets(self) -> dict[str, Any]:
        """Return Streamlit's own form of these settings."""
        if not self.is_offered:
            return {}
        return {
            "auth": {
                "redirect_uri": self.redirect_url,
                "cookie_secret": self.cookie_secret.get_secret_value(),
                "client_id": self.client_id,
                "client_secret": self.client_secret.get_secret_value(),
                "server_metadata_url": self.metadata_url,
            }
        }
