"""Read a day's extract with Spark: the manifest first, then the files that it lists."""

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
    """The extract of a day is missing, or differs from its manifest."""


def read_manifest(spark: SparkSession, lake: LakeSettings, day: date) -> ExtractManifest:
    """Read the manifest of an extracted day.

    Raises:
        ExtractUnusable: it is missing, unreadable or of another day.
    """
    folder = extract_folder(day)
    written = _content(spark, lake.at(f"{folder}/{MANIFEST_NAME}"))
    if written is None:
        raise ExtractUnusable(
            f"{folder} has no {MANIFEST_NAME}, so {day} was never extracted completely and nothing "
            f"was written; run python -m batch.extract_day --day {day}"
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
    """Read a file's bytes, None without one; Spark's readers ignore names that begin with _."""
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
    """Read the day's lines as rows of a raw table, to parse them like the log's messages."""
    folder = lake.at(extract_folder(date.fromisoformat(manifest.day)))
    # The parser ignores the offset; it only orders repeats.
    paths = [f"{folder}/{name}" for name in manifest.files if name != REJECTED_NAME]
    lines = spark.read.text(paths) if paths else spark.createDataFrame([], "value STRING")
    return lines.select(
        F.lit(0).alias("source_partition"),
        F.monotonically_increasing_id().alias("source_offset"),
        F.col("value").cast("binary").alias("value"),
    )


def read_rejected(spark: SparkSession, lake: LakeSettings, manifest: ExtractManifest) -> DataFrame:
    """Read the codes and reasons of the day's rejected lines, never their content."""
    day = date.fromisoformat(manifest.day)
    rows = spark.createDataFrame([], _REJECTED)
    if sum(manifest.rejected.values()):
        rows = spark.read.schema(_REJECTED).json(
            lake.at(f"{extract_folder(day)}/{REJECTED_NAME}"), mode="FAILFAST"
        )
    return rows.withColumn("event_on", F.lit(day))


def interval_of(day: date) -> tuple[int, int]:
    """Return begin and end of a UTC day, epoch ms."""
    begin = datetime(day.year, day.month, day.day, tzinfo=UTC)
    return epoch_ms_of(begin), epoch_ms_of(begin + timedelta(days=1))
