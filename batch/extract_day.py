"""Extract a closed day from the source system into the lake: tokenised, sealed, all or nothing.

Reads ``GET /v1/extract/{day}`` page by page and writes ``transactions-*.jsonl``, ``rejected.jsonl``
and the manifest into the day's folder. A day already extracted with the same checksum is skipped; a
killed run resumes with its cached pages. ``--json`` prints one JSON object.

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
from fraudwatch.adapters.codecs.submitted import read_purchase
from fraudwatch.adapters.edge.lost_keys import KeysLost
from fraudwatch.adapters.edge.sealed_pages import SealedPages, delete_old_keys
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
from fraudwatch.batch_settings import ExtractSettings
from fraudwatch.domain.lake.day_extract import ExtractManifest
from fraudwatch.lake import extract_work_folder
from fraudwatch.observability.job_metrics import run_job
from fraudwatch.observability.logs import configure_logging
from fraudwatch.settings import LakeSettings

log = logging.getLogger("extract_day")


def _now_ms() -> int:
    return time.time_ns() // 1_000_000


def day_extract(
    day: date, source: DaySource, files: LakeFiles, settings: ExtractSettings
) -> DayExtract:
    """Build the extract of a day from its adapters."""
    owner = uuid.uuid4().hex  # part of a file name, so it is not the run id of the job outcome
    rates = load_rates(settings.rates_path, settings.default_rates_path)
    edge = Edge(TinkVault(settings.keys_folder), rates)
    return DayExtract(
        day=day,
        source=source,
        files=files,
        pages=SealedPages(files, day, settings.keys_folder),
        lease=DayLease(
            files, f"{extract_work_folder(day)}.lock", owner, process_name(), is_gone, _now_ms
        ),
        codec=ExtractCodec(
            read_purchase,
            lambda purchase, now_ms: encode(edge.admit(purchase, now_ms=now_ms)),
            encode,
        ),
        sources=settings.sources,
        manifests=Manifests(files, lambda content: decode(ExtractManifest, content)),
        now_ms=_now_ms,
        run_id=run_id(),
        code_version=code_version(),
    )


def summary(done: Extracted, seconds: float) -> dict[str, object]:
    """Build the run's result as a JSON object."""
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


def _sentence(result: dict[str, object]) -> str:
    if not result["is_new"]:
        return f"{result['day']} is already extracted, with the source's checksum"
    return (
        f"{result['day']}: {result['accepted']} of {result['purchases']} purchases accepted in "
        f"{result['seconds']} s, rejected: {result['rejected'] or 'none'}"
    )


def extract(day: date, *, force: bool) -> Extracted:
    """Read the settings and run the extract."""
    settings = ExtractSettings()
    files = lake_files(LakeSettings())
    if not settings.sources:
        log.warning("the extract may bring purchases of any source: set EXTRACT_SOURCES")
    delete_old_keys(settings.keys_folder, datetime.now(UTC).date())
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
        "--again", action="store_true", help="also when already extracted with the same checksum"
    )
    parser.add_argument("--json", action="store_true", help="print exactly one JSON object")
    return parser.parse_args(given)


def main(given: Sequence[str] | None = None) -> int:
    """Extract a day, print the result and return the exit code."""
    arguments = _arguments(given)
    configure_logging("extract_day")
    began = time.monotonic()
    try:
        done = extract(arguments.day, force=arguments.again)
    except (ExtractFailed, LakeUnavailable, BrokenRates, KeysLost) as error:
        log.error("%s", error)  # noqa: TRY400  the sentence is enough; a traceback would bury it
        return 1
    result = summary(done, time.monotonic() - began)
    sys.stdout.write((json.dumps(result) if arguments.json else _sentence(result)) + "\n")
    return 0


if __name__ == "__main__":
    sys.exit(run_job("extract_day", main))
