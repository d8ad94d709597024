"""Prepare an engine before its process starts: render its settings, format its storage."""

from __future__ import annotations

import subprocess
import time
from collections.abc import Callable, Mapping
from pathlib import Path

from fraudwatch.adapters.api_keys.key_file import ApiKeyFile, KeysUnavailable
from fraudwatch.application.api_keys import register_env_key
from fraudwatch.stack import prepare_lake, prepare_monitoring
from fraudwatch.stack.catalogue import Launch
from fraudwatch.stack.home import Home, StackError, write_private
from fraudwatch.stack.rendering import render

Preparation = Callable[[Home, Launch, Mapping[str, str]], None]


def prepare(home: Home, launch: Launch, settings: Mapping[str, str]) -> None:
    """Run the preparation that the catalogue names; each is idempotent and runs at every start."""
    if launch.service.prepare:
        PREPARATIONS[launch.service.prepare](home, launch, settings)


def format_kafka(home: Home, launch: Launch, settings: Mapping[str, str]) -> None:
    """Render the broker's settings; once, format its storage with cluster id and administrator."""
    folder = home.folder / "kafka"
    properties, data = folder / "server.properties", folder / "data"
    render(
        home.root / "docker/kafka/server.properties",
        properties,
        {
            "host": home.host("kafka"),
            "listen_address": home.listen_address,
            "broker_port": str(launch.ports["broker"]),
            "controller_port": str(launch.ports["controller"]),
            "data_folder": str(data),
            "admin_password": settings["KAFKA_ADMIN_PASSWORD"],
            "controller_password": settings["KAFKA_CONTROLLER_PASSWORD"],
        },
    )
    if home.in_containers:
        _write_format_arguments(launch, properties, settings)  # the engine's own container formats
    elif not (data / "meta.properties").exists():
        _format_storage(launch, properties, settings)


def _write_format_arguments(launch: Launch, properties: Path, settings: Mapping[str, str]) -> Path:
    class_path = launch.argv[launch.argv.index("-cp") + 1]
    credential = f"SCRAM-SHA-512=[name=admin,password={settings['KAFKA_ADMIN_PASSWORD']}]"
    arguments = [
        "-Xmx256m", "-XX:TieredStopAtLevel=1", "-Dorg.slf4j.simpleLogger.defaultLogLevel=warn",
        "-cp", class_path, "kafka.tools.StorageTool", "format",
        "--cluster-id", settings["KAFKA_CLUSTER_ID"], "--config", str(properties),
        "--standalone", "--ignore-formatted", "--add-scram", credential,
    ]  # fmt: skip
    # In a file, because every user of the machine can read a command line.
    argument_file = properties.with_name("format.args")
    write_private(argument_file, "\n".join(f'"{argument}"' for argument in arguments) + "\n")
    return argument_file


def _format_storage(launch: Launch, properties: Path, settings: Mapping[str, str]) -> None:
    argument_file = _write_format_arguments(launch, properties, settings)
    try:
        done = subprocess.run(
            [launch.argv[0], f"@{argument_file}"],
            capture_output=True,
            text=True,
            check=False,
            umask=0o077,  # it writes the administrator's credential
        )
    finally:
        argument_file.unlink()
    if done.returncode:
        raise StackError(f"Kafka's storage could not be formatted:\n{done.stdout}{done.stderr}")


def configure_cassandra(home: Home, launch: Launch, _settings: Mapping[str, str]) -> None:
    """Render Cassandra's settings and create the folder that its native code is unpacked to."""
    folder = home.folder / "cassandra"
    folder.mkdir(mode=0o700, exist_ok=True)
    (folder / "tmp").mkdir(mode=0o700, exist_ok=True)
    render(
        home.root / "docker/cassandra/cassandra.yaml",
        folder / "cassandra.yaml",
        {
            "home": str(folder),
            "host": home.host("cassandra"),
            "listen_address": home.listen_address,
            "cql_port": str(launch.ports["cql"]),
            "storage_port": str(launch.ports["storage"]),
        },
    )


def register_api_key(home: Home, launch: Launch, settings: Mapping[str, str]) -> None:
    """Register the API key of .env in the key file once; ingest and the REST API know only that."""
    key = settings["INGEST_API_KEY"]
    if key == settings["REVEAL_API_KEY"]:
        raise StackError(
            "INGEST_API_KEY and REVEAL_API_KEY are the same, so that every source could reveal "
            f"sealed fields; remove one line from {home.env_file} and start again to get a random "
            "one"
        )
    try:
        store = ApiKeyFile(Path(launch.environment["API_KEYS_PATH"]))
        register_env_key(store, key, time.time_ns() // 1_000_000)
    except KeysUnavailable as error:
        raise StackError(str(error)) from error


PREPARATIONS: Mapping[str, Preparation] = {
    "format-kafka": format_kafka,
    "configure-cassandra": configure_cassandra,
    "register-env-key": register_api_key,
    "format-hdfs": prepare_lake.format_hdfs,
    "configure-hdfs": prepare_lake.configure_hdfs,
    "configure-metastore": prepare_lake.configure_metastore,
    "configure-thrift-server": prepare_lake.configure_thrift_server,
    "configure-prometheus": prepare_monitoring.configure_prometheus,
    "configure-alertmanager": prepare_monitoring.configure_alertmanager,
    "configure-grafana": prepare_monitoring.configure_grafana,
}
