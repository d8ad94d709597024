"""Talk to Superset's API as one of its logins."""

from __future__ import annotations

from typing import Any

import httpx

from fraudwatch.stack.private_stack import PrivateStack

_SECONDS = 180.0


class SupersetClient:
    """An API session of one login."""

    def __init__(self, url: str, login: str, password: str) -> None:
        self.http = httpx.Client(base_url=url, timeout=_SECONDS, trust_env=False)
        body = {"username": login, "password": password, "provider": "db", "refresh": False}
        answer = self.http.post("/api/v1/security/login", json=body)
        token = answer.raise_for_status().json()["access_token"]
        self.http.headers["Authorization"] = f"Bearer {token}"

    @classmethod
    def of(cls, stack: PrivateStack, login: str) -> SupersetClient:
        """Log in with the password of .env."""
        return cls(url_of(stack), login, stack.settings[f"SUPERSET_{login.upper()}_PASSWORD"])

    def charts(self) -> dict[str, int]:
        """Return the number of every chart that it may see, by title."""
        return {one["slice_name"]: one["id"] for one in self._listed("chart")}

    def dashboards(self) -> dict[str, int]:
        """Return the number of every dashboard that it may see, by slug."""
        return {one["slug"]: one["id"] for one in self._listed("dashboard")}

    def data_sets(self) -> dict[str, int]:
        """Return the number of every data set that it may see, by table."""
        return {one["table_name"]: one["id"] for one in self._listed("dataset")}

    def chart_data(self, number: int, form: str = "json") -> httpx.Response:
        """Request the data of a chart."""
        return self.http.get(f"/api/v1/chart/{number}/data/", params={"format": form})

    def rows(self, data_set: int, columns: list[str], metric: str) -> list[dict[str, Any]]:
        """Query a data set freely."""
        query = {"columns": columns, "metrics": [metric], "row_limit": 1_000}
        body = {
            "datasource": {"id": data_set, "type": "table"},
            "queries": [query],
            "result_format": "json",
            "result_type": "full",
        }
        answer = self.http.post("/api/v1/chart/data", json=body).raise_for_status()
        found: list[dict[str, Any]] = answer.json()["result"][0]["data"]
        return found

    def create_user(self, login: str, password: str, roles: list[str]) -> None:
        """Create a login with these roles; needs an administrator."""
        listed = self.http.get("/api/v1/security/roles/", params={"q": "(page_size:100)"})
        numbers = {one["name"]: one["id"] for one in listed.raise_for_status().json()["result"]}
        body = {
            "username": login,
            "first_name": login,
            "last_name": "test",
            "email": f"{login}@fraudwatch.test",
            "active": True,
            "password": password,
            "roles": [numbers[role] for role in roles],
        }
        self.http.post("/api/v1/security/users/", json=body).raise_for_status()

    def _listed(self, kind: str) -> list[dict[str, Any]]:
        answer = self.http.get(f"/api/v1/{kind}/", params={"q": "(page_size:100)"})
        found: list[dict[str, Any]] = answer.raise_for_status().json()["result"]
        return found


def url_of(stack: PrivateStack) -> str:
    """Return the address of its pages."""
    return f"http://127.0.0.1:{stack.port('superset', 'http')}"
