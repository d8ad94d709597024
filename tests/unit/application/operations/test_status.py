"""State of services, consumers, dead letters and notifications from exported samples."""

from __future__ import annotations

from fraudwatch.application.operations import status
from fraudwatch.application.operations.exporters import Readings
from fraudwatch.application.operations.status import ServiceState
from fraudwatch.observability.metrics import METRICS as CATALOGUE
from tests.operations import MIB, a_service, some_exporters

READINGS = some_exporters().read()


def test_services_come_the_worst_first() -> None:
    found = status.services(READINGS)
    assert [(one.name, one.state) for one in found] == [
        ("tally", ServiceState.GIVEN_UP),
        ("console", ServiceState.NOT_READY),
        ("detector", ServiceState.READY),
    ]
    assert found[0].restarts == 9
    assert found[2].memory_bytes == 150 * MIB
    assert found[2].planned_bytes == 200 * MIB


def test_a_service_without_a_probe_is_not_ready_and_not_down() -> None:
    exporters = some_exporters()
    ready = [one for one in a_service("kafka") if one.name != "fraudwatch_service_ready"]
    exporters.samples = {"service_usage": tuple(ready)}
    [kafka] = status.services(exporters.read())
    assert kafka.state is ServiceState.UNKNOWN
    exporters.samples = {"service_usage": a_service("kafka", up=0)}
    [kafka] = status.services(exporters.read())
    assert kafka.state is ServiceState.DOWN


def test_the_consumer_with_the_oldest_message_is_first() -> None:
    found = status.consumer_lags(READINGS)
    assert [(one.group, one.messages, one.oldest_seconds) for one in found] == [
        ("tally", 51_200, 3_600),
        ("persister", 3, 0.5),
    ]


def test_dead_letters_are_counted_by_process_and_code_without_zeros() -> None:
    found = status.dead_letters(READINGS)
    assert [(one.stage, one.code, one.messages) for one in found] == [
        ("ingest", "out_of_bounds", 12),
        ("detector", "too_late", 2),
    ]
    assert status.dead_letters_ever(READINGS) == 17
    assert status.dead_letters_ever(Readings()) is None


def test_failing_channels_are_first_and_notices_are_counted() -> None:
    mail, customers = status.channels(READINGS)
    assert (mail.channel, mail.is_failing, mail.failures, mail.given_up) == ("mail", True, 7, 1)
    assert mail.oldest_waiting_seconds == 240
    assert (customers.is_failing, customers.given_up) == (False, None)
    assert status.notices(READINGS) == {"sent": 4}


def test_an_exporter_that_is_down_hides_no_other_one() -> None:
    exporters = some_exporters()
    exporters.down = {"service_usage", "notifier"}
    found = exporters.read()
    assert [one.exporter for one in found.failed()] == ["service_usage", "notifier"]
    assert status.services(found) == []
    assert status.channels(found) == []
    assert len(status.consumer_lags(found)) == 2


def test_every_metric_that_is_read_is_exported() -> None:
    exported = set(CATALOGUE) | {f"{name}_bucket" for name in CATALOGUE}
    assert set(status.METRICS) <= exported
