"""Open a Spark session on the lake: Delta tables in the Hive metastore, files on HDFS."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from fraudwatch.adapters.lake.lake_errors import install_excepthook
from fraudwatch.lake import WAREHOUSE_FOLDER
from fraudwatch.settings import LakeSettings

if TYPE_CHECKING:
    from pyspark.sql import SparkSession

_DELTA = {
    "spark.sql.extensions": "io.delta.sql.DeltaSparkSessionExtension",
    "spark.sql.catalog.spark_catalog": "org.apache.spark.sql.delta.catalog.DeltaCatalog",
    "spark.databricks.delta.snapshotPartitions": "2",
    # Number of tasks in which VACUUM lists files: Spark's default is 10,000 a table.
    "spark.sql.sources.parallelPartitionDiscovery.parallelism": "8",
}


def log_options(root: Path) -> str:
    """Return the Java option for a job's logging: warnings, and the job's own messages."""
    return f"-Dlog4j2.configurationFile=file:{root}/docker/spark/job-log4j2.properties"


def open_lake(settings: LakeSettings, name: str) -> SparkSession:
    """Open a job's session; times are UTC, and a day is a UTC day.

    From here on, an uncaught error of the lake ends the log with one sentence about it.
    """
    from pyspark.sql import SparkSession

    # Otherwise Python workers run the first python3 on the PATH.
    os.environ.setdefault("PYSPARK_PYTHON", sys.executable)
    builder = SparkSession.builder.appName(name).master(settings.master)
    options = _DELTA | {
        "spark.jars": settings.jars,
        "spark.ui.enabled": "false",
        "spark.ui.showConsoleProgress": "false",
        "spark.sql.session.timeZone": "UTC",
        "spark.sql.shuffle.partitions": str(settings.shuffle_partitions),
        "spark.sql.warehouse.dir": settings.at(WAREHOUSE_FOLDER),
        "spark.driver.host": settings.driver_host,
        "spark.driver.memory": settings.driver_memory,
    }
    if settings.metastore_uri:
        options["spark.hadoop.hive.metastore.uris"] = settings.metastore_uri
        builder = builder.enableHiveSupport()
    for key, value in options.items():
        builder = builder.config(key, value)
    install_excepthook()
    return builder.getOrCreate()
