"""A day's extract as it lies in the lake, read by Spark: its manifest first, it says the rest."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from typing import Any, Final

from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import functions as F  # noqa: N812  its customary name

from fraudwatch.adapters.codecs.json_codec import decode
from fraudwatch.domain.instants import epoch_ms_of
from fraudwatch.domain.lake.day_extract import MANIFEST_NAME, REJECTED_NAME, ExtractManifest
from fraudwatch.domain.messages.dead_letter import Refused
from fraudwatch.lake import extract_folder
from fraudwatch.settings import LakeSettings

_REJECTED: Final = "origin STRING, code STRING, reason STRING"


class ExtractUnusable(LookupError):
    """The extract of a day is not there, or is not what its manifest says."""


def read_manifest(spark: SparkSession, lake: LakeSettings, day: date) -> ExtractManifest:
    """What was extracted of a day.

    Raises:
        ExtractUnusable: there is none, or it is none of ours.
    """
    folder = extract_folder(day)
    written = _content(spark, lake.at(f"{folder}/{MANIFEST_NAME}"))
    if written is None:
        raise ExtractUnusable(
            f"{folder} has no {MANIFEST_NAME}, so {day} was never extracted whole and nothing was "
            f"written; run python -m batch.extract_day --day {day}"
        )
    try:
        manifest = decode(ExtractManifest, written)
    except Refused as error:
        raise ExtractUnusable(
            f"the manifest in {folder} cannot be read ({error.reason}), so nothing was written; "
            f"extract {day} again"
        ) from error
    if manifest.day != day.isoformat():
        raise ExtractUnusable(
            f"the manifest in {folder} is of {manifest.day}, so nothing was written; extract {day} "
            "again"
        )
    return manifest


def _content(spark: SparkSession, address: str) -> bytes | None:
    """A file's bytes, None without one; Spark's own readers pass over names that begin with _."""
    jvm: Any = spark._jvm  # noqa: SLF001  the only way to Hadoop's own file system
    path = jvm.org.apache.hadoop.fs.Path(address)
    files = path.getFileSystem(spark._jsparkSession.sessionState().newHadoopConf())  # noqa: SLF001
    if not files.exists(path):
        return None
    stream = files.open(path)
    try:
        return bytes(stream.readAllBytes())
    finally:
        stream.close()


def read_lines(spark: SparkSession, lake: LakeSettings, manifest: ExtractManifest) -> DataFrame:
    """The day's lines as the rows of a raw table, so that they are parsed as the log's are."""
    folder = lake.at(extract_folder(date.fromisoformat(manifest.day)))
    # Nothing the parser looks at depends on the place; it orders repeats.
    wanted = [f"{folder}/{name}" for name in manifest.files if name != REJECTED_NAME]
    lines = spark.read.text(wanted) if wanted else spark.createDataFrame([], "value STRING")
    return lines.select(
        F.lit(0).alias("source_partition"),
        F.monotonically_increasing_id().alias("source_offset"),
        F.col("value").cast("binary").alias("value"),
    )


def read_rejected(spark: SparkSession, lake: LakeSettings, manifest: ExtractManifest) -> DataFrame:
    """Why the edge refused lines of the day, never what they were."""
    day = date.fromisoformat(manifest.day)
    rows = spark.createDataFrame([], _REJECTED)
    if sum(manifest.rejected.values()):
        rows = spark.read.schema(_REJECTED).json(
            lake.at(f"{extract_folder(day)}/{REJECTED_NAME}"), mode="FAILFAST"
        )
    return rows.withColumn("event_on", F.lit(day))


def interval_of(day: date) -> tuple[int, int]:
    """Where a UTC day begins and ends."""
    begin = datetime(day.year, day.month, day.day, tzinfo=UTC)
    return epoch_ms_of(begin), epoch_ms_of(begin + timedelta(days=1))
