"""Checks an extracted day before it is taken into the lake's tables.

Contract (every line is a transaction of that day, ids once, counts as the manifest says), freshness
(extracted after the day had ended) and volume (against the median of up to 28 days before). The
exit code says which failed first: 3 contract, 4 freshness, 5 volume, 1 there is nothing to check.

Example: ``python -m batch.check_day --day 2026-11-20``
"""

from __future__ import annotations

import argparse
import json
import logging
import sys
from collections.abc import Iterator, Sequence
from datetime import date

from fraudwatch.adapters.codecs.json_codec import decode
from fraudwatch.adapters.lake.lake_files_factory import lake_files
from fraudwatch.application.extract.check_day import (
    DAYS_BEFORE,
    Check,
    ContractCheck,
    Finding,
    freshness,
    volume,
)
from fraudwatch.application.extract.lake_files import LakeFiles, LakeUnavailable, lines_of
from fraudwatch.application.extract.manifests import Manifests
from fraudwatch.domain.lake.day_extract import REJECTED_NAME, ExtractManifest
from fraudwatch.domain.messages.transaction import Transaction
from fraudwatch.lake import extract_folder
from fraudwatch.observability.logs import configure_logging
from fraudwatch.settings import LakeSettings

log = logging.getLogger("check_day")

NOTHING_TO_CHECK = 1
EXIT_CODES = {Check.CONTRACT: 3, Check.FRESHNESS: 4, Check.VOLUME: 5}
_CURE = (
    "the tables stay as they are; when the cause is gone, run extract_day with --again, then this "
    "again"
)


class NotExtracted(LookupError):
    """There is no whole extract of the day."""


def check(files: LakeFiles, day: date, *, accept_volume: bool) -> list[Finding]:
    """All that the checks find.

    Raises:
        NotExtracted: there is nothing to check, or a file of it is missing.
    """
    manifests = Manifests(files, lambda content: decode(ExtractManifest, content))
    manifest = manifests.of(day)
    if manifest is None:
        raise NotExtracted(
            f"{day} has no readable manifest in {extract_folder(day)}, so it was not extracted "
            "whole; run extract_day first"
        )
    folder = extract_folder(day)
    try:
        rejected = sum(1 for _ in lines_of(files.read(f"{folder}/{REJECTED_NAME}")))
        contract = ContractCheck(day, lambda line: decode(Transaction, line)).run(
            manifest, _lines(files, folder, manifest), rejected
        )
    except FileNotFoundError as error:
        raise NotExtracted(
            f"a file of {day} is missing ({error}), so the day cannot be checked; run extract_day "
            "with --again"
        ) from error
    found = contract + freshness(manifest, day)
    if accept_volume:
        return found
    return found + volume(manifest, manifests.before(day, DAYS_BEFORE))


def _lines(files: LakeFiles, folder: str, manifest: ExtractManifest) -> Iterator[bytes]:
    for name in manifest.files:
        yield from lines_of(files.read(f"{folder}/{name}"))


def _arguments(given: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="python -m batch.check_day",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--day", type=date.fromisoformat, required=True, help="an extracted day")
    parser.add_argument(
        "--accept-volume", action="store_true", help="a day of unusual volume is known to be right"
    )
    parser.add_argument("--json", action="store_true", help="print exactly one JSON object")
    return parser.parse_args(given)


def main(given: Sequence[str] | None = None) -> int:
    """Check a day and say what was found."""
    arguments = _arguments(given)
    configure_logging("check_day")
    try:
        found = check(
            lake_files(LakeSettings()), arguments.day, accept_volume=arguments.accept_volume
        )
    except (NotExtracted, LakeUnavailable) as error:
        log.error("%s", error)  # noqa: TRY400  the sentence says it; a traceback would bury it
        return NOTHING_TO_CHECK
    return _told(arguments.day, found, as_json=arguments.json)


def _told(day: date, found: list[Finding], *, as_json: bool) -> int:
    failed = [finding for finding in found if not finding.is_note]
    notes = [finding.sentence for finding in found if finding.is_note]
    for note in notes:
        log.warning("%s", note)
    if as_json:
        names = sorted({finding.check.value for finding in failed})
        said = {"day": day.isoformat(), "failed": names, "notes": notes}
        sys.stdout.write(json.dumps(said) + "\n")
    elif not failed:
        sys.stdout.write(f"{day} passes contract, freshness and volume\n")
    if not failed:
        return 0
    sentences = "; ".join(f"{finding.check}: {finding.sentence}" for finding in failed)
    log.error("%s; %s", sentences, _CURE)
    return EXIT_CODES[failed[0].check]


if __name__ == "__main__":
    sys.exit(main())
