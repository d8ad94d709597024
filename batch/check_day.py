"""Check an extracted day before it is refined into the lake's tables.

Contract (every line is a transaction of that day, ids once, counts as in the manifest), freshness
(extracted after the day had ended) and volume (against the median of up to 28 days before). The
exit code names the first failure: 3 contract, 4 freshness, 5 volume, 1 nothing to check.

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
    ContractCheck,
    DayCheck,
    DayFinding,
    freshness,
    volume,
)
from fraudwatch.application.extract.lake_files import LakeFiles, LakeUnavailable, lines_of
from fraudwatch.application.extract.manifests import Manifests
from fraudwatch.domain.lake.day_extract import REJECTED_NAME, ExtractManifest
from fraudwatch.domain.messages.transaction import Transaction
from fraudwatch.lake import extract_folder
from fraudwatch.observability.job_metrics import run_job
from fraudwatch.observability.logs import configure_logging
from fraudwatch.settings import LakeSettings

log = logging.getLogger("check_day")

NOTHING_TO_CHECK = 1
EXIT_CODES = {DayCheck.CONTRACT: 3, DayCheck.FRESHNESS: 4, DayCheck.VOLUME: 5}
_FIX = (
    "the tables were not changed; fix the cause, run extract_day with --again, then run this again"
)


class NotExtracted(LookupError):
    """There is no complete extract of the day."""


def check(files: LakeFiles, day: date, *, accept_volume: bool) -> list[DayFinding]:
    """Run all checks and return their findings.

    Raises:
        NotExtracted: there is no extract to check, or one of its files is missing.
    """
    manifests = Manifests(files, lambda content: decode(ExtractManifest, content))
    manifest = manifests.of(day)
    if manifest is None:
        raise NotExtracted(
            f"{day} has no readable manifest in {extract_folder(day)}, so its extract is not "
            "complete; run extract_day first"
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
    findings = contract + freshness(manifest, day)
    if accept_volume:
        return findings
    return findings + volume(manifest, manifests.before(day, DAYS_BEFORE))


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
        "--accept-volume", action="store_true", help="accept a day of unusual volume as correct"
    )
    parser.add_argument("--json", action="store_true", help="print exactly one JSON object")
    return parser.parse_args(given)


def main(given: Sequence[str] | None = None) -> int:
    """Check a day, print the findings and return the exit code."""
    arguments = _arguments(given)
    configure_logging("check_day")
    try:
        findings = check(
            lake_files(LakeSettings()), arguments.day, accept_volume=arguments.accept_volume
        )
    except (NotExtracted, LakeUnavailable) as error:
        log.error("%s", error)  # noqa: TRY400  the sentence is enough; a traceback would bury it
        return NOTHING_TO_CHECK
    return _print_findings(arguments.day, findings, as_json=arguments.json)


def _print_findings(day: date, findings: list[DayFinding], *, as_json: bool) -> int:
    failed = [finding for finding in findings if not finding.is_note]
    notes = [finding.sentence for finding in findings if finding.is_note]
    for note in notes:
        log.warning("%s", note)
    if as_json:
        names = sorted({finding.check.value for finding in failed})
        document = {"day": day.isoformat(), "failed": names, "notes": notes}
        sys.stdout.write(json.dumps(document) + "\n")
    elif not failed:
        sys.stdout.write(f"{day} passes contract, freshness and volume\n")
    if not failed:
        return 0
    sentences = "; ".join(f"{finding.check}: {finding.sentence}" for finding in failed)
    log.error("%s; %s", sentences, _FIX)
    return EXIT_CODES[failed[0].check]


if __name__ == "__main__":
    sys.exit(run_job("check_day", main))
