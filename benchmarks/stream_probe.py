"""Send the stream benchmark's load and measure when its verdicts arrive.

``python -m benchmarks.stream_probe live|fill`` is a process of its own, so that the measurement
does not slow the load. It prints one JSON object.
"""

from __future__ import annotations

import argparse
import json
import random
import sys
import threading
import time
from typing import Any

from confluent_kafka import Consumer, Producer, TopicPartition

from benchmarks.figures import latency_percentiles
from benchmarks.live_plan import LivePlan, id_of
from fraudwatch.adapters.codecs.json_codec import encode
from fraudwatch.adapters.kafka_log.ends import ends_of
from fraudwatch.adapters.kafka_log.log import client_config, raise_for_error
from fraudwatch.domain.time_units import DAY_MS
from fraudwatch.samples import a_token, a_transaction
from fraudwatch.settings import KafkaSettings
from fraudwatch.topics import FRAUD_TOPIC, PARTITIONER, PRODUCED_AT_HEADER, TRANSACTION_TOPIC

CUSTOMERS, MERCHANTS = 50_000, 500
_BASE32_ALPHABET = "abcdefghijklmnopqrstuvwxyz234567"
# As long as the sealed field of an ordinary purchase.
_SEALED = "c2VhbGVk" * 40
_TICK_SECONDS = 0.005
_GATHER_SECONDS = 20.0
_BACKLOG_DAYS = 20


class SyntheticTransactions:
    """Generate transactions as on the topic, from a seed; an id ends in its sequence number."""

    def __init__(self, source: str) -> None:
        self._source = source
        self._rng = rng = random.Random(source)
        self._tokens = [_token(rng) for _ in range(CUSTOMERS)]
        self._homes = [(rng.uniform(36, 60), rng.uniform(-9, 25)) for _ in self._tokens]

    def message(self, number: int, event_at_ms: int) -> tuple[str, bytes]:
        """Return key and value of one transaction."""
        rng = self._rng
        customer = rng.randrange(CUSTOMERS)
        token, (latitude, longitude) = self._tokens[customer], self._homes[customer]
        cents = round(rng.lognormvariate(7.5, 1.0)) + 1
        transaction = a_transaction(
            transaction_id=id_of(self._source, number),
            customer_token=token,
            event_at_ms=event_at_ms,
            amount_minor=cents,
            amount_eur_cents=cents,
            merchant_id=f"merchant-{int(rng.paretovariate(1)) % MERCHANTS}",
            card_token=token,
            device_token=token,
            ip_token=token,
            ip_network_token=token,
            purchase_latitude=round(latitude + rng.gauss(0, 0.02), 2),
            purchase_longitude=round(longitude + rng.gauss(0, 0.02), 2),
            sealed=_SEALED,
        )
        return token, encode(transaction)


def _token(rng: random.Random) -> str:
    return a_token("a")[:9] + "".join(rng.choices(_BASE32_ALPHABET, k=26))


def live(kafka: KafkaSettings, source: str, plan: LivePlan) -> dict[str, Any]:
    """Send at an even rate, read the verdicts, and compute the latencies after the warm-up."""
    messages, consumer = _messages(source, plan), consumer_at_end(kafka, FRAUD_TOPIC)
    sender = threading.Thread(
        target=send_evenly, args=(kafka, TRANSACTION_TOPIC, messages), name="load"
    )
    sender.start()
    latencies_ms = _latencies_ms(consumer, source, plan)
    sender.join()
    consumer.close()
    return {
        "sent": plan.count,
        "scored": len(latencies_ms),
        "event_to_verdict_ms": latency_percentiles(latencies_ms) if latencies_ms else None,
    }


def _messages(source: str, plan: LivePlan) -> list[tuple[str, bytes, int]]:
    """Generate the whole load in advance, because it would take processor time while measuring."""
    purchases = SyntheticTransactions(source)
    due_ms = [int(plan.due_ms(number)) for number in range(plan.count)]
    return [(*purchases.message(number, at_ms), at_ms) for number, at_ms in enumerate(due_ms)]


def send_evenly(kafka: KafkaSettings, topic: str, messages: list[tuple[str, bytes, int]]) -> None:
    """Send (key, value, due time) in order, each when it is due."""
    producer, number = _producer(kafka), 0
    while number < len(messages):
        now_ms = time.time() * 1000
        while number < len(messages) and messages[number][2] <= now_ms:
            # Timestamped when due, so that a sender's delay counts as latency.
            key, value, due_ms = messages[number]
            producer.produce(topic, value, key, timestamp=due_ms)
            number += 1
        producer.poll(0)
        time.sleep(_TICK_SECONDS)
    producer.flush()


def _latencies_ms(consumer: Consumer, source: str, plan: LivePlan) -> list[int]:
    expected = plan.count - plan.first_counted
    prefix, counted_from_ms = f"{source}:".encode(), int(plan.due_ms(plan.first_counted))
    deadline = plan.due_ms(plan.count) / 1000 + _GATHER_SECONDS
    latencies_ms: list[int] = []
    while len(latencies_ms) < expected and time.time() < deadline:
        messages = consumer.consume(1_000, timeout=0.05)
        now_ms = time.time_ns() // 1_000_000
        for message in messages:
            raise_for_error(message)
            due_ms = int(dict(message.headers() or [])[PRODUCED_AT_HEADER] or 0)
            if due_ms >= counted_from_ms and prefix in (message.value() or b""):
                latencies_ms.append(now_ms - due_ms)
    return latencies_ms


def fill(kafka: KafkaSettings, source: str, count: int) -> dict[str, Any]:
    """Send a backlog that spans some weeks to the topic as fast as possible."""
    producer, purchases = _producer(kafka), SyntheticTransactions(source)
    now_ms = time.time_ns() // 1_000_000
    for number in range(count):
        key, value = purchases.message(number, _spread(now_ms, number, count))
        while True:
            try:
                producer.produce(TRANSACTION_TOPIC, value, key)
            except BufferError:
                producer.poll(0.1)
            else:
                break
    return {"filled": count, "unsent": producer.flush(60)}


def _spread(now_ms: int, number: int, count: int) -> int:
    return now_ms - (count - number) * (_BACKLOG_DAYS * DAY_MS) // count


def _producer(kafka: KafkaSettings) -> Producer:
    return Producer(
        client_config(kafka)
        | {"acks": "all", "enable.idempotence": True, "partitioner": PARTITIONER, "linger.ms": 1}
    )


def consumer_at_end(kafka: KafkaSettings, topic: str) -> Consumer:
    """Return a consumer assigned at a topic's end offsets."""
    consumer = Consumer(client_config(kafka) | {"group.id": f"{kafka.username}-probe"})
    ends = ends_of(kafka, topic)
    consumer.assign([TopicPartition(topic, number, end) for number, end in ends.items()])
    return consumer


def main() -> None:
    """Run the command of the command line and print its result as JSON."""
    parser = argparse.ArgumentParser(description=__doc__)
    commands = parser.add_subparsers(dest="command", required=True)
    live_command = commands.add_parser("live")
    for name in ("begin-at-ms", "per-second", "seconds", "warm-up-seconds"):
        live_command.add_argument(f"--{name}", type=int, required=True)
    fill_command = commands.add_parser("fill")
    fill_command.add_argument("--count", type=int, required=True)
    for command in (live_command, fill_command):
        command.add_argument("--source", required=True)
    options = vars(parser.parse_args())
    command, source = options.pop("command"), options.pop("source")
    kafka = KafkaSettings()
    result = (
        live(kafka, source, LivePlan(**options))
        if command == "live"
        else fill(kafka, source, options["count"])
    )
    sys.stdout.write(json.dumps(result) + "\n")


if __name__ == "__main__":
    main()
