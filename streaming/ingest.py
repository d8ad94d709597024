"""The edge: purchases come in by a live feed or by the API and leave tokenised and sealed.

``python -m streaming.ingest`` follows the shop's feed by a cursor that moves only after everything
before it is acknowledged, and serves ``POST /v1/transactions`` for everyone else.
"""

from __future__ import annotations

import hmac
import json
import logging
import os
import threading
import time
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Annotated, Any

import uvicorn
from fastapi import Depends, FastAPI, Header, HTTPException, Request, Response
from fastapi.responses import JSONResponse
from prometheus_client import CONTENT_TYPE_LATEST, generate_latest
from starlette.concurrency import run_in_threadpool

from fraudwatch.adapters.json_codec import decode, encode
from fraudwatch.adapters.kafka_log import KafkaDeadLetters, KafkaTopic
from fraudwatch.adapters.keysets import (
    PUBLIC_DEAD_LETTER_KEY,
    create_dead_letter_keys,
    write_durably,
)
from fraudwatch.adapters.rate_file import load_rates
from fraudwatch.adapters.shop_feed import FeedUnavailable, ShopFeed
from fraudwatch.adapters.tink_vault import TinkVault
from fraudwatch.application.admit import Edge
from fraudwatch.application.ports import NotDelivered
from fraudwatch.application.take import Intake, RefusedBatch, Taken
from fraudwatch.domain.dead_letter import Refused
from fraudwatch.domain.purchase import Purchase
from fraudwatch.observability.logs import configure_logging
from fraudwatch.observability.metrics import counter, gauge
from fraudwatch.settings import IngestSettings, KafkaSettings
from fraudwatch.topics import TRANSACTION_TOPIC

log = logging.getLogger("ingest")

LARGEST_BATCH = 1_000
LARGEST_BODY_BYTES = 4 * 1024 * 1024
_RETRY_SECONDS = 2.0
# A larger linger would be latency, a smaller one would send single messages under load.
_LINGER_MS = 2

_accepted = counter("fraudwatch_ingest_accepted")
_repeated = counter("fraudwatch_ingest_repeated")
_dead_letters = counter("fraudwatch_dead_letters")
_feed_behind = gauge("fraudwatch_ingest_feed_behind")


@dataclass(slots=True)
class Status:
    """Where the feed stands and what has been taken since this process began."""

    cursor: str = ""
    feed_sequence: int = 0
    feed_head_sequence: int = 0
    accepted: int = 0
    repeated: int = 0
    put_aside: int = 0
    caught_up: bool = False

    def count(self, taken: Taken) -> None:
        """Add what became of a batch."""
        self.accepted += taken.accepted
        self.repeated += taken.repeated
        self.put_aside += len(taken.put_aside)
        _accepted.inc(taken.accepted)
        _repeated.inc(taken.repeated)
        for letter in taken.put_aside:
            _dead_letters.labels(stage=letter.stage, code=letter.code).inc()
            log.warning("put aside %s: %s", letter.origin, letter.reason)


class FeedFollower(threading.Thread):
    """Reads the feed for ever; the cursor on disk never runs ahead of what is acknowledged."""

    def __init__(self, feed: ShopFeed, intake: Intake, status: Status, cursor_file: Path) -> None:
        super().__init__(name="feed", daemon=True)
        self._feed, self._intake, self._status = feed, intake, status
        self._cursor_file = cursor_file

    def run(self) -> None:
        """Page after page; whatever is away for a moment is asked again."""
        if self._cursor_file.exists():
            self._status.cursor = json.loads(self._cursor_file.read_text())["cursor"]
        log.info("following the feed after '%s'", self._status.cursor)
        while True:
            try:
                self._read_page()
            except (FeedUnavailable, NotDelivered) as error:
                log.warning("%s; again in %.0f s", error, _RETRY_SECONDS)
                time.sleep(_RETRY_SECONDS)

    def _read_page(self) -> None:
        page = self._feed.after(self._status.cursor)
        if page.offered:
            self._status.count(self._intake.take_feed(page.offered))
            write_durably(self._cursor_file, json.dumps({"cursor": page.next_cursor}))
        self._status.cursor = page.next_cursor
        self._status.feed_sequence = page.sequence
        self._status.feed_head_sequence = page.head_sequence
        self._status.caught_up = page.sequence >= page.head_sequence
        _feed_behind.set(page.head_sequence - page.sequence)


def create_app(intake: Intake, status: Status, api_key: str) -> FastAPI:
    """The HTTP door; its key is compared in constant time."""
    app = FastAPI(title="Fraudwatch ingest", version="1")

    def authorised(authorization: Annotated[str, Header()] = "") -> None:
        if not hmac.compare_digest(authorization.encode(), f"Bearer {api_key}".encode()):
            raise HTTPException(401, "send the header 'Authorization: Bearer <INGEST_API_KEY>'")

    @app.get("/health")
    def health() -> dict[str, str]:
        """Answers when the door is open."""
        return {"status": "ok"}

    @app.get("/metrics", include_in_schema=False)
    def metrics() -> Response:
        return Response(generate_latest(), media_type=CONTENT_TYPE_LATEST)

    @app.get("/v1/status", dependencies=[Depends(authorised)])
    def show_status() -> dict[str, Any]:
        """Where the feed stands and what has been taken."""
        return asdict(status)

    @app.post("/v1/transactions", status_code=202, dependencies=[Depends(authorised)])
    async def post_transactions(request: Request) -> JSONResponse:
        """Take one purchase or a list of up to 1,000: all of it, or nothing and the reasons.

        Idempotent by ``source`` and ``id``: giving a purchase again does no harm. 202 means that
        the broker has acknowledged every purchase of the call.
        """
        if int(request.headers.get("content-length", LARGEST_BODY_BYTES + 1)) > LARGEST_BODY_BYTES:
            raise HTTPException(413, f"send at most {LARGEST_BODY_BYTES} bytes, with their length")
        return await run_in_threadpool(_take_body, intake, status, await request.body())

    return app


def _take_body(intake: Intake, status: Status, body: bytes) -> JSONResponse:
    try:
        is_list = body.lstrip()[:1] == b"["
        purchases = decode(list[Purchase], body) if is_list else [decode(Purchase, body)]
    except Refused as why:
        return _problems({0: why})
    if len(purchases) > LARGEST_BATCH:
        return JSONResponse({"detail": f"send at most {LARGEST_BATCH} purchases at once"}, 413)
    try:
        taken = intake.take(purchases)
    except RefusedBatch as batch:
        return _problems(batch.refused)
    except NotDelivered as error:
        log.warning("%s", error)
        return JSONResponse(
            {"detail": "the broker does not acknowledge; send the same batch again"},
            503,
            headers={"Retry-After": str(int(_RETRY_SECONDS))},
        )
    status.count(taken)
    return JSONResponse({"accepted": taken.accepted, "repeated": taken.repeated}, 202)


def _problems(refused: dict[int, Refused]) -> JSONResponse:
    listed = [
        {"index": place, "code": why.code, "field": problem.field, "reason": problem.reason}
        for place, why in refused.items()
        for problem in why.problems
    ]
    return JSONResponse({"problems": listed}, 422)


def _end_process(failed: threading.ExceptHookArgs) -> None:
    """A door that is open while the feed has died would look healthy: end, and be started again."""
    log.error("thread %s failed", failed.thread, exc_info=failed.exc_value)
    logging.shutdown()
    os._exit(1)


def main() -> None:
    """Wire the edge and serve until stopped."""
    configure_logging("ingest")
    threading.excepthook = _end_process
    settings, kafka = IngestSettings(), KafkaSettings()
    settings.keys_folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    create_dead_letter_keys(settings.keys_folder)
    intake = Intake(
        edge=Edge(TinkVault(settings.keys_folder), load_rates(settings.rates_path)),
        transactions=KafkaTopic(kafka, TRANSACTION_TOPIC, linger_ms=_LINGER_MS),
        dead_letters=KafkaDeadLetters(kafka, settings.keys_folder / PUBLIC_DEAD_LETTER_KEY),
        encode=encode,
        now_ms=lambda: time.time_ns() // 1_000_000,
    )
    status = Status()
    if settings.feed_url and settings.feed_api_key:
        feed = ShopFeed(settings.feed_url, settings.feed_api_key.get_secret_value())
        FeedFollower(feed, intake, status, settings.state_folder / "cursor.json").start()
    app = create_app(intake, status, settings.api_key.get_secret_value())
    uvicorn.run(app, host="127.0.0.1", port=settings.port, log_level="warning")


if __name__ == "__main__":
    main()
