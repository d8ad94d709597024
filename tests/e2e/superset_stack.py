"""Start Superset beside a running batch half, over made-up marts."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta

import pytest

from fraudwatch.adapters.lake.hive_sql import sql_session
from fraudwatch.lake import CORE_DRIFT, DATABASE, REPORT_DAYS
from fraudwatch.stack import catalogue, runner
from fraudwatch.stack.env_file import PORT_OFFSET
from fraudwatch.stack.private_stack import PrivateStack
from tests.e2e import seeded_marts

log = logging.getLogger(__name__)


def start(stack: PrivateStack, *names: str) -> None:
    """Start services of the catalogue that the stack's profile lacks, one after another."""
    with pytest.MonkeyPatch.context() as patched:
        patched.setenv(PORT_OFFSET, str(stack.offset))
        for name in names:
            runner.run_once(stack.home, catalogue.load(), name, log.info)


@contextmanager
def serving(stack: PrivateStack) -> Iterator[None]:
    """Fill the marts and start Superset; delete the figures afterwards, for the other tests."""
    with sql_session(stack.hive("admin")) as session:
        seeded_marts.write(session)
    start(stack, "superset_setup", "superset")
    yield
    last = seeded_marts.FIRST + timedelta(days=seeded_marts.DAYS - 1)
    with sql_session(stack.hive("admin")) as session:
        for table, day in {**REPORT_DAYS, CORE_DRIFT: "event_on"}.items():
            session.run(
                f"DELETE FROM {DATABASE}.{table} "  # noqa: S608  our own names
                f"WHERE {day} BETWEEN DATE'{seeded_marts.FIRST}' AND DATE'{last}'"
            )
