"""Replay targets of feeds in another shape: their records are mapped anew, then sent to ingest."""

from __future__ import annotations

from functools import partial
from pathlib import Path

from fraudwatch.adapters.codecs.json_codec import encode
from fraudwatch.adapters.codecs.submitted import read_purchase
from fraudwatch.adapters.datasets.records import RecordMapper
from fraudwatch.adapters.edge.feed_files import BrokenFeedFile, feed_paths, load_feed
from fraudwatch.adapters.edge.ingest_client import IngestApi
from fraudwatch.adapters.kafka_log.dlq_replay_targets import CheckedReplayTarget, post_to_ingest
from fraudwatch.application.dead_letters.dlq import NotReplayable, ReplayTarget
from fraudwatch.application.intake.intake import MAPPED_FEED_PREFIX
from fraudwatch.domain.messages.dead_letter import Refused
from fraudwatch.domain.messages.purchase import Purchase


class BrokenFeedTarget:
    """``ReplayTarget`` of a feed whose file cannot be used: its records stay, with the reason."""

    def __init__(self, reason: str) -> None:
        self._reason = reason

    def check(self, payload: bytes) -> None:  # noqa: ARG002  of the port
        raise NotReplayable(self._reason)

    def replay(self, payload: bytes) -> None:
        self.check(payload)


def feed_targets(
    feeds_folder: Path, mappings_folder: Path, ingest: IngestApi
) -> dict[str, ReplayTarget]:
    """Return the replay target of each feed file, by the origin of its dead letters."""
    return {
        f"{MAPPED_FEED_PREFIX}{path.stem}": _target(path, mappings_folder, ingest)
        for path in feed_paths(feeds_folder)
    }


def _target(path: Path, mappings_folder: Path, ingest: IngestApi) -> ReplayTarget:
    try:
        mapper = load_feed(path, mappings_folder).mapper
    except BrokenFeedFile as error:
        return BrokenFeedTarget(str(error))
    return CheckedReplayTarget(partial(_mapped, mapper), partial(_send, ingest))


def _mapped(mapper: RecordMapper, payload: bytes) -> Purchase:
    [result] = mapper.mapped([payload])
    if isinstance(result, Refused):
        raise result
    return read_purchase(result)


def _send(ingest: IngestApi, purchase: Purchase, _: bytes) -> None:
    post_to_ingest(ingest.send, purchase, encode(purchase))
