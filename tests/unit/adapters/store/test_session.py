"""Errors of Cassandra's driver become the store's own."""

from __future__ import annotations

import pytest
from cassandra import AuthenticationFailed
from cassandra.cluster import NoHostAvailable

from fraudwatch.adapters.store.session import LoginRefused, translate_driver_errors
from fraudwatch.application.ports import StoreUnavailable


def test_a_driver_that_names_hosts_without_errors_is_an_unavailable_store() -> None:
    with pytest.raises(StoreUnavailable, match="NoHostAvailable"), translate_driver_errors():
        raise NoHostAvailable("Unable to connect to any servers", ["127.0.0.1"])


def test_a_login_that_one_host_refused_is_refused() -> None:
    refusals = {"127.0.0.1": AuthenticationFailed("wrong password")}
    with pytest.raises(LoginRefused), translate_driver_errors():
        raise NoHostAvailable("Unable to connect to any servers", refusals)
