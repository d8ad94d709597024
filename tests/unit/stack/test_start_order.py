"""Start order: needs first, then the stream, then the longest chain; a failure ends the start."""

from __future__ import annotations

import threading
from collections.abc import Collection

import pytest

from fraudwatch.stack import catalogue as catalogues
from fraudwatch.stack.catalogue import Catalogue, parse
from fraudwatch.stack.start_order import (
    ranks,
    stop_sorter,
    vital_services,
    walk,
    with_needs,
)

SERVICES = """
[page]
summary = "a page that nothing needs"
command = "page"
[files]
summary = "the first of the lake's chain"
command = "files"
[tables]
summary = "the lake's tables"
command = "tables"
needs = ["files"]
[jobs]
summary = "jobs over the lake"
command = "jobs"
needs = ["tables"]
[broker]
summary = "the log"
command = "broker"
vital = true
[topics]
summary = "topics of the log"
command = "topics"
needs = ["broker"]
[scorer]
summary = "verdicts"
command = "scorer"
needs = ["topics"]
vital = true
"""


@pytest.fixture
def catalogue() -> Catalogue:
    return parse(SERVICES)


def started(catalogue: Catalogue, names: Collection[str], slots: int) -> list[str]:
    """Return the services in the order in which they start."""
    order = list[str]()
    walk(
        catalogue.sorter(names),
        lambda name, _stop: order.append(name),
        ranks(catalogue, names),
        slots,
    )
    return order


def test_the_stream_starts_before_all_others_and_the_longest_chain_before_single_pages(
    catalogue: Catalogue,
) -> None:
    order = started(catalogue, catalogue.services, slots=1)
    assert order == ["broker", "topics", "scorer", "files", "tables", "jobs", "page"]


def test_a_free_slot_goes_to_the_stream_as_soon_as_its_need_is_ready(catalogue: Catalogue) -> None:
    broker_is_ready, order = threading.Event(), list[str]()

    def act(name: str, _stop: threading.Event) -> None:
        order.append(name)
        if name == "files":
            assert broker_is_ready.wait(10)
        elif name == "topics":
            broker_is_ready.set()

    names = catalogue.services
    walk(catalogue.sorter(names), act, ranks(catalogue, names), slots=2)
    assert set(order[:2]) == {"broker", "files"}
    assert order.index("scorer") < order.index("page")


def test_what_a_service_needs_is_found_through_others(catalogue: Catalogue) -> None:
    assert with_needs(catalogue, ["scorer"]) == {"scorer", "topics", "broker"}
    assert with_needs(catalogue, []) == frozenset()


def test_after_a_failure_nothing_else_starts_and_waits_end(catalogue: Catalogue) -> None:
    order = list[str]()

    def act(name: str, stop: threading.Event) -> None:
        order.append(name)
        if name == "broker":
            raise RuntimeError("no luck today")
        assert stop.wait(10)

    with pytest.raises(RuntimeError, match="no luck today"):
        walk(catalogue.sorter(catalogue.services), act, ranks(catalogue, catalogue.services), 2)
    assert sorted(order) == ["broker", "files"]


def test_a_stop_walks_from_what_needs_to_what_is_needed(catalogue: Catalogue) -> None:
    order = list[str]()
    running = ["broker", "topics", "scorer", "broker_of_another_version"]
    walk(stop_sorter(catalogue, running), lambda name, _stop: order.append(name))
    assert order == ["scorer", "topics", "broker"]


def test_detector_and_persister_come_before_the_lake_in_the_shipped_profile() -> None:
    shipped = catalogues.load()
    names = shipped.profile("lake")
    assert {"detector", "persister"} <= set(vital_services(shipped, names))
    order = started(shipped, names, slots=1)
    assert order.index("detector") < order.index("namenode")
    assert order.index("persister") < order.index("airflow_setup")
    assert order.index("thrift_server") < order.index("tally")
    # The end of the longest chain, not the last of those that nothing needs.
    assert order.index("airflow_scheduler") < order.index("rest_api")
