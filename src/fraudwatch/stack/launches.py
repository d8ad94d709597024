"""Fill the catalogue's placeholders for one home: interpreters, jars, ports, settings."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

from fraudwatch.stack import env_file, jars, scala_jars, system_programs, wheel_jars
from fraudwatch.stack.catalogue import AUTOMATIC, Catalogue, CatalogueError, Launch
from fraudwatch.stack.home import Home

# Class paths in services.toml that come from a lock file of jars.
JAR_LISTS = frozenset({"kafka", "cassandra", "spark_kafka", "delta", "hdfs", "jmx", "postgresql"})
# Class paths that are another form, or a part, of such a list.
_PARTS = {"jamm": "cassandra", "delta_class_path": "delta", "jmx_agent": "jmx"}
# Class paths that need the jars inside the pyspark wheel.
FROM_WHEEL = frozenset({"hdfs", "spark"})


def lists_for(names: frozenset[str]) -> frozenset[str]:
    """Return the jar lists that these class paths need."""
    return (names & JAR_LISTS) | {_PARTS[name] for name in names & _PARTS.keys()}


def all_launches(
    home: Home, catalogue: Catalogue, settings: Mapping[str, str], java_home: Path
) -> dict[str, Launch]:
    """Return every service of the catalogue, ready to start."""
    values = {
        "root": str(home.root),
        "home": str(home.folder),
        "runtime": str(home.runtime),
        "offset": str(env_file.port_offset(settings)),
        "java": str(java_home),
        **all_jars(home),
        **_pythons(home, catalogue),
        **catalogue.port_values(env_file.port_offset(settings)),
    }
    values |= catalogue.setting_values(settings, values)
    java_options = _java_options(settings)
    launches = {
        name: catalogue.launch(
            name,
            {**values, **_python(home, service.environment_name), **_program(service.program)},
        )
        for name, service in catalogue.services.items()
    }
    return {
        name: replace(launch, environment={**java_options, **launch.environment})
        for name, launch in launches.items()
    }


def _java_options(settings: Mapping[str, str]) -> dict[str, str]:
    """Return the options for every Java process, including those that a service starts."""
    options = settings.get(env_file.JAVA_OPTIONS, AUTOMATIC)
    # .env holds no spaces; ",-" only occurs between two options.
    return {} if options == AUTOMATIC else {"JDK_JAVA_OPTIONS": options.replace(",-", " -")}


def _python(home: Home, environment_name: str | None) -> dict[str, str]:
    return {} if environment_name is None else {"python": interpreter(home, environment_name)}


def _program(program: str | None) -> dict[str, str]:
    # A service whose program is missing has a launch as well, which is never started.
    return {} if program is None else {"program": system_programs.find(program) or program}


def _pythons(home: Home, catalogue: Catalogue) -> dict[str, str]:
    names = {name for s in catalogue.services.values() for name in s.environment_names()}
    return {f"python.{name}": interpreter(home, name) for name in names}


def interpreter(home: Home, environment_name: str) -> str:
    """Return the Python interpreter of an environment."""
    return str(home.environments / environment_name / "bin/python")


def all_jars(home: Home) -> dict[str, str]:
    """Return `jars.NAME` for every class path and jar that services.toml can name."""
    return {
        "jars.kafka": f"{jars.folder_of(home, 'kafka')}/*",
        "jars.cassandra": f"{jars.folder_of(home, 'cassandra')}/*",
        "jars.jamm": _agent(home, "cassandra", "com.github.jbellis:jamm"),
        "jars.jmx_agent": _agent(home, "jmx", "io.prometheus.jmx:jmx_prometheus_javaagent"),
        "jars.spark_kafka": _for_spark_jars(home, "spark_kafka"),
        "jars.delta": _for_spark_jars(home, "delta"),
        "jars.delta_class_path": f"{jars.folder_of(home, 'delta')}/*",
        "jars.postgresql": f"{jars.folder_of(home, 'postgresql')}/*",
        "jars.hdfs": f"{jars.folder_of(home, 'hdfs')}/*:{wheel_jars.hdfs_folder(home)}/*",
        "jars.spark": f"{wheel_jars.spark_folder(home)}/*",
        **{
            f"jars.{jar.name}": str(scala_jars.path_of(home, jar))
            for jar in scala_jars.SCALA_JARS.values()
        },
    }


def _for_spark_jars(home: Home, name: str) -> str:
    listed = jars.read_lock(jars.lock_of(home, name))
    return ",".join(str(jars.folder_of(home, name) / jar.file_name) for jar in listed)


def _agent(home: Home, name: str, artifact: str) -> str:
    lock = jars.lock_of(home, name)
    for jar in jars.read_lock(lock):
        if jar.coordinate.startswith(f"{artifact}:"):
            return str(jars.folder_of(home, name) / jar.file_name)
    raise CatalogueError(f"{lock} lacks {artifact}, an agent of the Java engines")
