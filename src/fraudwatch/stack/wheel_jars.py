"""What the lake's engines take from the pyspark wheel, linked under names that never change.

The catalogue is filled before anything is installed, so it cannot know the wheel's own paths.
"""

from __future__ import annotations

import shutil
from pathlib import Path

from fraudwatch.stack.place import Place, Unusable

ENVIRONMENT = "lake"
# Beside the one jar of requirements/jars/hdfs.lock; each once, in whatever version the wheel has.
_HDFS_LACKS = (
    "hadoop-client-api-*.jar",
    "hadoop-client-runtime-*.jar",
    "jcl-over-slf4j-*.jar",
    "slf4j-api-*.jar",
    "log4j-slf4j2-impl-*.jar",
    "log4j-api-*.jar",
    "log4j-core-*.jar",
    "log4j-1.2-api-*.jar",
)


def spark_folder(place: Place) -> Path:
    """All of the wheel's jars: Spark, and Hive with it."""
    return place.jars / "spark"


def hdfs_folder(place: Place) -> Path:
    """The few of them that HDFS lacks."""
    return place.jars / "hdfs_from_wheel"


def pyspark_folder(place: Place, environment_name: str) -> Path:
    """The pyspark package inside an environment.

    Raises:
        Unusable: there is none.
    """
    pattern = "lib/python*/site-packages/pyspark"
    found = next((place.environments / environment_name).glob(pattern), None)
    if found is None:
        raise Unusable(
            f"the {environment_name} environment holds no pyspark, so what runs on its jars cannot "
            f"start; remove {place.environments / environment_name} and start again"
        )
    return found


def ensure(place: Place) -> None:
    """Link what is not linked yet; needs the lake's environment."""
    jars = pyspark_folder(place, ENVIRONMENT) / "jars"
    _link(spark_folder(place), jars)
    wanted = {path.name: path for path in (_only(jars, pattern) for pattern in _HDFS_LACKS)}
    folder = hdfs_folder(place)
    if folder.is_dir() and {path.name for path in folder.iterdir()} != wanted.keys():
        shutil.rmtree(folder)
    folder.mkdir(parents=True, exist_ok=True)
    for name, path in wanted.items():
        _link(folder / name, path)


def _only(jars: Path, pattern: str) -> Path:
    found = sorted(jars.glob(pattern))
    if len(found) != 1:
        raise Unusable(
            f"{jars} holds {len(found)} files like {pattern} where HDFS needs one: this pyspark "
            "is not the one in requirements/lake.txt; remove its environment and start again"
        )
    return found[0]


def _link(link: Path, target: Path) -> None:
    if link.is_symlink() and link.readlink() == target:
        return
    link.unlink(missing_ok=True)
    link.parent.mkdir(parents=True, exist_ok=True)
    link.symlink_to(target)
