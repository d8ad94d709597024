"""A Spark session over the lake: Delta tables in the Hive metastore, files on HDFS."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from fraudwatch.adapters.lake.lake_errors import tell_last
from fraudwatch.lake import WAREHOUSE_FOLDER
from fraudwatch.settings import LakeSettings

if TYPE_CHECKING:
    from pyspark.sql import SparkSession

_DELTA = {
    "spark.sql.extensions": "io.delta.sql.DeltaSparkSessionExtension",
    "spark.sql.catalog.spark_catalog": "org.apache.spark.sql.delta.catalog.DeltaCatalog",
    "spark.databricks.delta.snapshotPartitions": "2",
    # VACUUM lists files in as many tasks as this says: 10,000 a table as Spark comes.
    "spark.sql.sources.parallelPartitionDiscovery.parallelism": "8",
}


def log_options(root: Path) -> str:
    """What a job's Java is started with, so that its log holds warnings and what the job says."""
    return f"-Dlog4j2.configurationFile=file:{root}/docker/spark/job-log4j2.properties"


def open_lake(settings: LakeSettings, name: str) -> SparkSession:
    """The session of a job; times are UTC, and a day is a UTC day.

    A job that the lake stops from here on says so in its last line.
    """
    from pyspark.sql import SparkSession

    # Else Python workers run whatever python3 is on the PATH.
    os.environ.setdefault("PYSPARK_PYTHON", sys.executable)
    builder = SparkSession.builder.appName(name).master(settings.master)
    wanted = _DELTA | {
        "spark.jars": settings.jars,
        "spark.ui.enabled": "false",
        "spark.ui.showConsoleProgress": "false",
        "spark.sql.session.timeZone": "UTC",
        "spark.sql.shuffle.partitions": str(settings.shuffle_partitions),
        "spark.sql.warehouse.dir": settings.at(WAREHOUSE_FOLDER),
        "spark.driver.host": "127.0.0.1",
        "spark.driver.memory": settings.driver_memory,
    }
    if settings.metastore_uri:
        wanted["spark.hadoop.hive.metastore.uris"] = settings.metastore_uri
        builder = builder.enableHiveSupport()
    for key, value in wanted.items():
        builder = builder.config(key, value)
    tell_last()
    return builder.getOrCreate()
