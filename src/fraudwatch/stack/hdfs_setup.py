"""Create the lake's HDFS folders, idempotently: owned by the jobs' user, closed to others."""

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
    """List every folder of the lake, each after its parent."""
    leaves = [PurePosixPath(leaf) for leaf in (EXTRACT_FOLDER, CHECKPOINT_FOLDER, WAREHOUSE_FOLDER)]
    found = {str(path) for leaf in leaves for path in (leaf, *leaf.parents)} - {"/"}
    return sorted(found)


def client(webhdfs_url: str, user: str) -> InsecureClient:
    """Open a WebHDFS client as this user; HDFS trusts the name, so port access is the boundary."""
    session = requests.Session()
    session.trust_env = False  # the machine's proxy must not be used for 127.0.0.1
    return InsecureClient(webhdfs_url, user=user, session=session, timeout=TIMEOUT_SECONDS)


def set_up(hdfs: InsecureClient) -> str:
    """Create missing folders, and set owner and permissions on all of them."""
    for folder in folders():
        hdfs.makedirs(folder, permission=PERMISSION)
        hdfs.set_owner(folder, owner=OWNER, group=OWNER)
        hdfs.set_permission(folder, PERMISSION)
    return f"HDFS is ready: {', '.join(folders())} belong to {OWNER}, {PERMISSION}"


def main() -> int:
    """Run the setup and print one line with its result; exit code 1 on failure."""
    try:
        print(set_up(client(LakeSettings().webhdfs_url, SUPERUSER)))  # noqa: T201  its output
    except (HdfsError, requests.RequestException) as error:
        print(  # noqa: T201  its only output
            f"hdfs_setup failed: the NameNode refused or did not answer ({error}), so the lake "
            "has no folders; see ./fraudwatch logs namenode, then run up again",
            file=sys.stderr,
        )
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
