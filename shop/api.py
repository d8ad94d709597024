"""Run the shop's API: create its world or continue it, and serve it."""

from __future__ import annotations

import argparse
import asyncio
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

import uvicorn
from fastapi import FastAPI

from fraudwatch.settings import ListenSettings, ShopSettings
from shop.access import Shop
from shop.endpoints import extract_routes, public_routes
from shop.epoch import FROM_THE_CLOCK, live_from_minute
from shop.extract import Extract
from shop.feed import Feed
from shop.ledger import ChargebackStream
from shop.metrics import record_precomputed, serve_metrics
from shop.minute_cache import MinuteCache
from shop.plan import MINUTE_MS, InvalidPlan, Plan
from shop.state import WorldMismatch, load_or_create_plan
from shop.stream_endpoints import stream_routes
from shop.world import World

# The next minute is computed this long before it begins, so that no reader waits for it.
PRECOMPUTE_AHEAD_MS = 10_000


def create_app(world: World, *, api_key: str, now_ms: Callable[[], int]) -> FastAPI:
    """Create the API of a world."""
    app = FastAPI(
        title="Shop",
        version="1",
        description="Purchases of a shop: a resumable live feed, an extract of closed days, and "
        "chargebacks as they become known.",
        lifespan=_precompute_minutes,
    )
    minutes = MinuteCache(world)
    app.state.shop = Shop(
        plan=world.plan,
        minutes=minutes,
        feed=Feed(minutes),
        extract=Extract(world, minutes),
        chargebacks=ChargebackStream(world),
        api_key=api_key,
        now_ms=now_ms,
    )
    for router in (public_routes, stream_routes, extract_routes):
        app.include_router(router)
    serve_metrics(app)
    return app


@asynccontextmanager
async def _precompute_minutes(app: FastAPI) -> AsyncIterator[None]:
    shop: Shop = app.state.shop

    async def precompute() -> None:
        while True:
            minute = (shop.now_ms() + PRECOMPUTE_AHEAD_MS) // MINUTE_MS
            await asyncio.to_thread(shop.minutes.minute, minute)
            record_precomputed(minute)
            await asyncio.sleep(1)

    task = asyncio.create_task(precompute())
    try:
        yield
    finally:
        task.cancel()


def _now_ms() -> int:
    return time.time_ns() // 1_000_000


def plan_of_settings(settings: ShopSettings, epoch: str, *, now_ms: int) -> Plan:
    """Build the plan of the world that the settings describe.

    Raises:
        InvalidPlan: the settings contradict each other or are out of bounds.
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
        help="start of the history, as in 2026-11-14T00:00Z; the same seed, sizes and epoch make "
        "the same world on any machine; auto: history ends at the first start (SHOP_EPOCH)",
    )
    return parser.parse_args()


def main() -> None:
    """Create the world, or continue it, and serve its API at LISTEN_ADDRESS."""
    epoch_argument = _arguments().epoch
    settings = ShopSettings()
    epoch = settings.epoch if epoch_argument is None else epoch_argument
    try:
        requested = plan_of_settings(settings, epoch, now_ms=_now_ms())
        plan = load_or_create_plan(
            requested, settings.state_folder, is_epoch_chosen=epoch != FROM_THE_CLOCK
        )
    except (WorldMismatch, InvalidPlan) as error:
        raise SystemExit(f"the shop was not started: {error}") from error
    app = create_app(World(plan), api_key=settings.api_key.get_secret_value(), now_ms=_now_ms)
    uvicorn.run(
        app,
        host=ListenSettings().address,
        port=settings.port,
        access_log=False,  # long polls are answered several times a second
        timeout_graceful_shutdown=2,  # a waiting reader repeats its request anyway
    )


if __name__ == "__main__":
    main()
