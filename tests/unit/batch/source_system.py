"""Fake source system over HTTP, with faults that a test injects."""

from __future__ import annotations

import hashlib
import json
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from typing import Any

import httpx

from batch.extract_day import day_extract
from fraudwatch.adapters.codecs.json_codec import encode
from fraudwatch.adapters.edge.shop_extract import ShopExtract, source_client
from fraudwatch.adapters.lake.folder_files import FolderFiles
from fraudwatch.application.extract.extract_day import DayExtract
from fraudwatch.application.extract.lake_files import LakeFiles
from fraudwatch.batch_settings import ExtractSettings
from fraudwatch.samples import NOON_MS, a_purchase

DAY = date(2026, 1, 15)  # the day of NOON_MS
RATES = Path(__file__).parents[3] / "contracts/rates/eur.csv"
Spoil = Callable[[dict[str, Any]], dict[str, Any] | httpx.Response | httpx.HTTPError]


def canonical(thing: Any) -> str:
    return json.dumps(thing, sort_keys=True, separators=(",", ":"))


def a_line(number: int, **changes: Any) -> dict[str, Any]:
    """Build a purchase as a source sends it, of one of five customers."""
    purchase = a_purchase(
        id=str(number), event_at_ms=NOON_MS + number, customer_id=f"customer-{number % 5}"
    )
    line: dict[str, Any] = json.loads(encode(purchase))
    return {name: value for name, value in line.items() if value is not None} | changes


@dataclass
class FakeShop:
    """Source system with one day; ``spoil`` alters the correct page before it is sent."""

    purchases: list[dict[str, Any]] = field(default_factory=lambda: [a_line(n) for n in range(10)])
    spoil: Spoil = lambda page: page
    requested_pages: list[int] = field(default_factory=list)

    def answer(self, request: httpx.Request) -> httpx.Response:
        number, size = (int(request.url.params[name]) for name in ("page", "page_size"))
        self.requested_pages.append(number)
        answer = self.spoil(self.page(number, size))
        if isinstance(answer, httpx.HTTPError):
            raise answer
        if isinstance(answer, httpx.Response):
            return answer
        return httpx.Response(200, content=canonical(answer))

    def page(self, number: int, size: int) -> dict[str, Any]:
        amounts = Counter[str]()
        for one in self.purchases:
            amounts[one["currency"]] += one["amount_minor"]
        lines = "".join(canonical(one) + "\n" for one in self.purchases)
        return {
            "day": DAY.isoformat(),
            "page": number,
            "pages": max(1, -(-len(self.purchases) // size)),
            "page_size": size,
            "total_purchases": len(self.purchases),
            "total_amount_minor_by_currency": dict(amounts),
            "checksum_sha256": hashlib.sha256(lines.encode()).hexdigest(),
            "purchases": self.purchases[(number - 1) * size : number * size],
        }


@dataclass
class Edge:
    """Lake in a folder and the extract of a day into it."""

    folder: Path
    shop: FakeShop = field(default_factory=FakeShop)
    rests: list[float] = field(default_factory=list)

    @property
    def files(self) -> FolderFiles:
        return FolderFiles(self.folder / "lake")

    @property
    def settings(self) -> ExtractSettings:
        keys = self.folder / "keys"
        keys.mkdir(exist_ok=True)
        return ExtractSettings(
            source_url="http://shop",
            source_api_key="k3y-of-an-integrator-42",
            keys_folder=keys,
            rates_path=RATES,
            page_purchases=4,
        )

    def extract(self, files: LakeFiles | None = None) -> DayExtract:
        transport = httpx.MockTransport(self.shop.answer)
        source = ShopExtract(
            source_client("http://shop", "key", 1.0, transport), 4, rest=self.rests.append
        )
        return day_extract(DAY, source, files or self.files, self.settings)
