"""Stop the detector when its own code refuses what ingest accepted.

One such message is a dead letter. Many are a defect, or two versions that do not fit: going on
would leave purchases without a verdict, and a stopped detector loses none.
"""

from __future__ import annotations

import logging
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Final

from fraudwatch.adapters.quota_folder import FOLDER, QuotaFolder
from fraudwatch.application.dead_letters.quota import DETECTOR, DeadLetterQuota, SourcePaused
from fraudwatch.domain.messages.dead_letter import Code, DeadLetter
from fraudwatch.quota_settings import QuotaSettings

log = logging.getLogger("detector")

# Ingest cannot know a customer's last purchase, so this is no disagreement with it.
_UNKNOWN_TO_INGEST: Final = frozenset({Code.TOO_LATE})


def detector_quota(state_folder: Path, now_ms: Callable[[], int]) -> DeadLetterQuota:
    """Build the quota of this home's detector."""
    return DeadLetterQuota(QuotaSettings().limits, QuotaFolder(state_folder / FOLDER), now_ms)


def exit_while_paused(quota: DeadLetterQuota) -> None:
    """End the process with the reason if the detector has stopped and was not resumed."""
    try:
        quota.require_running(DETECTOR)
    except SourcePaused as paused:
        log.error("%s", paused)  # noqa: TRY400  the sentence is enough; a traceback would bury it
        sys.exit(1)


def check_refusals(quota: DeadLetterQuota, records: Sequence[DeadLetter], messages: int) -> None:
    """Count the dead letters of a micro-batch before they are published.

    Raises:
        SourcePaused: they are too many; the micro-batch must not be committed.
    """
    refused = sum(record.code not in _UNKNOWN_TO_INGEST for record in records)
    if (state := quota.count(DETECTOR, messages, refused)) is not None:
        log.error("%s", state.reason)
        raise SourcePaused(state)
