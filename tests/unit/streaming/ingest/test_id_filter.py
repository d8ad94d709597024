from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

import pytest
from prometheus_client import REGISTRY

from fraudwatch.adapters.codecs.json_codec import encode
from fraudwatch.adapters.edge.tink_vault import TinkVault
from fraudwatch.adapters.memory.verdict_store import (
    MemoryDeadLetters,
    MemoryTopic,
    MemoryVerdictStore,
)
from fraudwatch.adapters.newest_events_file import NewestEventsFile
from fraudwatch.application.intake.admit import Edge
from fraudwatch.application.intake.intake import FeedItem, Intake, OtherContent, RefusedBatch
from fraudwatch.application.intake.known_ids import LogPositions, ScoredId
from fraudwatch.application.intake.message_builders import purchase_builder
from fraudwatch.application.intake.newest_events import NewestEvents
from fraudwatch.domain.messages.dead_letter import Code
from fraudwatch.domain.messages.purchase import Purchase, transaction_id_of
from fraudwatch.domain.money import RateTable
from fraudwatch.samples import NOON_MS, a_purchase, a_verdict
from streaming.ingest.channel import PURCHASE_METRICS, IngestChannel
from streaming.ingest.id_filter import (
    CATCH_UP_SECONDS,
    SAVE_SECONDS,
    IdFilterKeeper,
    kept_ids,
)


class QuietLog:
    """A log without verdicts, which may be unreachable."""

    def __init__(self) -> None:
        self.is_reachable = True

    def positions(self) -> LogPositions:
        if not self.is_reachable:
            raise ConnectionError("Kafka: down")
        return LogPositions({0: 0}, {0: 0})

    def read(
        self,
        starts: Mapping[int, int],
        ends: Mapping[int, int],
        handle: Callable[[Sequence[ScoredId]], None],
    ) -> None:
        """Hand over nothing."""


class Ingest:
    """The channel of purchases in one process after the other, over one home and one store."""

    def __init__(self, home: Path) -> None:
        self.home, self.store, self.log = home, MemoryVerdictStore(), QuietLog()
        self.topic, self.records = MemoryTopic(), MemoryDeadLetters()
        self.vault = TinkVault(home / "keys")
        self.start()

    def start(self) -> None:
        self.keeper: IdFilterKeeper
        newest_file = NewestEventsFile(self.home)
        newest = NewestEvents(newest_file.read())
        known, self.keeper = kept_ids(
            self.home,
            self.store,
            self.log,
            lambda: NOON_MS,
            save_also=lambda: newest_file.write(newest.by_source()),
        )
        build = purchase_builder(Edge(self.vault, RateTable([])), encode)
        self.channel = IngestChannel(
            Intake(build, self.topic, self.records, lambda: NOON_MS),
            PURCHASE_METRICS,
            known=known,
            id_of=lambda one: transaction_id_of(one.source, one.id),
            on_accepted=newest.add,
        )

    def score(self, purchase: Purchase) -> None:
        name = transaction_id_of(purchase.source, purchase.id)
        content_hash = self.vault.content_hash(purchase)
        self.store.write([a_verdict(transaction_id=name, content_hash=content_hash)], [])


FIRST, SECOND = a_purchase(id="1"), a_purchase(id="2")
OTHER = a_purchase(id="1", amount_minor=1)


@pytest.fixture
def restarted(tmp_path: Path) -> Ingest:
    """Return an ingest that had accepted the first purchase before it was started again."""
    ingest = Ingest(tmp_path)
    ingest.channel.submit([FIRST])
    ingest.score(FIRST)
    assert ingest.keeper.step() == SAVE_SECONDS
    ingest.start()
    return ingest


def test_a_repeat_after_a_restart_is_recognised_without_waiting(restarted: Ingest) -> None:
    result = restarted.channel.submit([FIRST, SECOND])
    assert (result.accepted, result.repeated) == (1, 1)
    with pytest.raises(OtherContent):
        restarted.channel.submit([OTHER])


def test_a_repeat_of_a_feed_is_recognised_after_a_restart(restarted: Ingest) -> None:
    items = [FeedItem(f"feed:{n}", b"{}", one) for n, one in enumerate((FIRST, OTHER, SECOND))]
    result = restarted.channel.submit_feed(items)
    assert (result.accepted, result.repeated) == (1, 1)
    assert {x.origin: x.code for x in result.dead_lettered} == {"feed:1": Code.OTHER_CONTENT}


def test_an_id_whose_verdict_is_not_stored_is_accepted(restarted: Ingest) -> None:
    restarted.store.verdicts.clear()
    assert restarted.channel.submit([FIRST]).accepted == 1


def test_what_a_waiting_caller_looked_up_is_not_looked_up_again(restarted: Ingest) -> None:
    assert restarted.channel.submit([FIRST], {}).accepted == 1


def test_the_filter_is_exported_and_survives_an_outage_of_the_broker(
    restarted: Ingest, caplog: pytest.LogCaptureFixture
) -> None:
    restarted.log.is_reachable = False
    assert restarted.keeper.step() == CATCH_UP_SECONDS
    assert "the filter of accepted ids is not saved: Kafka: down" in caplog.text
    for _ in range(20):
        seconds = restarted.keeper.step()
    assert seconds == SAVE_SECONDS
    restarted.log.is_reachable = True
    assert restarted.keeper.step() == SAVE_SECONDS
    found = {
        name: REGISTRY.get_sample_value(f"fraudwatch_ingest_id_filter_{name}")
        for name in ("ids", "complete", "since_seconds")
    }
    assert found == {"ids": 1, "complete": 1, "since_seconds": NOON_MS / 1_000}


def test_the_newest_accepted_event_of_each_source_outlives_a_restart(tmp_path: Path) -> None:
    ingest, file = Ingest(tmp_path), NewestEventsFile(tmp_path)
    late = a_purchase(id="late", event_at_ms=NOON_MS - 5_000)
    newest = a_purchase(id="newest", event_at_ms=NOON_MS - 1_000)
    ingest.channel.submit(
        [late, newest, a_purchase(id="1", source="other", event_at_ms=1_000_000_000_000)]
    )
    with pytest.raises(RefusedBatch):  # from the future
        ingest.channel.submit([a_purchase(id="bad", event_at_ms=NOON_MS + 10**9)])
    ingest.keeper.step()
    expected = {newest.source: NOON_MS - 1_000, "other": 1_000_000_000_000}
    assert file.read() == expected
    ingest.start()
    item = FeedItem("feed:1", b"", a_purchase(id="fed", event_at_ms=NOON_MS - 500))
    ingest.channel.submit_feed([item])
    ingest.channel.submit([late])  # a repeat
    ingest.keeper.step()
    assert file.read() == expected | {newest.source: NOON_MS - 500}
