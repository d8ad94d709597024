"""State of services, consumers, dead letters and notifications, from exported samples."""

from __future__ import annotations

import enum
from dataclasses import dataclass
from typing import Final

from fraudwatch.application.operations.exporters import Readings
from fraudwatch.topics import DEAD_LETTER_TOPIC

VERDICT_LATENCY: Final = "fraudwatch_event_to_verdict_seconds_bucket"
METRICS: Final = (
    "fraudwatch_service_up",
    "fraudwatch_service_ready",
    "fraudwatch_service_given_up",
    "fraudwatch_service_restarts_total",
    "container_memory_working_set_bytes",
    "container_spec_memory_limit_bytes",
    "container_start_time_seconds",
    "fraudwatch_kafka_reachable",
    "fraudwatch_consumer_lag_messages",
    "fraudwatch_consumer_lag_seconds",
    "fraudwatch_consumer_retention_left_seconds",
    "fraudwatch_topic_messages_total",
    "fraudwatch_dead_letters_total",
    "fraudwatch_notifier_channel_failing",
    "fraudwatch_notifier_failures_total",
    "fraudwatch_notifier_given_up_total",
    "fraudwatch_notifier_oldest_waiting_seconds",
    "fraudwatch_notifier_notices_total",
    VERDICT_LATENCY,
)
"""All metrics that this module and the verdict latency are built from."""


class ServiceState(enum.StrEnum):
    """State of a service, the worst first."""

    GIVEN_UP = "given up"
    DOWN = "down"
    NOT_READY = "not ready"
    UNKNOWN = "not probed"
    READY = "ready"


_WORST_FIRST: Final = tuple(ServiceState)


@dataclass(frozen=True, slots=True, kw_only=True)
class ServiceStatus:
    """State of one service, its restarts and its memory."""

    name: str
    state: ServiceState
    restarts: int
    memory_bytes: float | None
    planned_bytes: float | None
    started_at_seconds: float | None


@dataclass(frozen=True, slots=True, kw_only=True)
class ConsumerLag:
    """Unread messages of one consumer group on one topic."""

    group: str
    topic: str
    messages: int
    oldest_seconds: float
    retention_left_seconds: float | None


@dataclass(frozen=True, slots=True, kw_only=True)
class DeadLetterCount:
    """Messages that one process dead-lettered with one code, since it was started."""

    stage: str
    code: str
    messages: int


@dataclass(frozen=True, slots=True, kw_only=True)
class ChannelStatus:
    """Failures of one notification channel, since the notifier was started."""

    channel: str
    is_failing: bool
    failures: int
    given_up: int | None  # None: this channel gives nothing up
    oldest_waiting_seconds: float | None


def services(readings: Readings) -> list[ServiceStatus]:
    """Return every service, the worst state first."""
    ready = readings.by_label("fraudwatch_service_ready", "service")
    given_up = readings.by_label("fraudwatch_service_given_up", "service")
    restarts = readings.by_label("fraudwatch_service_restarts_total", "service")
    memory = readings.by_label("container_memory_working_set_bytes", "name")
    planned = readings.by_label("container_spec_memory_limit_bytes", "name")
    started = readings.by_label("container_start_time_seconds", "name")
    found = [
        ServiceStatus(
            name=name,
            state=_state(is_up=is_up, ready=ready.get(name), given_up=given_up.get(name)),
            restarts=int(restarts.get(name, 0)),
            memory_bytes=memory.get(name),
            planned_bytes=planned.get(name),
            started_at_seconds=started.get(name),
        )
        for name, is_up in readings.by_label("fraudwatch_service_up", "service").items()
    ]
    return sorted(found, key=lambda one: (_WORST_FIRST.index(one.state), one.name))


def _state(*, is_up: float, ready: float | None, given_up: float | None) -> ServiceState:
    if given_up:
        return ServiceState.GIVEN_UP
    if not is_up:
        return ServiceState.DOWN
    if ready is None:
        return ServiceState.UNKNOWN
    return ServiceState.READY if ready else ServiceState.NOT_READY


def consumer_lags(readings: Readings) -> list[ConsumerLag]:
    """Return the lag of every consumer, the oldest unread message first."""
    seconds = _by_consumer(readings, "fraudwatch_consumer_lag_seconds")
    left = _by_consumer(readings, "fraudwatch_consumer_retention_left_seconds")
    found = [
        ConsumerLag(
            group=consumer[0],
            topic=consumer[1],
            messages=int(messages),
            oldest_seconds=seconds.get(consumer, 0.0),
            retention_left_seconds=left.get(consumer),
        )
        for consumer, messages in _by_consumer(readings, "fraudwatch_consumer_lag_messages").items()
    ]
    return sorted(found, key=lambda one: (-one.oldest_seconds, -one.messages, one.group, one.topic))


def _by_consumer(readings: Readings, name: str) -> dict[tuple[str, str], float]:
    return {(one.labels["group"], one.labels["topic"]): one.value for one in readings.samples(name)}


def dead_letters(readings: Readings) -> list[DeadLetterCount]:
    """Return what was dead-lettered, by process and code, the most frequent first."""
    found = [
        DeadLetterCount(stage=one.labels["stage"], code=one.labels["code"], messages=int(one.value))
        for one in readings.samples("fraudwatch_dead_letters_total")
        if one.value
    ]
    return sorted(found, key=lambda one: (-one.messages, one.stage, one.code))


def dead_letters_ever(readings: Readings) -> int | None:
    """Return the number of messages ever written to the dead letter topic, or None."""
    total = readings.by_label("fraudwatch_topic_messages_total", "topic").get(DEAD_LETTER_TOPIC)
    return None if total is None else int(total)


def channels(readings: Readings) -> list[ChannelStatus]:
    """Return the notification channels, failing ones first."""
    failing = readings.by_label("fraudwatch_notifier_channel_failing", "channel")
    failures = readings.by_label("fraudwatch_notifier_failures_total", "channel")
    given_up = readings.by_label("fraudwatch_notifier_given_up_total", "channel")
    waiting = readings.by_label("fraudwatch_notifier_oldest_waiting_seconds", "channel")
    found = [
        ChannelStatus(
            channel=channel,
            is_failing=bool(is_failing),
            failures=int(failures.get(channel, 0)),
            given_up=int(given_up[channel]) if channel in given_up else None,
            oldest_waiting_seconds=waiting.get(channel),
        )
        for channel, is_failing in failing.items()
    ]
    return sorted(found, key=lambda one: (not one.is_failing, one.channel))


def notices(readings: Readings) -> dict[str, int]:
    """Return the notices to customers by what came of them."""
    found = readings.by_label("fraudwatch_notifier_notices_total", "state")
    return {state: int(count) for state, count in found.items() if count}
