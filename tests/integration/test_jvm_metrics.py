"""The JMX agent publishes the engines' metrics: on loopback, small, by the rules' names."""

from __future__ import annotations

import math

import httpx
import pytest
from prometheus_client import Metric
from prometheus_client.parser import text_string_to_metric_families

from fraudwatch.observability.catalogue.engines import CASSANDRA, HDFS, KAFKA
from fraudwatch.observability.catalogue.metric import Section
from fraudwatch.observability.catalogue.spark import SPARK
from fraudwatch.stack.private_stack import PrivateStack
from fraudwatch.topics import TRANSACTION_TOPIC
from tests.waiting import eventually

pytestmark = pytest.mark.engines

MAX_BYTES = 24_000
# Generous: beside other tests the first scrape of an engine interprets everything.
MAX_SECONDS = 5.0


def scrape(stack: PrivateStack, service: str, port: str = "metrics") -> dict[str, float]:
    """Return every sample by name and labels, as in `name{label="value"}`."""
    answer = httpx.get(
        f"http://127.0.0.1:{stack.port(service, port)}/metrics",
        timeout=MAX_SECONDS,
        trust_env=False,
    )
    assert answer.is_success
    assert len(answer.content) < MAX_BYTES
    return {
        sample.name
        + "".join(f'{{{key}="{value}"}}' for key, value in sorted(sample.labels.items())): (
            sample.value
        )
        for family in families(answer.text)
        for sample in family.samples
    }


def families(text: str) -> list[Metric]:
    return list(text_string_to_metric_families(text))


def missing(section: Section, *scrapes: dict[str, float]) -> set[str]:
    """Return the metrics that the catalogue declares for an engine and no scrape has."""
    found = {name.split("{")[0] for scrape in scrapes for name in scrape}
    return {metric.name for metric in section.metrics} - found


def undeclared(section: Section, found: dict[str, float]) -> set[str]:
    """Return the engine's own metrics that the catalogue does not declare."""
    own = {name.split("{")[0] for name in found}
    of_the_agent = ("jvm_", "jmx_", "process_")
    declared = {metric.name for metric in section.metrics}
    return {name for name in own if not name.startswith(of_the_agent)} - declared


def has_a_jvm(found: dict[str, float]) -> bool:
    return (
        found["jmx_scrape_error"] == 0
        and 1e6 < found['jvm_memory_used_bytes{area="heap"}'] < 4e9
        and found["process_cpu_seconds_total"] > 0
    )


def test_the_broker_reports_its_topics_requests_and_partitions(stack: PrivateStack) -> None:
    topic = f'{{topic="{TRANSACTION_TOPIC}"}}'
    received = f"kafka_server_brokertopicmetrics_messagesin_total{topic}"
    found = eventually(
        lambda: (now := scrape(stack, "kafka")).get(received, 0) >= 3_000 and now,
        within_seconds=120,
        what="the history's messages in the broker's metrics",
    )
    assert has_a_jvm(found)
    assert missing(KAFKA, found) == undeclared(KAFKA, found) == set()
    assert found["kafka_controller_activecontrollercount"] == 1
    assert found["kafka_controller_offlinepartitionscount"] == 0
    assert found["kafka_server_replicamanager_underreplicatedpartitions"] == 0
    assert found[f"kafka_server_brokertopicmetrics_bytesin_total{topic}"] > 100_000
    assert found[f'kafka_log_log_size_bytes{{partition="0"}}{topic}'] > 10_000
    produce = 'kafka_network_requestmetrics_totaltimems{quantile="0.99"}{request="Produce"}'
    assert 0 < found[produce] < 60_000
    # The broker's own records are no topic of ours.
    assert not [name for name in found if "__consumer_offsets" in name]


def test_cassandra_reports_requests_compaction_and_storage(stack: PrivateStack) -> None:
    def written() -> dict[str, float] | None:
        found = scrape(stack, "cassandra")
        took = found['cassandra_clientrequest_latency_seconds{quantile="0.99"}{scope="Write"}']
        return found if took > 0 else None

    found = eventually(written, within_seconds=120, what="a write in Cassandra's metrics")
    assert has_a_jvm(found)
    assert missing(CASSANDRA, found) == undeclared(CASSANDRA, found) == set()
    took = found['cassandra_clientrequest_latency_seconds{quantile="0.99"}{scope="Write"}']
    assert 0.000_01 < took < 60
    assert found['cassandra_clientrequest_requests_total{scope="Write"}'] > 0
    assert found['cassandra_clientrequest_unavailables_total{scope="Read"}'] == 0
    assert found['cassandra_clientrequest_timeouts_total{scope="Read"}'] >= 0
    assert found["cassandra_compaction_pendingtasks"] >= 0
    assert found["cassandra_storage_load_bytes"] > 1_000
    assert found["cassandra_storage_totalhints_total"] == 0


def test_the_detectors_jvm_reports_its_memory_and_spark(stack: PrivateStack) -> None:
    found = scrape(stack, "detector", "jmx")
    assert has_a_jvm(found)
    assert missing(SPARK, found) == undeclared(SPARK, found) == set()
    assert found["spark_dagscheduler_job_alljobs"] >= 1
    assert found['spark_livelistenerbus_dropped_total{queue="streams"}'] >= 0


@pytest.mark.batch
def test_hdfs_reports_capacity_blocks_and_nodes(batch_stack: PrivateStack) -> None:
    found = scrape(batch_stack, "namenode")
    assert has_a_jvm(found)
    assert found["hadoop_namenode_capacitytotal_bytes"] > 1e8
    assert (
        0
        < found["hadoop_namenode_capacityremaining_bytes"]
        <= found["hadoop_namenode_capacitytotal_bytes"]
    )
    assert found["hadoop_namenode_missingblocks"] == 0
    assert found["hadoop_namenode_numlivedatanodes"] == 1
    assert found["hadoop_namenode_numdeaddatanodes"] == 0
    assert found["hadoop_namenode_safemode"] == 0
    node = scrape(batch_stack, "datanode")
    assert has_a_jvm(node)
    assert missing(HDFS, found, node) == set()
    assert undeclared(HDFS, {**found, **node}) == set()
    assert node["hadoop_datanode_byteswritten_total"] >= 0
    assert node["hadoop_datanode_bytesread_total"] >= 0


@pytest.mark.batch
def test_the_lakes_sql_server_and_metastore_report_their_jvms(batch_stack: PrivateStack) -> None:
    thrift_server = scrape(batch_stack, "thrift_server")
    assert has_a_jvm(thrift_server)
    assert not math.isnan(thrift_server["spark_dagscheduler_job_alljobs"])
    assert has_a_jvm(scrape(batch_stack, "metastore"))
