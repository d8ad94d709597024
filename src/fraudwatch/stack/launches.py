"""Fills the catalogue for one home: which interpreter, which jars, which ports, which settings."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from fraudwatch.stack import env_file, file_system_jar, jars
from fraudwatch.stack.catalogue import Catalogue, CatalogueError, Launch
from fraudwatch.stack.place import Place

# Class paths named in services.toml that come from a committed list of jars.
JAR_LISTS = frozenset({"kafka", "cassandra", "spark_kafka"})


def lists_for(names: frozenset[str]) -> frozenset[str]:
    """The lists of jars behind these class paths; jamm is one of Cassandra's."""
    return (names & JAR_LISTS) | ({"cassandra"} if "jamm" in names else set())


def all_launches(
    place: Place, catalogue: Catalogue, settings: Mapping[str, str], java_home: Path
) -> dict[str, Launch]:
    """Every service of the catalogue, ready to start."""
    values = {
        "root": str(place.root),
        "home": str(place.home),
        "java": str(java_home),
        **_class_paths(place),
        **catalogue.port_values(env_file.port_offset(settings)),
        **{f"setting.{name}": value for name, value in settings.items()},
    }
    return {
        name: catalogue.launch(name, {**values, **_python(place, service.environment_name)})
        for name, service in catalogue.services.items()
    }


def _python(place: Place, environment_name: str | None) -> dict[str, str]:
    if environment_name is None:
        return {}
    return {"python": str(place.environments / environment_name / "bin/python")}


def _class_paths(place: Place) -> dict[str, str]:
    return {
        "jars.kafka": f"{jars.folder_of(place, 'kafka')}/*",
        "jars.cassandra": f"{jars.folder_of(place, 'cassandra')}/*",
        "jars.jamm": str(_jamm(place)),
        # The form of `spark.jars`, not of a class path.
        "jars.spark_kafka": ",".join(
            str(jars.folder_of(place, "spark_kafka") / jar.file_name)
            for jar in jars.read_lock(jars.lock_of(place, "spark_kafka"))
        ),
        "jars.fast_local_file_system": str(file_system_jar.path_of(place)),
    }


def _jamm(place: Place) -> Path:
    for jar in jars.read_lock(jars.lock_of(place, "cassandra")):
        if jar.coordinate.startswith("com.github.jbellis:jamm:"):
            return jars.folder_of(place, "cassandra") / jar.file_name
    raise CatalogueError("requirements/jars/cassandra.lock lacks jamm, Cassandra's memory agent")
