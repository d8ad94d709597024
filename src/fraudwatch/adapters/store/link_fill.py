"""Backfill ``purchase_by_token`` from the purchases that were stored before there was the table.

It runs beside the stream, at half the pace it could, and remembers each token range that is done,
so that a restart goes on where it was. A link ends when its purchase does. A store that has no
purchase before the stream is written to it has nothing to fill, which is remembered as well.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from typing import Any, Final

from cassandra.cluster import Session

from fraudwatch.adapters.store.binding import RowBinder, insert_of
from fraudwatch.adapters.store.link_table import LINKS, links_of
from fraudwatch.adapters.store.rows import TRANSACTIONS, purchase_from
from fraudwatch.adapters.store.sending import Row, send
from fraudwatch.adapters.store.session import KEYSPACE, translate_driver_errors
from fraudwatch.adapters.store.verdict_ranges import token_ranges
from fraudwatch.application.ports import StoreUnavailable

RANGES: Final = 1024
PAGE_ROWS: Final = 500
RETRY_SECONDS: Final = 10.0
# Beside the numbers of ranges: the store had no purchase when it was first opened with the table.
NO_EARLIER_PURCHASES: Final = -1
_FILL: Final = f"{KEYSPACE}.purchase_by_token_fill"
_MARK_DONE: Final = f"INSERT INTO {_FILL} (range_number, done_at)"

log = logging.getLogger(__name__)


class LinkFill:
    """Backfill of one store, beside the stream that is written to it."""

    def __init__(self, session: Session) -> None:
        """Find out whether there is anything to fill; nothing may be written to the store yet."""
        self._session = session
        _remember_if_empty(session)

    def start(self, stopping: threading.Event) -> None:
        """Start it in a thread of its own; without earlier purchases it ends at once."""
        thread = threading.Thread(
            target=_run_until_done, args=(self._session, stopping), name="link-fill", daemon=True
        )
        thread.start()


def fill_links(session: Session, stopping: threading.Event) -> int:
    """Add the links of all stored purchases, range by range; return how many purchases were read.

    Done once in a store's life. A link that is already there is written again, which changes
    nothing.

    Raises:
        StoreUnavailable: the ranges that are done stay done; the same call goes on after them.
    """
    done = _done(session)
    if NO_EARLIER_PURCHASES in done or len(done) == RANGES:
        return 0
    fill, count = _RangeFill(session, stopping), 0
    for number, ends in enumerate(token_ranges(RANGES)):
        if stopping.is_set():
            break
        if number not in done:
            count += fill.fill(number, ends)
    return count


def _remember_if_empty(session: Session) -> None:
    try:
        if _done(session):
            return
        with translate_driver_errors():
            # One row of any partition: all that it costs a store with purchases is finding one.
            purchases = session.execute(
                f"SELECT transaction_id FROM {KEYSPACE}.{TRANSACTIONS.name} LIMIT 1"  # noqa: S608  names are ours
            )
            if purchases.one() is None:
                session.execute(f"{_MARK_DONE} VALUES (%s, %s)", (NO_EARLIER_PURCHASES, _now()))
    except StoreUnavailable as error:
        # Expired rows alone may make Cassandra give up: the fill reads them range by range.
        log.info("not known whether there are earlier purchases (%s): they are looked for", error)


def _done(session: Session) -> set[int]:
    with translate_driver_errors():
        rows = session.execute(f"SELECT range_number FROM {_FILL}")  # noqa: S608  names are ours
        return {row["range_number"] for row in rows}


def _now() -> datetime:
    return datetime.now(UTC)


def _run_until_done(session: Session, stopping: threading.Event) -> None:
    while not stopping.is_set():
        try:
            if purchases := fill_links(session, stopping):
                log.info("added the case links of %d earlier purchases", purchases)
        except StoreUnavailable as error:
            log.warning(
                "case links of earlier purchases are incomplete (%s); goes on in %.0f s",
                error,
                RETRY_SECONDS,
            )
            stopping.wait(RETRY_SECONDS)
        else:
            return


class _RangeFill:
    """Backfill of one token range after the other."""

    def __init__(self, session: Session, stopping: threading.Event) -> None:
        self._session, self._stopping = session, stopping
        with translate_driver_errors():
            self._purchases = session.prepare(
                f"SELECT purchase, TTL(purchase) AS seconds_left "  # noqa: S608  names are ours
                f"FROM {KEYSPACE}.{TRANSACTIONS.name} "
                "WHERE token(customer_token, month) > ? AND token(customer_token, month) <= ?"
            )
            self._insert = RowBinder(session.prepare(f"{insert_of(LINKS)} AND TTL ?"))
            self._mark_done = session.prepare(f"{_MARK_DONE} VALUES (?, ?)")
        self._purchases.fetch_size = PAGE_ROWS
        for statement in (self._purchases, self._insert.prepared, self._mark_done):
            statement.is_idempotent = True

    def fill(self, number: int, ends: tuple[int, int]) -> int:
        count = 0
        with translate_driver_errors():
            started_at = time.monotonic()
            page = self._session.execute(self._purchases, ends)
            while True:
                rows = page.current_rows
                count += len(rows)
                refused = send(self._session, [link for row in rows for link in self._links(row)])
                for one in refused:
                    log.error("no case link of %s: %s", one.message.transaction_id, one.error)
                # The stream comes first: rest for as long as the page took.
                if rows and self._stopping.wait(time.monotonic() - started_at):
                    return count
                if not page.has_more_pages:
                    break
                started_at = time.monotonic()
                page.fetch_next_page()
            self._session.execute(self._mark_done, (number, _now()))
        return count

    def _links(self, row: Mapping[str, Any]) -> Iterator[Row]:
        if row["purchase"] is None:
            return
        for link in links_of(purchase_from(row)):
            values = LINKS.row(link)
            statement = self._insert.bind((*values, row["seconds_left"]))
            yield Row(link, (LINKS.name, *LINKS.partition_in(values)), statement)
