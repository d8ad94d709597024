"""Make the lake's folders, once or again: they are the jobs' user's, and nobody else looks in."""

from __future__ import annotations

import sys
from pathlib import PurePosixPath

import requests
from hdfs import HdfsError, InsecureClient

from fraudwatch.lake import CHECKPOINT_FOLDER, EXTRACT_FOLDER, WAREHOUSE_FOLDER
from fraudwatch.settings import LakeSettings

SUPERUSER = "hdfs"
OWNER = "fraudwatch"
PERMISSION = "750"
TIMEOUT_SECONDS = 30


def folders() -> list[str]:
    """Every folder that is ours, each after the one it lies in."""
    leaves = [PurePosixPath(leaf) for leaf in (EXTRACT_FOLDER, CHECKPOINT_FOLDER, WAREHOUSE_FOLDER)]
    found = {str(path) for leaf in leaves for path in (leaf, *leaf.parents)} - {"/"}
    return sorted(found)


def client(webhdfs_url: str, user: str) -> InsecureClient:
    """WebHDFS as this user; it believes the name, so who may connect is the only boundary."""
    session = requests.Session()
    session.trust_env = False  # a proxy of the machine's has no business with 127.0.0.1
    return InsecureClient(webhdfs_url, user=user, session=session, timeout=TIMEOUT_SECONDS)


def set_up(hdfs: InsecureClient) -> str:
    """Make what is missing, and set owner and rights on all of it."""
    for folder in folders():
        hdfs.makedirs(folder, permission=PERMISSION)
        hdfs.set_owner(folder, owner=OWNER, group=OWNER)
        hdfs.set_permission(folder, PERMISSION)
    return f"HDFS is ready: {', '.join(folders())} belong to {OWNER}, {PERMISSION}"


def main() -> int:
    """Run the setup and say in one line what it did; 1 and one line on failure."""
    try:
        print(set_up(client(LakeSettings().webhdfs_url, SUPERUSER)))  # noqa: T201  its one sentence
    except (HdfsError, requests.RequestException) as wrong:
        print(  # noqa: T201  its only output
            f"hdfs_setup failed: the NameNode does not do what it was asked ({wrong}), so the lake "
            "has no folders; see ./fraudwatch logs namenode, then up again",
            file=sys.stderr,
        )
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
