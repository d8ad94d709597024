"""List and remove folders of the lake through Spark's file system client (HDFS, local in tests)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from pyspark.sql import SparkSession


class LakeFolders:
    """Folders below an address of the lake."""

    def __init__(self, spark: SparkSession) -> None:
        # Neither is part of PySpark's documented interface; both are there in every release.
        self._jvm: Any = spark._jvm  # noqa: SLF001
        self._conf = spark._jsc.hadoopConfiguration()  # noqa: SLF001

    def names(self, address: str) -> list[str]:
        """List the folders directly below it; none when it does not exist."""
        path = self._path(address)
        files = path.getFileSystem(self._conf)
        if not files.exists(path):
            return []
        return sorted(
            one.getPath().getName() for one in files.listStatus(path) if one.isDirectory()
        )

    def remove(self, address: str) -> None:
        """Delete a folder with its content; a missing one is no error."""
        path = self._path(address)
        path.getFileSystem(self._conf).delete(path, True)

    def _path(self, address: str) -> Any:
        return self._jvm.org.apache.hadoop.fs.Path(address)
