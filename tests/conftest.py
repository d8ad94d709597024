"""Fixtures only: one real stack for the whole run, with its own home, secrets and ports."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from fraudwatch.settings import CassandraSettings
from fraudwatch.stack.private_stack import PrivateStack, running

# A small world: two days of a few customers, and a lively present.
WORLD = {
    "SHOP_CUSTOMERS": "150",
    "SHOP_HISTORY_DAYS": "2",
    "SHOP_HISTORY_PURCHASES": "3000",
    "SHOP_LIVE_PURCHASES_PER_SECOND": "3.0",
}


@pytest.fixture(scope="session")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[PrivateStack]:
    with running(tmp_path_factory.mktemp("home"), WORLD, "speed") as started:
        yield started


@pytest.fixture(scope="session")
def cassandra_settings(stack: PrivateStack) -> CassandraSettings:
    return stack.cassandra("persister")


@pytest.fixture(scope="session")
def console_settings(stack: PrivateStack) -> CassandraSettings:
    return stack.cassandra("console")
