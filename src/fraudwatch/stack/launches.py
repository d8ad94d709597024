"""Fills the catalogue for one home: which interpreter, which jars, which ports, which settings."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

from fraudwatch.stack import env_file, jars, scala_jars, wheel_jars
from fraudwatch.stack.catalogue import AUTOMATIC, Catalogue, CatalogueError, Launch
from fraudwatch.stack.place import Place

# Class paths named in services.toml that come from a committed list of jars.
JAR_LISTS = frozenset({"kafka", "cassandra", "spark_kafka", "delta", "hdfs", "postgresql"})
# Class paths that are another form, or a part, of a list.
_PARTS = {"jamm": "cassandra", "delta_class_path": "delta"}
# Class paths that need the jars inside the pyspark wheel.
FROM_WHEEL = frozenset({"hdfs", "spark"})


def lists_for(names: frozenset[str]) -> frozenset[str]:
    """The lists of jars behind these class paths."""
    return (names & JAR_LISTS) | {_PARTS[name] for name in names & _PARTS.keys()}


def all_launches(
    place: Place, catalogue: Catalogue, settings: Mapping[str, str], java_home: Path
) -> dict[str, Launch]:
    """Every service of the catalogue, ready to start."""
    values = {
        "root": str(place.root),
        "home": str(place.home),
        "java": str(java_home),
        **_class_paths(place),
        **_pythons(place, catalogue),
        **catalogue.port_values(env_file.port_offset(settings)),
    }
    values |= catalogue.setting_values(settings, values)
    java_options = _java_options(settings)
    launches = {
        name: catalogue.launch(name, {**values, **_python(place, service.environment_name)})
        for name, service in catalogue.services.items()
    }
    return {
        name: replace(launch, environment={**java_options, **launch.environment})
        for name, launch in launches.items()
    }


def _java_options(settings: Mapping[str, str]) -> dict[str, str]:
    """What Java's launcher reads in whatever process, those that a service starts included."""
    options = settings.get(env_file.JAVA_OPTIONS, AUTOMATIC)
    # .env holds no spaces; ",-" only occurs between two options.
    return {} if options == AUTOMATIC else {"JDK_JAVA_OPTIONS": options.replace(",-", " -")}


def _python(place: Place, environment_name: str | None) -> dict[str, str]:
    return {} if environment_name is None else {"python": interpreter(place, environment_name)}


def _pythons(place: Place, catalogue: Catalogue) -> dict[str, str]:
    names = {name for s in catalogue.services.values() for name in s.environment_names()}
    return {f"python.{name}": interpreter(place, name) for name in names}


def interpreter(place: Place, environment_name: str) -> str:
    """The Python of an environment."""
    return str(place.environments / environment_name / "bin/python")


def _class_paths(place: Place) -> dict[str, str]:
    return {
        "jars.kafka": f"{jars.folder_of(place, 'kafka')}/*",
        "jars.cassandra": f"{jars.folder_of(place, 'cassandra')}/*",
        "jars.jamm": str(_jamm(place)),
        "jars.spark_kafka": _for_spark_jars(place, "spark_kafka"),
        "jars.delta": _for_spark_jars(place, "delta"),
        "jars.delta_class_path": f"{jars.folder_of(place, 'delta')}/*",
        "jars.postgresql": f"{jars.folder_of(place, 'postgresql')}/*",
        "jars.hdfs": f"{jars.folder_of(place, 'hdfs')}/*:{wheel_jars.hdfs_folder(place)}/*",
        "jars.spark": f"{wheel_jars.spark_folder(place)}/*",
        **{
            f"jars.{jar.name}": str(scala_jars.path_of(place, jar))
            for jar in scala_jars.SCALA_JARS.values()
        },
    }


def _for_spark_jars(place: Place, name: str) -> str:
    listed = jars.read_lock(jars.lock_of(place, name))
    return ",".join(str(jars.folder_of(place, name) / jar.file_name) for jar in listed)


def _jamm(place: Place) -> Path:
    for jar in jars.read_lock(jars.lock_of(place, "cassandra")):
        if jar.coordinate.startswith("com.github.jbellis:jamm:"):
            return jars.folder_of(place, "cassandra") / jar.file_name
    raise CatalogueError("requirements/jars/cassandra.lock lacks jamm, Cassandra's memory agent")
