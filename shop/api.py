"""The shop's process: begins or continues its world and serves it on this machine."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

import uvicorn
from fastapi import FastAPI

from fraudwatch.settings import ShopSettings
from shop.endpoints import Shop, keyed, open_to_all
from shop.extract import Extract
from shop.feed import Feed
from shop.plan import MINUTE_MS, ImpossibleWorld, Plan
from shop.state import AnotherWorld, begun_or_continued
from shop.told import Told
from shop.world import World

# The next minute is made this long before it begins, so that nobody waits for its making.
AHEAD_MS = 10_000


def create_app(world: World, *, api_key: str, now_ms: Callable[[], int]) -> FastAPI:
    """The API of a world."""
    app = FastAPI(
        title="Shop",
        version="1",
        description="Purchases of a shop: a resumable live feed and an extract of closed days.",
        lifespan=_making_minutes_ahead,
    )
    told = Told(world)
    app.state.shop = Shop(world.plan, told, Feed(told), Extract(world, told), api_key, now_ms)
    app.include_router(open_to_all)
    app.include_router(keyed)
    return app


@asynccontextmanager
async def _making_minutes_ahead(app: FastAPI) -> AsyncIterator[None]:
    shop: Shop = app.state.shop

    async def make() -> None:
        while True:
            minute = (shop.now_ms() + AHEAD_MS) // MINUTE_MS
            await asyncio.to_thread(shop.told.minute, minute)
            await asyncio.sleep(1)

    making = asyncio.create_task(make())
    try:
        yield
    finally:
        making.cancel()


def _now_ms() -> int:
    return time.time_ns() // 1_000_000


def main() -> None:
    """Begin the world, or continue it, and serve it on this machine."""
    settings = ShopSettings()
    try:
        wanted = Plan(
            seed=settings.seed,
            customers=settings.customers,
            history_days=settings.history_days,
            history_purchases=settings.history_purchases,
            live_purchases_per_second=settings.live_purchases_per_second,
            live_from_minute=_now_ms() // MINUTE_MS,
        )
        plan = begun_or_continued(wanted, settings.state_folder)
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
