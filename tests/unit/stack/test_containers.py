"""Inside containers: rendered settings, health checks, the Dockerfile's targets."""

from __future__ import annotations

import http.server
import json
import re
import socket
import subprocess
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from fraudwatch.stack import catalogue, env_file
from fraudwatch.stack.compose import engine_settings
from fraudwatch.stack.compose import overlay as overlays
from fraudwatch.stack.compose.answers import answers
from fraudwatch.stack.compose.container_settings import launch_of
from fraudwatch.stack.home import ROOT, Home
from fraudwatch.stack.launches import all_jars
from fraudwatch.stack.prepare import prepare

DOCKERFILE = (ROOT / "docker/Dockerfile").read_text(encoding="utf-8")
TARGETS = re.findall(r"^FROM \S+ AS (\S+)$", DOCKERFILE, re.MULTILINE)
LOCKS = {path.stem for path in (ROOT / "requirements").glob("*.txt")}


@pytest.fixture
def home(tmp_path: Path) -> Home:
    home = Home(
        root=ROOT, runtime=tmp_path / "runtime", folder=tmp_path / "home", in_containers=True
    )
    agent = Path(all_jars(home)["jars.jmx_agent"])
    agent.parent.mkdir(parents=True)
    agent.write_bytes(b"agent")
    return home


def test_engines_name_each_other_and_listen_to_their_network(
    home: Home, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings = env_file.ensure(home)
    for name, value in settings.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setattr(Home, "from_environment", lambda: home)
    assert engine_settings.main() == 0
    kafka = (home.folder / "kafka/server.properties").read_text()
    assert "listeners=CLIENT://0.0.0.0:9092,CONTROLLER://0.0.0.0:9093\n" in kafka
    assert "advertised.listeners=CLIENT://kafka:9092,CONTROLLER://kafka:9093\n" in kafka
    format_arguments = (home.folder / "kafka/format.args").read_text()
    assert '"/opt/kafka/libs/*"' in format_arguments
    assert settings["KAFKA_CLUSTER_ID"] in format_arguments
    cassandra = (home.folder / "cassandra/cassandra.yaml").read_text()
    assert "\nrpc_address: 0.0.0.0\nbroadcast_rpc_address: cassandra\n" in cassandra
    for folder in ("kafka", "cassandra", "hdfs/conf"):
        assert (home.folder / folder / "jmx_agent.jar").read_bytes() == b"agent"
    hdfs = (home.folder / "hdfs/conf/core-site.xml").read_text()
    assert "<value>hdfs://namenode:8020</value>" in hdfs


def test_prometheus_scrapes_the_profiles_that_run(
    home: Home, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in env_file.ensure(home).items():
        monkeypatch.setenv(name, value)
    monkeypatch.setenv("COMPOSE_PROFILES", "speed,observe")
    monkeypatch.setattr(Home, "from_environment", lambda: home)
    assert engine_settings.main() == 0
    groups = json.loads((home.folder / "prometheus/targets.json").read_text())
    found = {group["labels"]["job"]: group["targets"] for group in groups}
    own = [one["targets"] for one in groups if one["labels"]["job"] == "detector"]
    assert own == [["detector:9102"], ["detector:9116"]]
    assert found["cadvisor"] == ["cadvisor:8080"]
    assert "airflow_scheduler" not in found
    managers = json.loads((home.folder / "prometheus/alertmanagers.json").read_text())
    assert managers == [{"targets": ["alertmanager:7773"]}]


def test_an_image_without_the_jmx_agent_is_refused(
    home: Home, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    for name, value in env_file.ensure(home).items():
        monkeypatch.setenv(name, value)
    monkeypatch.setattr(Home, "from_environment", lambda: home)
    Path(all_jars(home)["jars.jmx_agent"]).unlink()
    assert engine_settings.main() == 1
    assert "build the images again" in capsys.readouterr().err


def test_without_a_choice_every_profile_is_watched() -> None:
    overlay = overlays.load()
    assert "reconcile" in engine_settings.watched_services(overlay, "*")
    assert "reconcile" not in engine_settings.watched_services(overlay, "speed")


def test_hive_names_the_other_containers(home: Home) -> None:
    settings = env_file.ensure(home)
    prepare(home, launch_of("thrift_server", ["java", "-cp", "x"]), settings)
    site = (home.folder / "hive/thrift_server/conf/hive-site.xml").read_text()
    assert "thrift://metastore:9083" in site
    assert "<name>hive.server2.thrift.bind.host</name><value>0.0.0.0</value>" in site


@pytest.fixture
def server() -> Iterator[str]:
    class Page(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            body = json.dumps({"scheduler": {"status": "healthy"}, "triggerer": {"status": None}})
            self.send_response(200 if self.path == "/health" else 503)
            self.end_headers()
            self.wfile.write(body.encode())

        def log_message(self, *_: Any) -> None:
            """Stay silent."""

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Page) as running:
        threading.Thread(target=running.serve_forever, daemon=True).start()
        yield f"127.0.0.1:{running.server_port}"
        running.shutdown()


@pytest.mark.parametrize(
    ("address", "healthy"),
    [
        ("http://{}/health", True),
        ("http://{}/other", False),
        ("http://{}/health#scheduler", True),
        ("http://{}/health#triggerer", False),
        ("http://{}/health#nothing", False),
        ("tcp://{}", True),
    ],
)
def test_a_health_check_answers(server: str, address: str, *, healthy: bool) -> None:
    assert answers(address.format(server)) is healthy


def test_a_closed_port_is_not_healthy() -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    assert not answers(f"tcp://127.0.0.1:{port}")
    assert not answers(f"http://127.0.0.1:{port}/health")


def test_every_environment_of_the_catalogue_has_a_target() -> None:
    used = {s.environment_name for s in catalogue.load().services.values()} - {None}
    assert used <= set(TARGETS)
    installed = {name.removesuffix("-environment") for name in TARGETS if "-environment" in name}
    assert installed == LOCKS - {"bootstrap", "dev", "excludes", "java"}


def test_images_are_built_from_locks_and_by_users_without_rights() -> None:
    assert "# syntax=" not in DOCKERFILE
    sources = re.findall(r"COPY --from=(\S+)", DOCKERFILE)
    assert sources
    assert set(sources) <= set(TARGETS)
    assert "--require-hashes" in (ROOT / "docker/install-environment.sh").read_text()
    stages = dict(re.findall(r"^FROM (\S+) AS (\S+)$", DOCKERFILE, re.MULTILINE)[::-1])
    assert stages
    users = re.findall(r"^USER (\S+)$", DOCKERFILE, re.MULTILINE)
    assert users == ["1000:1000", "1000:1000"]


def test_every_copied_path_is_in_the_build_context() -> None:
    copied = re.findall(r"^COPY (?!--from)(.+) \S+$", DOCKERFILE, re.MULTILINE)
    roots = {word.split("/")[0] for line in copied for word in line.split()}
    lines = (ROOT / ".dockerignore").read_text().splitlines()
    kept = {line.removeprefix("!") for line in lines if line.startswith("!")}
    assert roots == kept
    assert all((ROOT / path).exists() for path in kept)


def test_secrets_become_variables_of_the_command(tmp_path: Path) -> None:
    script = (ROOT / "docker/entrypoint.sh").read_text()
    secrets = tmp_path / "secrets"
    (secrets / "folder").mkdir(parents=True)
    (secrets / "KAFKA_PASSWORD").write_text("pass word\n")
    entry = tmp_path / "entrypoint.sh"
    entry.write_text(script.replace("/run/secrets", str(secrets)))
    command = ["sh", str(entry), "sh", "-c", 'printf %s "$KAFKA_PASSWORD"']
    shown = subprocess.run(
        command, check=True, capture_output=True, text=True, env={"PATH": "/bin"}
    )
    assert shown.stdout == "pass word"
