"""Load for the benchmark of the stream, and the times at which its verdicts come out.

``python -m benchmarks.stream_probe live|fill`` runs in a process of its own, so
that whoever measures is not in the way of what is measured. It prints one JSON object.
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

from benchmarks.figures import figures_of
from benchmarks.live_plan import LivePlan, id_of
from fraudwatch.adapters.codecs.json_codec import encode
from fraudwatch.adapters.kafka_log.ends import ends_of
from fraudwatch.adapters.kafka_log.log import client_config, raise_for_error
from fraudwatch.domain.time_units import DAY_MS
from fraudwatch.samples import a_token, a_transaction
from fraudwatch.settings import KafkaSettings
from fraudwatch.topics import FRAUD_TOPIC, PARTITIONER, PRODUCED_AT_HEADER, TRANSACTION_TOPIC

CUSTOMERS, MERCHANTS = 50_000, 500
_BASE32_LETTERS = "abcdefghijklmnopqrstuvwxyz234567"
# As long as the sealed fields of an ordinary purchase.
_SEALED = "c2VhbGVk" * 40
_TICK_SECONDS = 0.005
_GATHER_SECONDS = 20.0
_BACKLOG_DAYS = 20


class Purchases:
    """Transactions as they lie on the topic, by a seed; ids say the place in the sequence."""

    def __init__(self, source: str) -> None:
        self._source = source
        self._chance = chance = random.Random(source)
        self._tokens = [_token(chance) for _ in range(CUSTOMERS)]
        self._homes = [(chance.uniform(36, 60), chance.uniform(-9, 25)) for _ in self._tokens]

    def message(self, number: int, event_at_ms: int) -> tuple[str, bytes]:
        """Key and value of one transaction."""
        chance = self._chance
        customer = chance.randrange(CUSTOMERS)
        token, (latitude, longitude) = self._tokens[customer], self._homes[customer]
        cents = round(chance.lognormvariate(7.5, 1.0)) + 1
        made = a_transaction(
            transaction_id=id_of(self._source, number),
            customer_token=token,
            event_at_ms=event_at_ms,
            amount_minor=cents,
            amount_eur_cents=cents,
            merchant_id=f"merchant-{int(chance.paretovariate(1)) % MERCHANTS}",
            card_token=token,
            device_token=token,
            ip_token=token,
            ip_network_token=token,
            purchase_latitude=round(latitude + chance.gauss(0, 0.02), 2),
            purchase_longitude=round(longitude + chance.gauss(0, 0.02), 2),
            sealed=_SEALED,
        )
        return token, encode(made)


def _token(chance: random.Random) -> str:
    return a_token("a")[:9] + "".join(chance.choices(_BASE32_LETTERS, k=26))


def live(kafka: KafkaSettings, source: str, plan: LivePlan) -> dict[str, Any]:
    """Send at an even rate and read the verdicts as they come; latencies after the warm-up."""
    made, reader = _made(source, plan), reader_at_end(kafka, FRAUD_TOPIC)
    sending = threading.Thread(
        target=send_evenly, args=(kafka, TRANSACTION_TOPIC, made), name="load"
    )
    sending.start()
    latencies_ms = _arrivals(reader, source, plan)
    sending.join()
    reader.close()
    return {
        "sent": plan.count,
        "judged": len(latencies_ms),
        "event_to_verdict_ms": figures_of(latencies_ms) if latencies_ms else None,
    }


def _made(source: str, plan: LivePlan) -> list[tuple[str, bytes, int]]:
    """All of the load, before it begins: making it would take from what is measured."""
    purchases = Purchases(source)
    due_ms = [int(plan.due_ms(number)) for number in range(plan.count)]
    return [(*purchases.message(number, at_ms), at_ms) for number, at_ms in enumerate(due_ms)]


def send_evenly(kafka: KafkaSettings, topic: str, made: list[tuple[str, bytes, int]]) -> None:
    """Send (key, value, due time) in order, each when it is due."""
    producer, number = _producer(kafka), 0
    while number < len(made):
        now_ms = time.time() * 1000
        while number < len(made) and made[number][2] <= now_ms:
            # Its time is the one at which it was due: a sender that falls behind hides nothing.
            key, value, due_ms = made[number]
            producer.produce(topic, value, key, timestamp=due_ms)
            number += 1
        producer.poll(0)
        time.sleep(_TICK_SECONDS)
    producer.flush()


def _arrivals(reader: Consumer, source: str, plan: LivePlan) -> list[int]:
    wanted = plan.count - plan.first_counted
    prefix, counted_from_ms = f"{source}:".encode(), int(plan.due_ms(plan.first_counted))
    deadline = plan.due_ms(plan.count) / 1000 + _GATHER_SECONDS
    found: list[int] = []
    while len(found) < wanted and time.time() < deadline:
        messages = reader.consume(1_000, timeout=0.05)
        now_ms = time.time_ns() // 1_000_000
        for message in messages:
            raise_for_error(message)
            due_ms = int(dict(message.headers() or [])[PRODUCED_AT_HEADER] or 0)
            if due_ms >= counted_from_ms and prefix in (message.value() or b""):
                found.append(now_ms - due_ms)
    return found


def fill(kafka: KafkaSettings, source: str, count: int) -> dict[str, Any]:
    """Put a backlog of some weeks onto the topic as fast as it goes."""
    producer, purchases = _producer(kafka), Purchases(source)
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


def reader_at_end(kafka: KafkaSettings, topic: str) -> Consumer:
    """Reads what comes onto a topic from now on."""
    reader = Consumer(client_config(kafka) | {"group.id": f"{kafka.username}-probe"})
    ends = ends_of(kafka, topic)
    reader.assign([TopicPartition(topic, place, end) for place, end in ends.items()])
    return reader


def main() -> None:
    """Do as the command line says."""
    parser = argparse.ArgumentParser(description=__doc__)
    commands = parser.add_subparsers(dest="command", required=True)
    live_command = commands.add_parser("live")
    for name in ("begin-at-ms", "per-second", "seconds", "warm-up-seconds"):
        live_command.add_argument(f"--{name}", type=int, required=True)
    fill_command = commands.add_parser("fill")
    fill_command.add_argument("--count", type=int, required=True)
    for command in (live_command, fill_command):
        command.add_argument("--source", required=True)
    given = vars(parser.parse_args())
    command, source = given.pop("command"), given.pop("source")
    kafka = KafkaSettings()
    found = (
        live(kafka, source, LivePlan(**given))
        if command == "live"
        else fill(kafka, source, given["count"])
    )
    sys.stdout.write(json.dumps(found) + "\n")


if __name__ == "__main__":
    main()
