from __future__ import annotations

import json

import httpx
import pytest

from fraudwatch.stack.grafana_setup import set_up

IDS = {"viewer": 2, "editor": 3}


class Grafana:
    """Grafana's API of logins, in memory."""

    def __init__(self, *, refuses: bool = False) -> None:
        self.users: dict[str, dict[str, str]] = {}
        self.refuses = refuses

    def answer(self, request: httpx.Request) -> httpx.Response:
        if self.refuses:
            return httpx.Response(401)
        path = request.url.path.split("/")
        body = json.loads(request.content) if request.content else {}
        if request.url.path == "/api/users/lookup":
            login = request.url.params["loginOrEmail"]
            known = login in self.users
            return httpx.Response(200 if known else 404, json={"id": IDS[login]} if known else {})
        if request.method == "POST":
            self.users[body["login"]] = {"password": body["password"]}
            return httpx.Response(200, json={"id": IDS[body["login"]]})
        login = next(name for name in self.users if str(IDS[name]) in path)
        self.users[login] |= body
        return httpx.Response(200, json={})

    def client(self) -> httpx.Client:
        return httpx.Client(base_url="http://g", transport=httpx.MockTransport(self.answer))


def test_logins_are_created_then_only_their_passwords_change() -> None:
    grafana = Grafana()
    set_up(grafana.client(), {"viewer": "one", "editor": "two"})
    set_up(grafana.client(), {"viewer": "three", "editor": "two"})
    assert grafana.users == {
        "viewer": {"password": "three", "role": "Viewer"},
        "editor": {"password": "two", "role": "Editor"},
    }


def test_a_refused_administrator_is_an_error() -> None:
    with pytest.raises(httpx.HTTPStatusError):
        set_up(Grafana(refuses=True).client(), {"viewer": "one", "editor": "two"})
