"""The file system of Spark's checkpoint, in a JVM of its own: what is closed is on disk."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from fraudwatch.stack import java
from fraudwatch.stack.home import Home
from tests.conftest import detector_classes

pytestmark = [pytest.mark.engines, pytest.mark.timeout(300)]

# As Spark's FileSystemBasedCheckpointFileManager writes `offsets/0`, and then reads it.
WRITE_AND_READ = """
import sys
from pyspark.java_gateway import launch_gateway
folder = sys.argv[1]
gateway = launch_gateway()
jvm = gateway.jvm
files = jvm.fraudwatch.spark.FastLocalFileSystem()
files.initialize(jvm.java.net.URI("file:///"), jvm.org.apache.hadoop.conf.Configuration())
path = jvm.org.apache.hadoop.fs.Path
files.mkdirs(path(f"{folder}/checkpoint/offsets"))
out = files.create(path(f"{folder}/checkpoint/offsets/.0.tmp"), True)
out.writeBytes("v1")
out.close()
out.close()
assert files.rename(path(f"{folder}/checkpoint/offsets/.0.tmp"),
                    path(f"{folder}/checkpoint/offsets/0"))
assert files.open(path(f"{folder}/checkpoint/offsets/0")).read() == ord("v")
gateway.shutdown()
"""


def run_jvm(folder: Path, *prefix: str) -> None:
    java_home = java.ensure(Home.from_environment(), lambda _: None)
    subprocess.run(
        [*prefix, sys.executable, "-c", WRITE_AND_READ, str(folder)],
        check=True,
        env=os.environ
        | {
            "JAVA_HOME": str(java_home),
            "PYSPARK_SUBMIT_ARGS": f"--driver-class-path {detector_classes()} pyspark-shell",
        },
        timeout=240,
    )


def test_a_file_is_written_whole_and_without_a_checksum_beside_it(tmp_path: Path) -> None:
    run_jvm(tmp_path)
    offsets = tmp_path / "checkpoint/offsets"
    assert [path.name for path in offsets.iterdir()] == ["0"]
    assert (offsets / "0").read_text() == "v1"


@pytest.mark.skipif(shutil.which("strace") is None, reason="strace is not installed")
def test_a_file_is_on_disk_before_it_gets_its_name_and_its_name_before_spark_goes_on(
    tmp_path: Path,
) -> None:
    calls = tmp_path / "calls"
    only = "trace=openat,fsync,rename"
    run_jvm(tmp_path, "strace", "-f", "-qq", "-e", only, "-o", str(calls))
    offsets = f"{tmp_path}/checkpoint/offsets"
    wanted = [
        rf'openat\(AT_FDCWD, "{offsets}/\.0\.tmp", O_WRONLY',
        r"fsync\(\d+\) += 0",
        rf'rename\("{offsets}/\.0\.tmp", "{offsets}/0"\) += 0',
        rf'openat\(AT_FDCWD, "{offsets}", O_RDONLY',
        r"fsync\(\d+\) += 0",
    ]
    assert re.search(".*".join(wanted), calls.read_text(), re.DOTALL)
