from __future__ import annotations

import pytest
from pydantic import SecretStr

from fraudwatch.adapters.kafka_log.log import Outbox
from fraudwatch.application.ports import NotDelivered
from fraudwatch.settings import KafkaSettings

NO_BROKER = KafkaSettings(
    bootstrap_servers="127.0.0.1:1",
    username="detector",
    password=SecretStr("0123456789abcdef0"),
    security_protocol="PLAINTEXT",
)


@pytest.mark.parametrize(("in_order", "still_waiting"), [(False, 0), (True, 1)])
def test_in_order_no_message_times_out_before_later_ones(
    *, in_order: bool, still_waiting: int
) -> None:
    outbox = Outbox(NO_BROKER, timeout_seconds=0.2, in_order=in_order)
    outbox.put("fraud_topic", "anna", b"{}", [])
    with pytest.raises(NotDelivered, match="1 messages did not reach the broker"):
        outbox.wait()
    assert outbox._producer.flush(2.0) == still_waiting
    outbox._producer.purge()
