"""Dashboard *HDFS and Hive*: capacity and health of the lake's storage and of its SQL server."""

from __future__ import annotations

from typing import Final

from fraudwatch.observability.dashboards.java import java_panels
from fraudwatch.observability.dashboards.panels import (
    MUST_BE_0,
    MUST_BE_1,
    Dashboard,
    Kind,
    Limits,
    Panel,
    Query,
    Row,
    Unit,
)
from fraudwatch.observability.dashboards.promql import rate

_SERVICES: Final = "namenode|datanode|metastore|thrift_server"


def _number(title: str, normal: str, metric: str, limits: Limits, alert: str) -> Panel:
    return Panel(
        title=title,
        normal=normal,
        queries=(Query(title.lower(), f"max({metric})"),),
        kind=Kind.NUMBER,
        width=6,
        limits=limits,
        alerts=(alert,),
    )


_HEALTH: Final = (
    _number(
        "Live DataNodes", "1 natively.", "hadoop_namenode_numlivedatanodes", MUST_BE_1, "HdfsDown"
    ),
    _number("Dead DataNodes", "0.", "hadoop_namenode_numdeaddatanodes", MUST_BE_0, "HdfsDown"),
    _number(
        "Missing blocks",
        "0: more is lost data.",
        "hadoop_namenode_missingblocks",
        MUST_BE_0,
        "HdfsBlocksMissing",
    ),
    _number(
        "Safe mode",
        "0; 1 for a moment after a start, when nothing can be written.",
        "hadoop_namenode_safemode",
        MUST_BE_0,
        "HdfsDown",
    ),
)
_STORAGE: Final = (
    Panel(
        title="Free capacity",
        normal="Above 20 %.",
        queries=(
            Query(
                "free",
                "sum(hadoop_namenode_capacityremaining_bytes)"
                " / sum(hadoop_namenode_capacitytotal_bytes)",
            ),
        ),
        unit=Unit.RATIO,
        limits=Limits(0.2, 0.1, low_is_bad=True),
        alerts=("DiskAlmostFull",),
    ),
    Panel(
        title="Capacity",
        normal="The remaining space shrinks slowly; retention gives it back.",
        queries=(
            Query("total", "sum(hadoop_namenode_capacitytotal_bytes)"),
            Query("remaining", "sum(hadoop_namenode_capacityremaining_bytes)"),
        ),
        unit=Unit.BYTES,
    ),
    Panel(
        title="Bytes read and written by DataNodes",
        normal="Bursts while jobs run, hourly and nightly.",
        queries=(
            Query("written", rate("hadoop_datanode_byteswritten_total")),
            Query("read", rate("hadoop_datanode_bytesread_total")),
        ),
        unit=Unit.BYTES_PER_SECOND,
    ),
)
_READY: Final = Panel(
    title="Ready",
    normal="Always yes, for all four services.",
    queries=(
        Query(
            "{{service}}",
            f'min by (service) (fraudwatch_service_ready{{service=~"{_SERVICES}"}})',
        ),
    ),
    unit=Unit.YES_NO,
    kind=Kind.STATES,
    limits=MUST_BE_1,
    width=24,
    alerts=("HdfsDown",),
)

HDFS_AND_HIVE: Final = Dashboard(
    uid="fraudwatch-hdfs",
    title="HDFS and Hive",
    about="Capacity and health of the lake's storage, metastore and SQL server.",
    rows=(
        Row("Health", (*_HEALTH, _READY)),
        Row("Storage", _STORAGE),
        Row("Java", java_panels(_SERVICES)),
    ),
)
