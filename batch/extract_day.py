"""Brings a closed day of the shop's books into the lake, tokenised and sealed, whole or not at all.

Reads ``GET /v1/extract/{day}`` page by page, writes ``transactions-*.jsonl``, ``rejected.jsonl``
and the manifest into the day's folder. A day that lies there with the same checksum is left alone;
a killed run goes on with the pages it had. ``--json`` prints one line for machines.

Example: ``python -m batch.extract_day --day 2026-11-20``
"""

from __future__ import annotations

import argparse
import json
import logging
import sys
import time
import uuid
from collections.abc import Sequence
from datetime import UTC, date, datetime

from batch.process_liveness import is_gone, process_name
from fraudwatch.adapters.artefacts.rate_file import BrokenRates, load_rates
from fraudwatch.adapters.codecs.json_codec import decode, encode
from fraudwatch.adapters.edge.sealed_pages import SealedPages, forget_old_pages
from fraudwatch.adapters.edge.shop_extract import ShopExtract, source_client
from fraudwatch.adapters.edge.tink_vault import TinkVault
from fraudwatch.adapters.lake.lake_files_factory import lake_files
from fraudwatch.adapters.lake.outcomes import code_version, run_id
from fraudwatch.application.extract.day_lease import DayLease
from fraudwatch.application.extract.extract_day import DayExtract, ExtractCodec, Extracted
from fraudwatch.application.extract.lake_files import LakeFiles, LakeUnavailable
from fraudwatch.application.extract.manifests import Manifests
from fraudwatch.application.extract.ports import DaySource, ExtractFailed
from fraudwatch.application.intake.admit import Edge
from fraudwatch.domain.lake.day_extract import ExtractManifest
from fraudwatch.domain.messages.purchase import Purchase
from fraudwatch.lake import extract_work_folder
from fraudwatch.observability.logs import configure_logging
from fraudwatch.settings import ExtractSettings, LakeSettings

log = logging.getLogger("extract_day")


def _now_ms() -> int:
    return time.time_ns() // 1_000_000


def day_extract(
    day: date, source: DaySource, files: LakeFiles, settings: ExtractSettings
) -> DayExtract:
    """The extract of a day, wired."""
    owner = uuid.uuid4().hex  # in the name of a file, so it is not the ledger's name of the run
    edge = Edge(TinkVault(settings.keys_folder), load_rates(settings.rates_path))
    return DayExtract(
        day=day,
        source=source,
        files=files,
        pages=SealedPages(files, day, settings.keys_folder),
        lease=DayLease(
            files, f"{extract_work_folder(day)}.lock", owner, process_name(), is_gone, _now_ms
        ),
        codec=ExtractCodec(
            lambda line: decode(Purchase, line),
            lambda purchase, now_ms: encode(edge.admit(purchase, now_ms=now_ms)),
            encode,
        ),
        manifests=Manifests(files, lambda content: decode(ExtractManifest, content)),
        now_ms=_now_ms,
        run_id=run_id(),
        code_version=code_version(),
    )


def summary(done: Extracted, seconds: float) -> dict[str, object]:
    """What a run did, for machines."""
    manifest = done.manifest
    return {
        "day": manifest.day,
        "is_new": done.is_new,
        "purchases": manifest.purchases,
        "accepted": manifest.accepted,
        "rejected": dict(manifest.rejected),
        "files": len(manifest.files),
        "pages": manifest.pages,
        "checksum_sha256": manifest.checksum_sha256,
        "seconds": round(seconds, 1),
        "purchases_per_second": round(manifest.purchases / seconds) if done.is_new else None,
    }


def _sentence(told: dict[str, object]) -> str:
    if not told["is_new"]:
        return f"{told['day']} is already extracted, with the checksum that the source says"
    return (
        f"{told['day']}: {told['accepted']} of {told['purchases']} purchases accepted in "
        f"{told['seconds']} s, refused: {told['rejected'] or 'none'}"
    )


def extract(day: date, *, force: bool) -> Extracted:
    """Read the settings, wire, run."""
    settings = ExtractSettings()
    files = lake_files(LakeSettings())
    forget_old_pages(settings.keys_folder, datetime.now(UTC).date())
    key = settings.source_api_key.get_secret_value()
    with source_client(settings.source_url, key, settings.timeout_seconds) as client:
        source = ShopExtract(client, settings.page_purchases)
        return day_extract(day, source, files, settings).run(force=force)


def _arguments(given: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="python -m batch.extract_day",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--day", type=date.fromisoformat, required=True, help="a closed UTC day")
    parser.add_argument(
        "--again", action="store_true", help="also when it lies there with the same checksum"
    )
    parser.add_argument("--json", action="store_true", help="print exactly one JSON object")
    return parser.parse_args(given)


def main(given: Sequence[str] | None = None) -> int:
    """Extract a day and say what came of it."""
    arguments = _arguments(given)
    configure_logging("extract_day")
    began = time.monotonic()
    try:
        done = extract(arguments.day, force=arguments.again)
    except (ExtractFailed, LakeUnavailable, BrokenRates) as error:
        log.error("%s", error)  # noqa: TRY400  the sentence says it; a traceback would bury it
        return 1
    told = summary(done, time.monotonic() - began)
    sys.stdout.write((json.dumps(told) if arguments.json else _sentence(told)) + "\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
