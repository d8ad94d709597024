"""The sandbox of an ingest in memory: its channel and its waiter."""

from __future__ import annotations

from fraudwatch.adapters.codecs.json_codec import encode
from fraudwatch.adapters.memory.verdict_store import MemoryDeadLetters, MemoryTopic, MemoryVerdicts
from fraudwatch.application.intake.admit import Edge
from fraudwatch.application.intake.intake import Intake
from fraudwatch.application.intake.message_builders import purchase_builder
from fraudwatch.application.intake.pending_verdicts import PendingVerdictRegistry
from fraudwatch.application.ports import Publisher, Vault
from fraudwatch.domain.messages.purchase import Purchase
from fraudwatch.domain.money import RateTable
from fraudwatch.samples import NOON_MS
from streaming.ingest.channel import SANDBOX_METRICS, IngestChannel
from streaming.ingest.sync_scoring import VerdictWaiter


def a_sandbox(
    vault: Vault, topic: Publisher | None = None, verdicts: MemoryVerdicts | None = None
) -> tuple[IngestChannel[Purchase], VerdictWaiter]:
    """Return the last two services of ingest."""
    admit = purchase_builder(Edge(vault, RateTable([]), is_sandbox=True), encode)
    intake = Intake(admit, topic or MemoryTopic(), MemoryDeadLetters(), lambda: NOON_MS)
    listener = verdicts or MemoryVerdicts(PendingVerdictRegistry())
    return IngestChannel(intake, SANDBOX_METRICS), VerdictWaiter(listener._pending, listener, None)
