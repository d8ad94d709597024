"""Prepare HDFS and Hive before they start: settings, NameNode format, tables, passwords."""

from __future__ import annotations

import hashlib
import secrets
import subprocess
import zipfile
from collections.abc import Mapping
from pathlib import Path

from fraudwatch.lake import WAREHOUSE_FOLDER
from fraudwatch.stack import catalogue, env_file, wheel_jars
from fraudwatch.stack.catalogue import Launch
from fraudwatch.stack.home import Home, StackError, write_private
from fraudwatch.stack.rendering import render

DERBY = "derby"
POSTGRESQL = "jdbc:postgresql://"
LOGINS = {"admin": "HIVE_ADMIN_PASSWORD", "reports": "HIVE_REPORTS_PASSWORD"}
PASSWORD_ROUNDS = 200_000


def configure_hdfs(home: Home, _launch: Launch, settings: Mapping[str, str]) -> None:
    """Render the settings of NameNode, DataNode and HDFS clients; either engine may start first."""
    folder = home.folder / "hdfs"
    values = _addresses(home, settings)
    for name in ("core-site.xml", "hdfs-site.xml"):
        render(
            home.root / "docker/hdfs" / name,
            folder / "conf" / name,
            {
                **values,
                "name_folder": (folder / "name").as_uri(),
                "data_folder": (folder / "data").as_uri(),
                "tmp_folder": str(folder / "tmp"),
            },
        )


def format_hdfs(home: Home, launch: Launch, settings: Mapping[str, str]) -> None:
    """Format the NameNode once; an existing file system is kept."""
    configure_hdfs(home, launch, settings)
    if home.in_containers:
        return  # the engine's own container formats
    current = home.folder / "hdfs/name/current"
    # Formatting writes the image last, so a folder without one is a format that was killed.
    if any(current.glob("fsimage_*")) or any(current.glob("edits_*")):
        return
    done = subprocess.run(
        [*launch.argv, "-format", "-force", "-nonInteractive"],
        env={**launch.environment},
        capture_output=True,
        text=True,
        check=False,
        umask=0o077,
    )
    if done.returncode:
        raise StackError(f"the NameNode could not be formatted:\n{done.stdout}{done.stderr}")


def configure_metastore(home: Home, launch: Launch, settings: Mapping[str, str]) -> None:
    """Render the metastore's settings; on PostgreSQL create its tables once."""
    folder, url = home.folder / "hive/metastore", settings["HIVE_METASTORE_URL"]
    _make_tmp(home)
    if url != DERBY and not url.startswith(POSTGRESQL):
        raise StackError(
            f"HIVE_METASTORE_URL in {home.env_file} is neither {DERBY} nor begins with "
            f"{POSTGRESQL}, so the metastore was not started; correct that line"
        )
    values = {
        "url": f"jdbc:derby:{folder}/database;create=true" if url == DERBY else url,
        "driver": "org.apache.derby.jdbc.EmbeddedDriver"
        if url == DERBY
        else "org.postgresql.Driver",
        "username": settings["HIVE_METASTORE_USERNAME"],
        "password": settings["HIVE_METASTORE_PASSWORD"],
        "makes_its_tables": "true" if url == DERBY else "false",
        "warehouse": _warehouse(home, settings),
    }
    render(home.root / "docker/hive/metastore-site.xml", folder / "conf/hive-site.xml", values)
    if url != DERBY:
        _make_metastore_tables(home, launch, values)


def _make_metastore_tables(home: Home, launch: Launch, values: Mapping[str, str]) -> None:
    """Create the metastore's tables with DataNucleus' SchemaTool, which keeps existing ones."""
    folder = home.folder / "hive/metastore"
    stamp = folder / "tables.stamp"
    made = hashlib.sha256(values["url"].encode()).hexdigest()
    if stamp.exists() and stamp.read_text() == made:
        return
    properties = folder / "schema-tool.properties"
    render(home.root / "docker/hive/schema-tool.properties", properties, values)
    at = launch.argv.index("-cp")
    done = subprocess.run(
        [
            *launch.argv[: at + 2], "org.datanucleus.store.schema.SchemaTool", "-create",
            "-api", "JDO", "-props", str(properties), str(_mapping(home, folder)),
        ],
        env={**launch.environment},
        capture_output=True,
        text=True,
        check=False,
    )  # fmt: skip
    properties.unlink()
    if done.returncode:
        raise StackError(
            "the metastore's tables could not be created in PostgreSQL; check HIVE_METASTORE_URL, "
            f"_USERNAME and _PASSWORD in {home.env_file}:\n{(done.stdout + done.stderr)[-2000:]}"
        )
    stamp.write_text(made)


def _mapping(home: Home, folder: Path) -> Path:
    """Extract Hive's description of its tables from its jar: the tool needs a file."""
    [jar] = wheel_jars.spark_folder(home).glob("hive-metastore-*.jar")
    with zipfile.ZipFile(jar) as archive:
        return Path(archive.extract("package.jdo", folder))


def configure_thrift_server(home: Home, _launch: Launch, settings: Mapping[str, str]) -> None:
    """Render the Thrift Server's settings and its password file, with new salts at every start."""
    folder = home.folder / "hive/thrift_server"
    tmp = _make_tmp(home)
    values = {
        **_addresses(home, settings),
        "scratch_folder": str(tmp / "scratch"),
        "tmp_folder": str(tmp),
        "warehouse": _warehouse(home, settings),
    }
    source = home.root / "docker/hive"
    render(source / "thrift-server-site.xml", folder / "conf/hive-site.xml", values)
    render(source / "spark.conf", folder / "spark.conf", values)
    lines = [password_line(login, settings[name]) for login, name in LOGINS.items()]
    write_private(folder / "passwords", "".join(f"{line}\n" for line in lines))


def password_line(login: str, password: str, salt: bytes | None = None) -> str:
    """Format one line of the password file that PasswordFile.scala reads."""
    salt = salt or secrets.token_bytes(16)
    found = hashlib.pbkdf2_hmac("sha256", password.encode(), salt, PASSWORD_ROUNDS)
    return f"{login}:{PASSWORD_ROUNDS}:{salt.hex()}:{found.hex()}"


def _make_tmp(home: Home) -> Path:
    folder = home.folder / "hive/tmp"
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    return folder


def _warehouse(home: Home, settings: Mapping[str, str]) -> str:
    return f"hdfs://{home.host('namenode')}:{_ports(settings)['namenode_rpc']}{WAREHOUSE_FOLDER}"


def _addresses(home: Home, settings: Mapping[str, str]) -> dict[str, str]:
    """Return every host and port by SERVICE_NAME, and the address to listen on."""
    hosts = {f"{name}_host": home.host(name) for name in catalogue.load().services}
    ports = {name: str(port) for name, port in _ports(settings).items()}
    return {**hosts, **ports, "listen_address": home.listen_address}


def _ports(settings: Mapping[str, str]) -> dict[str, int]:
    """Return every port by SERVICE_NAME: an engine's settings name other engines' ports too."""
    values = catalogue.load().port_values(env_file.port_offset(settings))
    return {key.removeprefix("port.").replace(".", "_"): int(port) for key, port in values.items()}
