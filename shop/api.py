"""The shop's process: begins or continues its world and serves it on this machine."""

from __future__ import annotations

import argparse
import asyncio
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

import uvicorn
from fastapi import FastAPI

from fraudwatch.settings import ShopSettings
from shop.access import Shop
from shop.endpoints import books, open_to_all
from shop.epoch import FROM_THE_CLOCK, live_from_minute
from shop.extract import Extract
from shop.feed import Feed
from shop.ledger import Ledger
from shop.metrics import note_made, serve_metrics
from shop.minute_cache import Told
from shop.plan import MINUTE_MS, ImpossibleWorld, Plan
from shop.state import AnotherWorld, begun_or_continued
from shop.stream_endpoints import streams
from shop.world import World

# The next minute is made this long before it begins, so that nobody waits for its making.
AHEAD_MS = 10_000


def create_app(world: World, *, api_key: str, now_ms: Callable[[], int]) -> FastAPI:
    """The API of a world."""
    app = FastAPI(
        title="Shop",
        version="1",
        description="Purchases of a shop: a resumable live feed, an extract of closed days, and "
        "chargebacks as they become known.",
        lifespan=_making_minutes_ahead,
    )
    told = Told(world)
    app.state.shop = Shop(
        plan=world.plan,
        told=told,
        feed=Feed(told),
        extract=Extract(world, told),
        ledger=Ledger(world),
        api_key=api_key,
        now_ms=now_ms,
    )
    for router in (open_to_all, streams, books):
        app.include_router(router)
    serve_metrics(app)
    return app


@asynccontextmanager
async def _making_minutes_ahead(app: FastAPI) -> AsyncIterator[None]:
    shop: Shop = app.state.shop

    async def make() -> None:
        while True:
            minute = (shop.now_ms() + AHEAD_MS) // MINUTE_MS
            await asyncio.to_thread(shop.told.minute, minute)
            note_made(minute)
            await asyncio.sleep(1)

    making = asyncio.create_task(make())
    try:
        yield
    finally:
        making.cancel()


def _now_ms() -> int:
    return time.time_ns() // 1_000_000


def planned(settings: ShopSettings, epoch: str, *, now_ms: int) -> Plan:
    """The world that the settings describe.

    Raises:
        ImpossibleWorld: when they describe none.
    """
    return Plan(
        seed=settings.seed,
        customers=settings.customers,
        history_days=settings.history_days,
        history_purchases=settings.history_purchases,
        live_purchases_per_second=settings.live_purchases_per_second,
        chargeback_delay_days=settings.chargeback_delay_days,
        live_from_minute=live_from_minute(epoch, history_days=settings.history_days, now_ms=now_ms),
    )


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m shop.api", description=main.__doc__)
    parser.add_argument(
        "--epoch",
        help="where history begins, as in 2026-11-14T00:00Z; the same seed, sizes and epoch make "
        "the same world on any machine; auto: history ends at the first start (SHOP_EPOCH)",
    )
    return parser.parse_args()


def main() -> None:
    """Begin the world, or continue it, and serve it on this machine."""
    given = _arguments().epoch
    settings = ShopSettings()
    epoch = settings.epoch if given is None else given
    try:
        wanted = planned(settings, epoch, now_ms=_now_ms())
        plan = begun_or_continued(
            wanted, settings.state_folder, is_epoch_chosen=epoch != FROM_THE_CLOCK
        )
    except (AnotherWorld, ImpossibleWorld) as error:
        raise SystemExit(f"the shop does not start: {error}") from error
    app = create_app(World(plan), api_key=settings.api_key.get_secret_value(), now_ms=_now_ms)
    uvicorn.run(
        app,
        host="127.0.0.1",
        port=settings.port,
        access_log=False,  # a long poll answers several times a second
        timeout_graceful_shutdown=2,  # a waiting reader asks again anyway
    )


if __name__ == "__main__":
    main()
