"""Create the lake's file adapter from the settings: HDFS, or a local folder."""

from __future__ import annotations

from pathlib import Path
from urllib.parse import unquote, urlsplit

from fraudwatch.adapters.lake.folder_files import FolderFiles
from fraudwatch.application.extract.lake_files import LakeFiles
from fraudwatch.settings import LakeSettings


def lake_files(settings: LakeSettings) -> LakeFiles:
    """Create the adapter for the lake's files.

    Raises:
        ValueError: HDFS is named without the address of its WebHDFS.
    """
    if settings.webhdfs_url:
        from fraudwatch.adapters.lake.hdfs_files import HdfsFiles

        return HdfsFiles(settings.webhdfs_url)
    address = urlsplit(settings.file_system)
    if address.scheme != "file":
        raise ValueError(
            f"LAKE_FILE_SYSTEM is {settings.file_system} and LAKE_WEBHDFS_URL is empty, so a job "
            "without Spark cannot reach it; set LAKE_WEBHDFS_URL, such as http://127.0.0.1:9870"
        )
    return FolderFiles(Path(unquote(address.path)))
