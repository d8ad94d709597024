"""The extract job as a process against the shop's real API; it is killed, and resumes."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Awaitable, Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
import uvicorn
from starlette.types import ASGIApp, Receive, Scope, Send

from fraudwatch.adapters.codecs.json_codec import decode
from fraudwatch.adapters.lake.folder_files import FolderFiles
from fraudwatch.application.extract.lake_files import content_of, lines_of
from fraudwatch.domain.lake.day_extract import MANIFEST_NAME, ExtractManifest
from fraudwatch.domain.messages.transaction import Transaction
from fraudwatch.lake import EXTRACT_FOLDER, extract_folder, extract_work_folder
from fraudwatch.stack.home import ROOT
from shop.api import create_app
from shop.plan import MINUTE_MS, Plan
from shop.world import World
from tests.waiting import eventually

KEY = "k3y-of-an-integrator-42"
PLAN = Plan(
    seed=5,
    customers=50,
    history_days=2,
    history_purchases=1_500,
    live_purchases_per_second=2.0,
    chargeback_delay_days=0.5,
    live_from_minute=29_400_000,
)
LIVE_FROM = datetime.fromtimestamp(PLAN.live_from_minute * 60, UTC)
DAY = (LIVE_FROM - timedelta(days=1)).date()
PAGE_PURCHASES = 100
Proxy = Callable[[int, ASGIApp, Scope, Receive, Send], Awaitable[None]]


async def forward(_: int, app: ASGIApp, scope: Scope, receive: Receive, send: Send) -> None:
    await app(scope, receive, send)


@dataclass
class Shop:
    """The shop's app on a port, behind a proxy that a test can change."""

    proxy: Proxy = forward
    requested_pages: list[int] = field(default_factory=list)
    url: str = ""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        page = 0
        if scope["type"] == "http" and b"page=" in scope["query_string"]:
            page = int(scope["query_string"].split(b"page=")[1].split(b"&")[0])
            self.requested_pages.append(page)
        await self.proxy(page, self.app, scope, receive, send)

    def __post_init__(self) -> None:
        now_ms = (PLAN.live_from_minute + 60) * MINUTE_MS
        self.app: ASGIApp = create_app(World(PLAN), api_key=KEY, now_ms=lambda: now_ms)


@pytest.fixture(scope="module")
def serving() -> Iterator[Shop]:
    shop = Shop()
    listening = socket.create_server(("127.0.0.1", 0))
    shop.url = f"http://127.0.0.1:{listening.getsockname()[1]}"
    server = uvicorn.Server(uvicorn.Config(shop, log_level="warning", access_log=False))
    thread = threading.Thread(target=server.run, kwargs={"sockets": [listening]}, daemon=True)
    thread.start()
    eventually(lambda: server.started, within_seconds=30, what="the shop's start")
    yield shop
    server.should_exit = True
    thread.join(timeout=10)


@pytest.fixture
def shop(serving: Shop) -> Shop:
    serving.proxy = forward
    serving.requested_pages.clear()
    return serving


@dataclass
class Job:
    """``python -m batch.extract_day`` with a lake in a folder."""

    folder: Path
    shop: Shop

    def start(self, *more: str, **settings: str) -> subprocess.Popen[str]:
        (self.folder / "keys").mkdir(exist_ok=True)
        environment = os.environ | {
            "PYTHONPATH": os.pathsep.join([str(ROOT / "src"), str(ROOT)]),
            "LAKE_FILE_SYSTEM": (self.folder / "lake").as_uri(),
            "LAKE_WEBHDFS_URL": "",
            "EXTRACT_SOURCE_URL": self.shop.url,
            "EXTRACT_SOURCE_API_KEY": KEY,
            "EXTRACT_KEYS_FOLDER": str(self.folder / "keys"),
            "EXTRACT_RATES_PATH": str(ROOT / "contracts/rates/eur.csv"),
            "EXTRACT_PAGE_PURCHASES": str(PAGE_PURCHASES),
        }
        return subprocess.Popen(
            [sys.executable, "-m", "batch.extract_day", "--day", DAY.isoformat(), *more],
            env=environment | settings,
            cwd=ROOT,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )

    def run(self, *more: str, **settings: str) -> tuple[int, str, str]:
        process = self.start(*more, **settings)
        out, err = process.communicate(timeout=120)
        return process.returncode, out, err

    @property
    def files(self) -> FolderFiles:
        return FolderFiles(self.folder / "lake")

    def manifest(self) -> ExtractManifest:
        content = content_of(self.files, f"{extract_folder(DAY)}/{MANIFEST_NAME}")
        return decode(ExtractManifest, content or b"")


@pytest.fixture
def job(tmp_path: Path, shop: Shop) -> Job:
    return Job(tmp_path, shop)


def test_a_day_of_the_shop_is_extracted_once(job: Job) -> None:
    code, out, err = job.run("--json")
    assert code == 0, err
    document = json.loads(out)
    assert document["is_new"]
    assert document["purchases"] == document["accepted"] > 3 * PAGE_PURCHASES
    manifest = job.manifest()
    found = lines_of(job.files.read(f"{extract_folder(DAY)}/{manifest.files[0]}"))
    ids = [decode(Transaction, line).transaction_id for line in found]
    assert len(set(ids)) == manifest.purchases

    code, out, _ = job.run()
    assert code == 0
    assert "already extracted" in out


def test_a_killed_run_is_resumed(job: Job, shop: Shop) -> None:
    is_hanging = threading.Event()

    async def hang(page: int, app: ASGIApp, scope: Scope, receive: Receive, send: Send) -> None:
        if page == 3:
            is_hanging.set()
            await receive()
            while (await receive())["type"] != "http.disconnect":
                pass
            return
        await app(scope, receive, send)

    shop.proxy = hang
    process = job.start()
    assert is_hanging.wait(60)
    process.send_signal(signal.SIGKILL)
    process.wait(10)
    assert not job.files.exists(extract_folder(DAY))
    kept = job.files.names(f"{extract_work_folder(DAY)}/pages")
    assert kept == ["00001.sealed", "00002.sealed"]

    shop.proxy = forward
    shop.requested_pages.clear()
    code, _, err = job.run()
    assert code == 0, err
    assert shop.requested_pages[:2] == [1, 3]
    assert job.manifest().accepted == job.manifest().purchases
    assert job.files.names(f"{EXTRACT_FOLDER}/.work") == []


def test_of_two_processes_only_one_extracts_the_day(job: Job) -> None:
    both = [job.start(), job.start()]
    ended = [(process.communicate(timeout=120)[1], process.returncode) for process in both]
    codes = sorted(code for _, code in ended)
    assert codes in ([0, 0], [0, 1])  # 0, 0: the second came when the first had ended
    for err, code in ended:
        if code:
            assert "another extract of this day runs" in err.splitlines()[-1]
    assert job.manifest().accepted == job.manifest().purchases
    assert job.files.names(EXTRACT_FOLDER) == [".work", f"day={DAY.isoformat()}"]
    assert job.files.names(f"{EXTRACT_FOLDER}/.work") == []


@pytest.mark.parametrize("trouble", ["down", "slow"])
def test_an_unreachable_api_is_named_in_the_last_line(job: Job, shop: Shop, trouble: str) -> None:
    settings = {"EXTRACT_TIMEOUT_SECONDS": "0.3"}
    if trouble == "down":
        with socket.create_server(("127.0.0.1", 0)) as closed_again:
            port = closed_again.getsockname()[1]
        settings["EXTRACT_SOURCE_URL"] = f"http://127.0.0.1:{port}"

    async def slow(_: int, app: ASGIApp, scope: Scope, receive: Receive, send: Send) -> None:
        await asyncio.sleep(1)
        await app(scope, receive, send)

    shop.proxy = slow
    began = time.monotonic()
    code, out, err = job.run(**settings)
    assert (code, out) == (1, "")
    last = err.splitlines()[-1]
    assert "in 5 tries" in last
    assert ("ConnectError" if trouble == "down" else "ReadTimeout") in last
    assert time.monotonic() - began > 7, "it paused between its tries"
    assert "Traceback" not in err
    assert not job.files.exists(extract_folder(DAY))


def test_a_day_that_has_not_ended_is_refused(job: Job) -> None:
    process = job.start("--day", LIVE_FROM.date().isoformat())
    _, err = process.communicate(timeout=60)
    assert process.returncode == 1
    assert "has not ended at the source" in err.splitlines()[-1]
