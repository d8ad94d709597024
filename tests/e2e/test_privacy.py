"""Search for personal data behind ingest: no topic, table, file, log or metric may contain any.

Values are planted through every ingest channel, also in requests that are refused, and then
searched for in several encodings. A value that is not personal is planted the same way and must be
found, which shows that the search works.
"""

from __future__ import annotations

import base64
import hashlib
import time
import uuid
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import httpx
import pytest
from cassandra import ConsistencyLevel
from cassandra.query import SimpleStatement
from confluent_kafka import OFFSET_BEGINNING, Consumer, KafkaError, TopicPartition

from fraudwatch.adapters.codecs.json_codec import encode
from fraudwatch.adapters.kafka_log.log import KafkaTopic, client_config
from fraudwatch.adapters.store.session import close, connect
from fraudwatch.samples import a_purchase
from fraudwatch.stack.private_stack import PrivateStack
from fraudwatch.topics import DEAD_LETTER_TOPIC, FRAUD_TOPIC, LABELS_TOPIC, TRANSACTION_TOPIC
from tests.waiting import eventually

pytestmark = [pytest.mark.engines, pytest.mark.timeout(1200)]
SOURCE = "privacy"
CHUNK_BYTES, OVERLAP_BYTES = 16 * 1024 * 1024, 1024

# Accepted by ingest.
ACCEPTED = [
    {
        "customer_id": "quillaby-customer-7741",
        "card_number": "4929550812347706",
        "ip": "198.51.100.203",
        "name": "Quillaby Ostrander-Fenwick",
        "email": "quillaby.ostrander@fenwick-mail.example",
        "phone": "+447911123987",
        "device_id": "quillaby-handset-90af",
    },
    {
        "customer_id": "zebedee-customer-3380",
        "card_number": "5425239871650043",
        "ip": "2001:DB8:5EED:CAFE::4B1D",
        "name": "Zebedee Thistlewood-Rao",
        "email": "zebedee.thistlewood@rao-mail.example",
        "phone": "+447911654210",
        "device_id": "zebedee-handset-17cd",
    },
]
# The canonical form of an address above, which ingest tokenises, and the networks.
DERIVED = ["2001:db8:5eed:cafe::4b1d", "2001:db8:5eed::/48", "198.51.100.0/24"]
# Refused by ingest, each for another reason.
REFUSED = [
    "6011449083726150",
    "3530998127460033",
    "4556017293846620",
    "4485730021984467",
    "4716338850129947",
    "mordecai.plumridge@refused-mail.example",
    "203.0.113.249",
    "Mordecai Plumridge-Okoye",
    "mordecai-handset-55e2",
]
# Written to the transaction topic by the test itself; ingest never writes such messages.
RAW = ["4024007156239981", "wilhelmina.garbage@raw-mail.example", "2001:db8:bad:f00d::77aa"]


@dataclass(frozen=True)
class Planted:
    """Values planted through ingest and behind it, and the value that must be found."""

    personal: list[str]
    raw: list[str]
    control: str


@cache
def encodings(value: str) -> frozenset[bytes]:
    """Encode a value in every form: as text, as hex, and inside longer text in base64."""
    plain = value.encode()
    forms = {plain, value.encode("utf-16-le"), plain.hex().encode()}
    for before in range(3):  # base64 depends on its position in groups of three bytes
        padded = b"\0" * before + plain
        first, last = -(-before * 8 // 6), len(padded) * 8 // 6
        forms.add(base64.b64encode(padded)[first:last])
    return frozenset(forms)


def values_in(data: bytes, values: list[str]) -> set[str]:
    """Return the values that the data contains, in any encoding."""
    return {value for value in values if any(form in data for form in encodings(value))}


def posted(stack: PrivateStack, body: bytes, path: str = "/v1/transactions") -> httpx.Response:
    with stack.http("ingest", "INGEST_API_KEY") as ingest:
        return ingest.post(path, content=body)


def plant_accepted(stack: PrivateStack, control: str) -> None:
    purchases = [
        a_purchase(
            source=SOURCE,
            id=f"{control}-{n}",
            merchant_id=control,
            event_at_ms=time.time_ns() // 1_000_000,
            **person,
        )
        for n, person in enumerate(ACCEPTED)
    ]
    assert posted(stack, encode(purchases)).status_code == 202
    label = {"source": SOURCE, "id": f"{control}-0", "verdict": "fraud", "by": "issuer"}
    assert posted(stack, encode(label), "/v1/labels").status_code == 202


def plant_refused(stack: PrivateStack) -> None:
    one, two, three, four, five, mail, ip, name, device = REFUSED
    person = {"email": mail, "ip": ip, "name": name, "device_id": device}
    broken = a_purchase(source=SOURCE, id="x", card_number=one, amount_minor=-5, **person)
    label = {"source": SOURCE, "id": "x", "verdict": "fraud", "by": five}
    responses = [
        posted(stack, encode(broken)),
        posted(stack, b'{"card_number": "%b", "email": "%b", ' % (two.encode(), mail.encode())),
        posted(stack, encode([{"source": SOURCE, "amount_minor": three}])),
        posted(stack, encode(broken), f"/v1/transactions?wait_seconds={four}"),
        posted(stack, encode(label), "/v1/labels"),
        posted(stack, encode(label | {"verdict": mail}), "/v1/labels"),
    ]
    assert [response.status_code for response in responses] == [422] * len(responses)
    assert posted(stack, b"", f"/no/such/path/{four}?card={four}").status_code == 404
    for response in responses:
        assert values_in(response.content, REFUSED) == set(), "a response quotes refused input"


def plant_raw(stack: PrivateStack) -> None:
    """Write malformed messages, which consumers must dead-letter without logging their values."""
    garbage = [
        b"garbage " + " ".join(RAW).encode(),
        encode({"schema": "transaction.v1", "kind": RAW[0], "customer_token": RAW[1]}),
    ]
    KafkaTopic(stack.kafka("ingest"), TRANSACTION_TOPIC).publish(
        [("garbage", value, 0) for value in garbage]
    )
    hashes = [hashlib.sha256(value).hexdigest().encode() for value in garbage]

    def are_dead_lettered() -> bool:
        messages = list(messages_of(stack, DEAD_LETTER_TOPIC))
        return all(sum(one in message for message in messages) >= 2 for one in hashes)

    eventually(are_dead_lettered, within_seconds=90, what="dead letters of detector and persister")


@pytest.fixture(scope="module")
def planted(stack: PrivateStack) -> Planted:
    control = f"control-{uuid.uuid4().hex}"
    plant_accepted(stack, control)
    plant_refused(stack)
    plant_raw(stack)
    eventually(
        lambda: all(
            f"{SOURCE}:{control}-{n}".encode() in rows(stack, "fraudwatch.verdict_by_transaction")
            for n in range(len(ACCEPTED))
        ),
        within_seconds=60,
        what="a row for each purchase",
    )
    eventually(
        lambda: control.encode() in rows(stack, "fraudwatch.label_by_transaction"),
        within_seconds=30,
        what="a row for the label",
    )
    personal = [value for person in ACCEPTED for value in person.values()]
    return Planted([*personal, *DERIVED, *REFUSED], RAW, control)


def messages_of(stack: PrivateStack, topic: str) -> Iterator[bytes]:
    """Read key, value and headers of every message, to the end of every partition."""
    consumer = Consumer(
        client_config(stack.kafka("admin"))
        | {
            "group.id": "privacy-test",
            "enable.auto.commit": False,
            "enable.partition.eof": True,
            "isolation.level": "read_uncommitted",
        }
    )
    try:
        unread = set(consumer.list_topics(topic, timeout=30).topics[topic].partitions)
        consumer.assign([TopicPartition(topic, n, OFFSET_BEGINNING) for n in unread])
        while unread:
            message = consumer.poll(30)
            assert message is not None, f"{topic} sent no message before its end"
            error = message.error()
            if error is None:
                pairs = [part for name, text in message.headers() or [] for part in (name, text)]
                yield b"\0".join(map(as_bytes, [message.key(), message.value(), *pairs]))
            else:
                assert error.code() == KafkaError._PARTITION_EOF, error.str()
                unread.discard(message.partition() or 0)
    finally:
        consumer.close()


def as_bytes(part: str | bytes | None) -> bytes:
    return part.encode() if isinstance(part, str) else part or b""


def topics_of(stack: PrivateStack) -> list[str]:
    consumer = Consumer(client_config(stack.kafka("admin")) | {"group.id": "privacy-test"})
    try:
        return sorted(consumer.list_topics(timeout=30).topics)
    finally:
        consumer.close()


def rows(stack: PrivateStack, table: str) -> bytes:
    return b"\n".join(text for _, text in tables(stack, lambda name: name == table))


def tables(
    stack: PrivateStack, is_wanted: Callable[[str], bool] = lambda _: True
) -> Iterator[tuple[str, bytes]]:
    """Read every row of every table, Cassandra's own included, as its superuser."""
    settings = stack.cassandra("admin").model_copy(update={"username": "fraudwatch_admin"})
    session = connect(settings, request_timeout_seconds=60)
    try:
        listed = session.execute("SELECT keyspace_name, table_name FROM system_schema.tables")
        for one in list(listed):
            table = f"{one['keyspace_name']}.{one['table_name']}"
            if is_wanted(table):
                for row in session.execute(_select_all(one["keyspace_name"], one["table_name"])):
                    yield table, b"\n".join(map(as_text, row.values()))
    finally:
        close(session)


def _select_all(keyspace: str, table: str) -> SimpleStatement:
    # As JSON, because the driver cannot read some timestamps in Cassandra's own tables. With
    # consistency ONE, because some of its keyspaces have more replicas than there are nodes.
    return SimpleStatement(
        f'SELECT JSON * FROM "{keyspace}"."{table}"',  # noqa: S608  listed names
        consistency_level=ConsistencyLevel.ONE,
    )


def as_text(value: object) -> bytes:
    return value if isinstance(value, bytes) else str(value).encode()


def files(stack: PrivateStack) -> Iterator[tuple[Path, bytes]]:
    """Read every file of the home in overlapping pieces; files deleted meanwhile are skipped."""
    for path in sorted(stack.folder.rglob("*")):
        if path.is_file() and not path.is_symlink():
            try:
                yield from pieces(path)
            except FileNotFoundError:
                continue


def pieces(path: Path) -> Iterator[tuple[Path, bytes]]:
    end = b""
    with path.open("rb") as file:
        while chunk := file.read(CHUNK_BYTES):
            if chunk.strip(b"\0"):  # indexes and journals are mostly preallocated
                yield path, end + chunk
            end = chunk[-OVERLAP_BYTES:]


def test_the_search_finds_a_value_in_every_encoding() -> None:
    value = ACCEPTED[0]["card_number"]
    for before in ("", "x", "xy"):
        sealed = base64.b64encode(f"{before}{value}, and more".encode())
        assert values_in(sealed, [value, "4111111111111111"]) == {value}
    assert values_in(value.encode().hex().encode(), [value]) == {value}
    assert values_in(value.encode()[:-1], [value]) == set()


def test_no_topic_contains_personal_data(stack: PrivateStack, planted: Planted) -> None:
    # Read by a consumer, because batches on disk are compressed (lz4) and a search could miss.
    has_control = set()
    for topic in topics_of(stack):
        values = planted.personal + ([] if topic == TRANSACTION_TOPIC else planted.raw)
        for message in messages_of(stack, topic):
            assert values_in(message, values) == set(), topic
            if planted.control.encode() in message:
                has_control.add(topic)
    assert has_control >= {TRANSACTION_TOPIC, FRAUD_TOPIC, LABELS_TOPIC}


def test_no_table_contains_personal_data(stack: PrivateStack, planted: Planted) -> None:
    has_control = set()
    for table, row in tables(stack):
        assert values_in(row, planted.personal + planted.raw) == set(), table
        if planted.control.encode() in row:
            has_control.add(table)
    assert has_control >= {
        "fraudwatch.verdict_by_transaction",
        "fraudwatch.transaction_by_customer",
        "fraudwatch.purchase_by_token",
        "fraudwatch.label_by_transaction",
    }


def test_no_file_and_no_log_contains_personal_data(stack: PrivateStack, planted: Planted) -> None:
    # All files, keys/ and the data files of Kafka and Cassandra included. Only the messages that
    # the test wrote to the transaction topic itself may be in that topic's folder.
    has_control = set()
    for path, piece in files(stack):
        is_in_topic = path.parent.name.startswith(f"{TRANSACTION_TOPIC}-")
        values = planted.personal + ([] if is_in_topic else planted.raw)
        assert values_in(piece, values) == set(), path.relative_to(stack.folder)
        if planted.control.encode() in piece:
            has_control.add(path.relative_to(stack.folder).parts[0])
    # Cassandra's journal is not compressed.
    assert "cassandra" in has_control
    assert (stack.folder / "log" / "ingest.log").stat().st_size > 0


def test_no_metric_contains_personal_data(stack: PrivateStack, planted: Planted) -> None:
    for service, port in (("ingest", "http"), ("detector", "metrics"), ("persister", "metrics")):
        url = f"http://127.0.0.1:{stack.port(service, port)}/metrics"
        page = httpx.get(url, timeout=30).content
        assert f"fraudwatch_{service}_".encode() in page
        assert values_in(page, planted.personal + planted.raw) == set(), service
