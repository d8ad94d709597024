"""Create Grafana's logins viewer and editor, with the passwords of .env; run at every start.

``python -m fraudwatch.stack.grafana_setup``
"""

from __future__ import annotations

import sys
from typing import Final

import httpx
from pydantic import SecretStr
from pydantic_settings import BaseSettings

ADMIN: Final = "admin"
# Login and role in the organisation.
ROLES: Final = {"viewer": "Viewer", "editor": "Editor"}
_TIMEOUT_SECONDS: Final = 10.0


class GrafanaSettings(BaseSettings):
    """Grafana's address and the passwords of its logins."""

    grafana_url: str
    gf_security_admin_password: SecretStr
    grafana_viewer_password: SecretStr
    grafana_editor_password: SecretStr


def set_up(client: httpx.Client, passwords: dict[str, str]) -> None:
    """Create each login or set its password, and set its role."""
    for login, role in ROLES.items():
        user_id = _user_id(client, login)
        if user_id is None:
            user_id = _create(client, login, passwords[login])
        else:
            body = {"password": passwords[login]}
            client.put(f"/api/admin/users/{user_id}/password", json=body).raise_for_status()
        client.patch(f"/api/org/users/{user_id}", json={"role": role}).raise_for_status()


def _user_id(client: httpx.Client, login: str) -> int | None:
    answer = client.get("/api/users/lookup", params={"loginOrEmail": login})
    if answer.status_code == httpx.codes.NOT_FOUND:
        return None
    return int(answer.raise_for_status().json()["id"])


def _create(client: httpx.Client, login: str, password: str) -> int:
    body = {"name": login, "login": login, "password": password}
    return int(client.post("/api/admin/users", json=body).raise_for_status().json()["id"])


def main() -> int:
    """Set up the logins; the exit code is 1 if Grafana refuses."""
    settings = GrafanaSettings()
    passwords = {
        "viewer": settings.grafana_viewer_password.get_secret_value(),
        "editor": settings.grafana_editor_password.get_secret_value(),
    }
    login = (ADMIN, settings.gf_security_admin_password.get_secret_value())
    try:
        with httpx.Client(
            base_url=settings.grafana_url, auth=login, timeout=_TIMEOUT_SECONDS, trust_env=False
        ) as client:
            set_up(client, passwords)
    except httpx.HTTPError as error:
        sys.stderr.write(
            f"Grafana's logins were not created: {error}. If GRAFANA_ADMIN_PASSWORD was changed "
            "after the first start, change it in Grafana as well, or restore the line in .env.\n"
        )
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
