"""What HDFS and Hive need before they start: settings, a formatted NameNode, tables, passwords."""

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
from fraudwatch.stack.place import Place, Unusable, write_private
from fraudwatch.stack.rendering import render

DERBY = "derby"
POSTGRESQL = "jdbc:postgresql://"
LOGINS = {"admin": "HIVE_ADMIN_PASSWORD", "reports": "HIVE_REPORTS_PASSWORD"}
PASSWORD_ROUNDS = 200_000


def configure_hdfs(place: Place, _launch: Launch, settings: Mapping[str, str]) -> None:
    """Render what both engines and every client of theirs read; either may be the first."""
    home = place.home / "hdfs"
    ports = {name: str(port) for name, port in _ports(settings).items()}
    for name in ("core-site.xml", "hdfs-site.xml"):
        render(
            place.root / "docker/hdfs" / name,
            home / "conf" / name,
            {
                **ports,
                "name_folder": (home / "name").as_uri(),
                "data_folder": (home / "data").as_uri(),
                "tmp_folder": str(home / "tmp"),
            },
        )


def format_hdfs(place: Place, launch: Launch, settings: Mapping[str, str]) -> None:
    """Give the NameNode an empty file system, once; whatever is there stays."""
    configure_hdfs(place, launch, settings)
    current = place.home / "hdfs/name/current"
    # An image is the last thing that formatting writes, so one without is a format that was killed.
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
        raise Unusable(f"the NameNode could not be formatted:\n{done.stdout}{done.stderr}")


def configure_metastore(place: Place, launch: Launch, settings: Mapping[str, str]) -> None:
    """Render its settings; on PostgreSQL make its tables, once."""
    home, url = place.home / "hive/metastore", settings["HIVE_METASTORE_URL"]
    _make_tmp(place)
    if url != DERBY and not url.startswith(POSTGRESQL):
        raise Unusable(
            f"HIVE_METASTORE_URL in {place.env_file} is neither {DERBY} nor begins with "
            f"{POSTGRESQL}, so the metastore was not started; correct that line"
        )
    values = {
        "url": f"jdbc:derby:{home}/database;create=true" if url == DERBY else url,
        "driver": "org.apache.derby.jdbc.EmbeddedDriver"
        if url == DERBY
        else "org.postgresql.Driver",
        "username": settings["HIVE_METASTORE_USERNAME"],
        "password": settings["HIVE_METASTORE_PASSWORD"],
        "makes_its_tables": "true" if url == DERBY else "false",
        "warehouse": _warehouse(settings),
    }
    render(place.root / "docker/hive/metastore-site.xml", home / "conf/hive-site.xml", values)
    if url != DERBY:
        _make_metastore_tables(place, launch, values)


def _make_metastore_tables(place: Place, launch: Launch, values: Mapping[str, str]) -> None:
    """By the tool of the library that maps them; it leaves alone what is there."""
    home = place.home / "hive/metastore"
    stamp = home / "tables.stamp"
    made = hashlib.sha256(values["url"].encode()).hexdigest()
    if stamp.exists() and stamp.read_text() == made:
        return
    properties = home / "schema-tool.properties"
    render(place.root / "docker/hive/schema-tool.properties", properties, values)
    at = launch.argv.index("-cp")
    done = subprocess.run(
        [
            *launch.argv[: at + 2], "org.datanucleus.store.schema.SchemaTool", "-create",
            "-api", "JDO", "-props", str(properties), str(_mapping(place, home)),
        ],
        env={**launch.environment},
        capture_output=True,
        text=True,
        check=False,
    )  # fmt: skip
    properties.unlink()
    if done.returncode:
        raise Unusable(
            "the metastore's tables could not be made in PostgreSQL; look at HIVE_METASTORE_URL, "
            f"_USERNAME and _PASSWORD in {place.env_file}:\n{(done.stdout + done.stderr)[-2000:]}"
        )
    stamp.write_text(made)


def _mapping(place: Place, folder: Path) -> Path:
    """Hive's own description of its tables, out of its jar: the tool wants a file."""
    [jar] = wheel_jars.spark_folder(place).glob("hive-metastore-*.jar")
    with zipfile.ZipFile(jar) as archive:
        return Path(archive.extract("package.jdo", folder))


def configure_thrift_server(place: Place, _launch: Launch, settings: Mapping[str, str]) -> None:
    """Render its settings and the file of its logins, hashed anew at every start."""
    home = place.home / "hive/thrift_server"
    tmp = _make_tmp(place)
    values = {
        **{name: str(port) for name, port in _ports(settings).items()},
        "scratch_folder": str(tmp / "scratch"),
        "tmp_folder": str(tmp),
        "warehouse": _warehouse(settings),
    }
    source = place.root / "docker/hive"
    render(source / "thrift-server-site.xml", home / "conf/hive-site.xml", values)
    render(source / "spark.conf", home / "spark.conf", values)
    lines = [password_line(login, settings[name]) for login, name in LOGINS.items()]
    write_private(home / "passwords", "".join(f"{line}\n" for line in lines))


def password_line(login: str, password: str, salt: bytes | None = None) -> str:
    """One line of the file that docker/hive/PasswordFile.scala reads."""
    salt = salt or secrets.token_bytes(16)
    found = hashlib.pbkdf2_hmac("sha256", password.encode(), salt, PASSWORD_ROUNDS)
    return f"{login}:{PASSWORD_ROUNDS}:{salt.hex()}:{found.hex()}"


def _make_tmp(place: Place) -> Path:
    folder = place.home / "hive/tmp"
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    return folder


def _warehouse(settings: Mapping[str, str]) -> str:
    return f"hdfs://127.0.0.1:{_ports(settings)['namenode_rpc']}{WAREHOUSE_FOLDER}"


def _ports(settings: Mapping[str, str]) -> dict[str, int]:
    """Every port there is, by SERVICE_NAME: an engine's settings name its neighbours' too."""
    values = catalogue.load().port_values(env_file.port_offset(settings))
    return {key.removeprefix("port.").replace(".", "_"): int(port) for key, port in values.items()}
