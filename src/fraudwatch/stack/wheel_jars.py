"""Link jars of the pyspark wheel for the lake's engines, under names that never change.

The catalogue is filled before anything is installed, so it cannot know paths inside the wheel.
"""

from __future__ import annotations

import shutil
from pathlib import Path

from fraudwatch.stack.home import Home, StackError

ENVIRONMENT = "lake"
# Besides the one jar of requirements/jars/hdfs.lock; each once, in the wheel's version.
_HDFS_EXTRA_JARS = (
    "hadoop-client-api-*.jar",
    "hadoop-client-runtime-*.jar",
    "jcl-over-slf4j-*.jar",
    "slf4j-api-*.jar",
    "log4j-slf4j2-impl-*.jar",
    "log4j-api-*.jar",
    "log4j-core-*.jar",
    "log4j-1.2-api-*.jar",
)


def spark_folder(home: Home) -> Path:
    """Return the folder of all jars of the wheel: Spark and Hive."""
    return home.jars / "spark"


def hdfs_folder(home: Home) -> Path:
    """Return the folder of the wheel's jars that HDFS needs."""
    return home.jars / "hdfs_from_wheel"


def pyspark_folder(home: Home, environment_name: str) -> Path:
    """Find the pyspark package in an environment.

    Raises:
        StackError: the environment has no pyspark.
    """
    pattern = "lib/python*/site-packages/pyspark"
    found = next((home.environments / environment_name).glob(pattern), None)
    if found is None:
        raise StackError(
            f"the {environment_name} environment has no pyspark, so services that use its jars "
            f"cannot start; remove {home.environments / environment_name} and start again"
        )
    return found


def ensure(home: Home) -> None:
    """Create missing links; the lake's environment must be installed."""
    jars = pyspark_folder(home, ENVIRONMENT) / "jars"
    _link(spark_folder(home), jars)
    wanted = {path.name: path for path in (_only(jars, pattern) for pattern in _HDFS_EXTRA_JARS)}
    folder = hdfs_folder(home)
    if folder.is_dir() and {path.name for path in folder.iterdir()} != wanted.keys():
        shutil.rmtree(folder)
    folder.mkdir(parents=True, exist_ok=True)
    for name, path in wanted.items():
        _link(folder / name, path)


def _only(jars: Path, pattern: str) -> Path:
    found = sorted(jars.glob(pattern))
    if len(found) != 1:
        raise StackError(
            f"{jars} has {len(found)} files like {pattern} but HDFS needs one: this pyspark "
            "is not the one in requirements/lake.txt; remove its environment and start again"
        )
    return found[0]


def _link(link: Path, target: Path) -> None:
    if link.is_symlink() and link.readlink() == target:
        return
    link.unlink(missing_ok=True)
    link.parent.mkdir(parents=True, exist_ok=True)
    link.symlink_to(target)
