"""Start order: dependencies first, and of what may start now, what verdicts wait for.

A start has fewer slots than services. Among services whose needs are ready, the stream's come
first, and then those of the longest chain, which decides when everything is ready. A chain is as
long as its services may take, by the catalogue's `ready_seconds`.
"""

from __future__ import annotations

import os
import threading
from collections.abc import Callable, Collection, Iterable, Mapping
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from graphlib import TopologicalSorter

from fraudwatch.stack.catalogue import Catalogue

Act = Callable[[str, threading.Event], None]
# First the smaller: not of the stream, then minus the seconds of the longest chain that it is in.
Rank = tuple[bool, int]
SLOTS = max(4, os.cpu_count() or 1)


def with_needs(catalogue: Catalogue, names: Iterable[str]) -> frozenset[str]:
    """Return these services and all that they need, directly or through others."""
    found, waiting = set[str](), list(names)
    while waiting:
        name = waiting.pop()
        if name not in found:
            found.add(name)
            waiting.extend(catalogue.services[name].needs)
    return frozenset(found)


def vital_services(catalogue: Catalogue, names: Iterable[str]) -> tuple[str, ...]:
    """Select the services without which verdicts or their rows stop."""
    return tuple(name for name in names if catalogue.services[name].vital)


def ranks(catalogue: Catalogue, names: Collection[str]) -> Mapping[str, Rank]:
    """Rank services for a start with few slots; the smaller rank starts first."""
    stream = with_needs(catalogue, vital_services(catalogue, names))
    order = tuple(name for name in catalogue.sorter(names).static_order() if name in names)
    seconds = {name: catalogue.services[name].ready_seconds for name in order}
    before, behind = dict.fromkeys(order, 0), dict.fromkeys(order, 0)
    for name in order:
        needs = set(catalogue.services[name].needs) & seconds.keys()
        before[name] = max((before[need] + seconds[need] for need in needs), default=0)
    for name in reversed(order):
        for need in set(catalogue.services[name].needs) & seconds.keys():
            behind[need] = max(behind[need], behind[name] + seconds[name])
    chains = {name: before[name] + seconds[name] + behind[name] for name in order}
    return {name: (name not in stream, -chains[name]) for name in order}


def stop_sorter(catalogue: Catalogue, running: Collection[str]) -> TopologicalSorter[str]:
    """Sort running services topologically for a stop: each before those that it needs."""
    sorter = TopologicalSorter[str]()
    for name in catalogue.services.keys() & set(running):
        sorter.add(name)
        for need in catalogue.services[name].needs:
            sorter.add(need, name)
    return sorter


def walk(
    sorter: TopologicalSorter[str],
    act: Act,
    rank: Mapping[str, Rank] | None = None,
    slots: int = SLOTS,
) -> None:
    """Act on each node once its predecessors are done, on independent ones in parallel.

    After the first failure no further node starts, and waits of the others end.
    """
    order, stop = rank or {}, threading.Event()
    ready, running = list[str](), dict[Future[None], str]()
    sorter.prepare()
    with ThreadPoolExecutor(max_workers=slots) as pool:
        try:
            while sorter.is_active():
                ready = sorted([*ready, *sorter.get_ready()], key=lambda n: order.get(n, (True, 0)))
                while ready and len(running) < slots:
                    name = ready.pop(0)
                    running[pool.submit(act, name, stop)] = name
                for done in wait(running, return_when=FIRST_COMPLETED).done:
                    done.result()
                    sorter.done(running.pop(done))
        finally:
            stop.set()
