"""Refusals of HDFS, as WebHDFS sends them, over a real HTTP server."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from fraudwatch.adapters.lake.hdfs_files import HdfsFiles
from fraudwatch.application.extract.lake_files import LakeUnavailable

SAFE_MODE = (
    "org.apache.hadoop.hdfs.server.namenode.SafeModeException",
    "SafeModeException",
    "Cannot create file/fraudwatch/a. Name node is in safe mode.\nThe reported blocks 0 needs ...",
)
NO_SPACE = (
    "java.io.IOException",
    "IOException",
    "File /fraudwatch/a could only be written to 0 of the 1 minReplication nodes. There are ...",
)
QUOTA = (
    "org.apache.hadoop.hdfs.protocol.DSQuotaExceededException",
    "DSQuotaExceededException",
    "The DiskSpace quota of /fraudwatch is exceeded: quota = 10 B but diskspace consumed = 30 B",
)
NOT_OURS = (
    "org.apache.hadoop.security.AccessControlException",
    "AccessControlException",
    'Permission denied: user=fraudwatch, access=WRITE, inode="/":hdfs:supergroup:drwxr-xr-x',
)
ODD = ("java.lang.IllegalStateException", "IllegalStateException", "Something else broke")


class NameNode(ThreadingHTTPServer):
    """Fake NameNode that answers every call with one refusal."""

    def __init__(self, refusal: tuple[str, str, str]) -> None:
        super().__init__(("127.0.0.1", 0), _Answer)
        self.refusal = refusal

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_port}"


class _Answer(BaseHTTPRequestHandler):
    server: NameNode

    def do_PUT(self) -> None:
        name, exception, message = self.server.refusal
        refusal = {"javaClassName": name, "exception": exception, "message": message}
        content = json.dumps({"RemoteException": refusal}).encode()
        self.send_response(403)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    do_GET = do_DELETE = do_PUT  # noqa: N815  the server's names

    def log_message(self, *_: object) -> None:
        """Log nothing."""


@pytest.fixture
def name_node(request: pytest.FixtureRequest) -> Iterator[NameNode]:
    with NameNode(request.param) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield server
        server.shutdown()


@pytest.mark.parametrize(
    ("name_node", "cause", "fix"),
    [
        (SAFE_MODE, "in safe mode", "dfsadmin -safemode leave"),
        (NO_SPACE, "no DataNode with space", "free disk space"),
        (QUOTA, "quota", "free disk space"),
        (NOT_OURS, "refuses fraudwatch", "hdfs_setup"),
        (ODD, "Something else broke", "NameNode's log"),
    ],
    indirect=["name_node"],
    ids=["safe mode", "disk full", "quota", "rights", "odd"],
)
def test_a_refusal_names_cause_effect_and_fix(name_node: NameNode, cause: str, fix: str) -> None:
    with pytest.raises(LakeUnavailable, match=cause) as refused:
        HdfsFiles(name_node.url).write("/fraudwatch/a", [b"x"])
    assert "/fraudwatch/a" in str(refused.value)
    assert fix in str(refused.value)
    assert "\n" not in str(refused.value)


def test_an_unreachable_name_node_is_reported(unused_url: str) -> None:
    with pytest.raises(LakeUnavailable, match="does not answer") as refused:
        HdfsFiles(unused_url).names("/fraudwatch")
    assert "NameNode and DataNode run" in str(refused.value)


@pytest.fixture
def unused_url() -> str:
    with NameNode(ODD) as closed:
        return closed.url
