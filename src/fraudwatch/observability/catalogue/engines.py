"""Declare the metrics of Kafka, Cassandra and HDFS that the JMX agent exports."""

from __future__ import annotations

from typing import Final

from fraudwatch.observability.catalogue.metric import (
    NEVER_ALONE,
    Kind,
    Label,
    Metric,
    Section,
    Unit,
)

KAFKA: Final = Section(
    "Kafka",
    ("kafka",),
    (
        "Through the JMX agent, by the allow-list monitoring/jmx/kafka.yml; jvm_* of the agent "
        "beside them."
    ),
    (
        Metric(
            name="kafka_server_brokertopicmetrics_messagesin_total",
            kind=Kind.COUNTER,
            unit=Unit.COUNT,
            meaning="Messages received",
            worry_when="it stops increasing for transaction_topic while the source is busy",
            labels=(Label("topic"),),
        ),
        Metric(
            name="kafka_controller_activecontrollercount",
            kind=Kind.GAUGE,
            unit=Unit.COUNT,
            meaning="Active controllers",
            worry_when="its sum over all brokers is not 1",
        ),
        Metric(
            name="kafka_server_replicamanager_underreplicatedpartitions",
            kind=Kind.GAUGE,
            unit=Unit.COUNT,
            meaning="Partitions with a replica behind",
            worry_when="it is not 0 for minutes",
        ),
        Metric(
            name="kafka_controller_offlinepartitionscount",
            kind=Kind.GAUGE,
            unit=Unit.COUNT,
            meaning="Partitions without a leader",
            worry_when="it is not 0: nothing can be written to them",
        ),
        Metric(
            name="kafka_network_requestmetrics_totaltimems",
            kind=Kind.GAUGE,
            unit=Unit.NUMBER,
            meaning="Time of a request in milliseconds, by quantile",
            worry_when="p99 of Produce is above 100",
            labels=(Label("request"), Label("quantile")),
        ),
        Metric(
            name="kafka_network_requestmetrics_requests_total",
            kind=Kind.COUNTER,
            unit=Unit.COUNT,
            meaning="Requests answered",
            worry_when=NEVER_ALONE,
            labels=(Label("request"),),
        ),
        Metric(
            name="kafka_server_brokertopicmetrics_bytesin_total",
            kind=Kind.COUNTER,
            unit=Unit.BYTES,
            meaning="Bytes received",
            worry_when=NEVER_ALONE,
            labels=(Label("topic"),),
        ),
        Metric(
            name="kafka_server_brokertopicmetrics_bytesout_total",
            kind=Kind.COUNTER,
            unit=Unit.BYTES,
            meaning="Bytes sent to consumers",
            worry_when=NEVER_ALONE,
            labels=(Label("topic"),),
        ),
        Metric(
            name="kafka_log_log_size_bytes",
            kind=Kind.GAUGE,
            unit=Unit.BYTES,
            meaning="Size of the log of a partition",
            worry_when="all together fill the disk: the log guard deletes old messages",
            labels=(Label("topic"), Label("partition")),
        ),
    ),
)

CASSANDRA: Final = Section(
    "Cassandra",
    ("cassandra",),
    "Through the JMX agent, by the allow-list monitoring/jmx/cassandra.yml.",
    (
        Metric(
            name="cassandra_clientrequest_latency_seconds",
            kind=Kind.GAUGE,
            unit=Unit.SECONDS,
            meaning="Time of clients' requests, by quantile",
            worry_when="p99 of Write is above 0.1: rows are late",
            labels=(Label("scope"), Label("quantile")),
        ),
        Metric(
            name="cassandra_clientrequest_unavailables_total",
            kind=Kind.COUNTER,
            unit=Unit.COUNT,
            meaning="Requests refused: too few replicas are up",
            worry_when="it increases: a node is down",
            labels=(Label("scope"),),
        ),
        Metric(
            name="cassandra_clientrequest_timeouts_total",
            kind=Kind.COUNTER,
            unit=Unit.COUNT,
            meaning="Requests that timed out",
            worry_when="it increases: the nodes are overloaded",
            labels=(Label("scope"),),
        ),
        Metric(
            name="cassandra_compaction_pendingtasks",
            kind=Kind.GAUGE,
            unit=Unit.COUNT,
            meaning="Compactions that wait",
            worry_when="it grows for hours: reads become slow",
        ),
        Metric(
            name="cassandra_storage_load_bytes",
            kind=Kind.GAUGE,
            unit=Unit.BYTES,
            meaning="Size of the data on disk",
            worry_when="it grows faster than the purchases: rows do not expire",
        ),
        Metric(
            name="cassandra_storage_totalhints_total",
            kind=Kind.COUNTER,
            unit=Unit.COUNT,
            meaning="Hints written for nodes that were down",
            worry_when="it increases: a node does not answer",
        ),
        Metric(
            name="cassandra_clientrequest_requests_total",
            kind=Kind.COUNTER,
            unit=Unit.COUNT,
            meaning="Clients' requests",
            worry_when=NEVER_ALONE,
            labels=(Label("scope"),),
        ),
    ),
)

HDFS: Final = Section(
    "HDFS",
    ("namenode", "datanode"),
    "Through the JMX agent, by the allow-list monitoring/jmx/hdfs.yml.",
    (
        Metric(
            name="hadoop_namenode_capacitytotal_bytes",
            kind=Kind.GAUGE,
            unit=Unit.BYTES,
            meaning="Space of all data nodes",
            worry_when=NEVER_ALONE,
        ),
        Metric(
            name="hadoop_namenode_capacityremaining_bytes",
            kind=Kind.GAUGE,
            unit=Unit.BYTES,
            meaning="Space left on all data nodes",
            worry_when="it is below a tenth of the total",
        ),
        Metric(
            name="hadoop_namenode_missingblocks",
            kind=Kind.GAUGE,
            unit=Unit.COUNT,
            meaning="Blocks without a replica",
            worry_when="it is not 0: files cannot be read",
        ),
        Metric(
            name="hadoop_namenode_numlivedatanodes",
            kind=Kind.GAUGE,
            unit=Unit.COUNT,
            meaning="Data nodes that report",
            worry_when="it falls",
        ),
        Metric(
            name="hadoop_namenode_numdeaddatanodes",
            kind=Kind.GAUGE,
            unit=Unit.COUNT,
            meaning="Data nodes that no longer report",
            worry_when="it is not 0",
        ),
        Metric(
            name="hadoop_namenode_safemode",
            kind=Kind.GAUGE,
            unit=Unit.FLAG,
            meaning="1 while nothing can be written",
            worry_when="it is 1 for minutes after the start",
        ),
        Metric(
            name="hadoop_datanode_byteswritten_total",
            kind=Kind.COUNTER,
            unit=Unit.BYTES,
            meaning="Bytes written to the data node",
            worry_when=NEVER_ALONE,
        ),
        Metric(
            name="hadoop_datanode_bytesread_total",
            kind=Kind.COUNTER,
            unit=Unit.BYTES,
            meaning="Bytes read from the data node",
            worry_when=NEVER_ALONE,
        ),
    ),
)
