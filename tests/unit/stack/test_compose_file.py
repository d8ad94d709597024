"""docker-compose.yml against the catalogue: ports, variables, memory, health, confinement."""

from __future__ import annotations

import re
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml

from fraudwatch.stack import catalogue, env_file
from fraudwatch.stack.catalogue import CatalogueError, Service
from fraudwatch.stack.compose import overlay as overlays
from fraudwatch.stack.compose import secret_files
from fraudwatch.stack.compose.addresses import between_containers
from fraudwatch.stack.compose.document import compose_text
from fraudwatch.stack.home import ROOT, Home

OVERLAY = overlays.load()
TEXT = (ROOT / "docker-compose.yml").read_text(encoding="utf-8")
FILE: dict[str, Any] = yaml.safe_load(TEXT)
SERVICES: dict[str, dict[str, Any]] = FILE["services"]
EXAMPLE = env_file.parse((ROOT / ".env.example").read_text(encoding="utf-8"))
CATALOGUE = catalogue.load().services
# Their images have a health check of their own.
CHECKED_BY_IMAGE = {"mailbox", "cadvisor"}
# They look at the machine itself.
HOST_WATCHERS = {"cadvisor": "root", "node_exporter": "nobody"}
SOCKET = "/var/run/docker.sock"


def names_of(body: dict[str, Any]) -> set[str]:
    """Return every variable that a container of ours gets, secrets included."""
    secrets = [one["target"] if isinstance(one, dict) else one for one in body.get("secrets", [])]
    return {*body.get("environment", {}), *secrets}


def mebibytes(limit: str) -> int:
    return int(limit.removesuffix("m"))


def test_the_committed_file_is_the_generated_one() -> None:
    assert compose_text(OVERLAY) == TEXT, "run `make compose` and commit docker-compose.yml"


def test_every_service_of_the_catalogue_is_there() -> None:
    assert CATALOGUE.keys() - SERVICES.keys() == OVERLAY.left_out.keys()
    added = SERVICES.keys() - CATALOGUE.keys()
    assert added == {"configuration", "postgres", "cadvisor", "node_exporter"}


def test_the_deployment_page_has_the_sum_of_each_profiles_limits() -> None:
    page = (ROOT / "docs/deployment.md").read_text(encoding="utf-8")
    stated = dict(re.findall(r"^\| `(\w+)` \|.*\| ([\d.]+) GiB \|$", page, re.MULTILINE))
    limits = {
        profile: sum(
            mebibytes(body["mem_limit"])
            for body in SERVICES.values()
            if profile in body.get("profiles", []) and "mem_limit" in body
        )
        for profile in OVERLAY.profiles.keys() - {"jobs"}
    }
    assert stated == {profile: f"{mib / 1024:.1f}" for profile, mib in limits.items()}


@pytest.mark.parametrize("name", sorted(CATALOGUE.keys() & SERVICES.keys()))
def test_a_service_has_the_catalogues_variables_needs_memory_and_health(name: str) -> None:
    service, body = CATALOGUE[name], SERVICES[name]
    if not OVERLAY.adjustment(name).image:
        assert service.environment.keys() <= names_of(body)
        assert body["image"] == f"fraudwatch/{service.environment_name}:local"
    assert set(service.needs) <= body.get("depends_on", {}).keys()
    assert mebibytes(body["mem_limit"]) >= max(service.memory_mib, 128)
    has_health = "healthcheck" in body or name in CHECKED_BY_IMAGE
    assert has_health != service.oneshot
    assert body.get("restart", "unless-stopped") == ("no" if service.oneshot else "unless-stopped")


def test_needs_wait_for_health_or_for_the_end() -> None:
    for body in SERVICES.values():
        for need, how in body.get("depends_on", {}).items():
            oneshot = OVERLAY.services[need].oneshot
            wanted = "service_completed_successfully" if oneshot else "service_healthy"
            assert how["condition"] == wanted
            assert set(body["profiles"]) <= set(SERVICES[need]["profiles"])


def test_the_stream_has_the_processor_before_the_batch() -> None:
    shares = {name: body["cpu_shares"] for name, body in SERVICES.items()}
    assert shares["kafka"] == shares["ingest"] == shares["detector"] == 1024
    assert shares["cassandra"] == shares["console"] == 512
    assert shares["airflow_scheduler"] == shares["thrift_server"] == 256


def test_ports_are_published_on_loopback_from_env_with_the_catalogues_defaults() -> None:
    published = [port for body in SERVICES.values() for port in body.get("ports", [])]
    found = [re.fullmatch(r"127\.0\.0\.1:\$\{(\w+):-(\d+)\}:(\d+)", port) for port in published]
    assert all(found)
    defaults = {one[1]: one[2] for one in found if one}
    assert defaults == {name: EXAMPLE[name] for name in OVERLAY.published}
    for variable, place in OVERLAY.published.items():
        service, port = place.split(".")
        assert OVERLAY.services[service].ports[port] == int(EXAMPLE[variable])


def test_every_service_is_confined() -> None:
    confined = FILE["x-confined"]
    assert confined["read_only"] is True
    assert confined["cap_drop"] == ["ALL"]
    assert confined["security_opt"] == ["no-new-privileges:true"]
    for name, body in SERVICES.items():
        for key in ("read_only", "cap_drop", "security_opt"):
            assert body[key] == confined[key], name
        assert body["user"] == HOST_WATCHERS.get(name, "1000:1000"), name


def test_only_the_watcher_of_containers_has_the_docker_socket() -> None:
    holders = {name for name, body in SERVICES.items() if SOCKET in str(body)}
    assert holders == {"cadvisor"}
    assert f"{SOCKET}:{SOCKET}:ro" in SERVICES["cadvisor"]["volumes"]


def test_images_of_others_are_pinned() -> None:
    images = [body["image"] for body in SERVICES.values() if "build" not in body]
    assert len(images) >= 6
    assert all(re.search(r":v?\d+\.\d+[\w.-]*$", image) for image in images)


def test_no_secret_is_a_variable(tmp_path: Path) -> None:
    home = Home(root=ROOT, runtime=tmp_path, folder=tmp_path / "home")
    values = secret_files.values_of(OVERLAY, env_file.ensure(home))
    assert FILE["secrets"].keys() <= values.keys()
    for name, body in SERVICES.items():
        for variable, value in body.get("environment", {}).items():
            # Grafana itself reads the file that this form names.
            is_file = str(value).startswith("$$__file{/run/secrets/")
            assert is_file or not env_file.is_secret(variable), (name, variable)
            assert not re.search(r"\$\{\w+(_PASSWORD|_KEY)\b", str(value)), (name, variable)


def test_secrets_are_files_in_a_closed_folder(tmp_path: Path) -> None:
    home = Home(root=ROOT, runtime=tmp_path, folder=tmp_path / "home")
    settings = env_file.ensure(home)
    folder = secret_files.write(home, OVERLAY, settings)
    assert folder.stat().st_mode & 0o077 == 0
    assert (folder / "KAFKA_ADMIN_PASSWORD").read_text() == settings["KAFKA_ADMIN_PASSWORD"]
    login = f"postgresql+psycopg2://airflow:{settings['AIRFLOW_DATABASE_PASSWORD']}@postgres:5432/"
    assert (folder / "AIRFLOW_DATABASE_URL").read_text().startswith(login)


def test_engines_without_a_password_share_no_network_with_the_edge() -> None:
    lake = {name for name, body in SERVICES.items() if "lake" in body.get("networks", [])}
    assert {"namenode", "datanode", "metastore", "airflow_scheduler"} <= lake
    assert not lake & {"shop", "ingest", "console", "detector", "persister", "tally"}


def test_volumes_of_other_projects_images_are_made_by_ours() -> None:
    # A new volume belongs to the user of the image that mounts it first.
    made = {mount.split(":")[0] for mount in SERVICES["configuration"]["volumes"]}
    for name, body in SERVICES.items():
        mounted = {mount.split(":")[0] for mount in body.get("volumes", [])}
        if "build" not in body and (own := mounted & FILE["volumes"].keys()):
            assert own <= made, name
            assert "configuration" in body["depends_on"], name


def test_services_with_a_database_reach_it() -> None:
    for name in ("airflow_api", "airflow_scheduler", "airflow_triggerer", "registry", "metastore"):
        assert "postgres" in SERVICES[name]["depends_on"], name
        assert "lake" in SERVICES[name]["networks"], name


def test_only_writers_can_write_to_a_shared_volume() -> None:
    for name, body in SERVICES.items():
        for mount in body.get("volumes", []):
            volume, _, mode = mount.partition(":")
            writers = OVERLAY.folders.get(volume.replace("hdfs_", "hdfs/"), ())
            if volume in FILE["volumes"] and writers:
                assert mode.endswith(":ro") != (name in writers), (name, mount)


@pytest.mark.parametrize("profile", sorted(OVERLAY.profiles))
def test_docker_compose_accepts_each_profile(profile: str, tmp_path: Path) -> None:
    if not shutil.which("docker"):
        pytest.skip("docker is not installed here")
    version = subprocess.run(["docker", "compose", "version"], check=False, capture_output=True)
    if version.returncode:
        pytest.skip("docker is installed here without its plugin compose")
    home = Home(root=ROOT, runtime=tmp_path, folder=tmp_path / "home")
    env_file.ensure(home)
    command = ["docker", "compose", "--env-file", str(home.env_file), "--profile", profile]
    listed = subprocess.run(
        [*command, "config", "--services"], cwd=ROOT, check=True, capture_output=True, text=True
    )
    assert set(listed.stdout.split()) == OVERLAY.members(profile)


@pytest.mark.parametrize(
    ("text", "between"),
    [
        ("http://127.0.0.1:{port.shop.http}/x", "http://shop:{port.shop.http}/x"),
        ("http://127.0.0.1:{port.own.http}/x", "http://127.0.0.1:{port.own.http}/x"),
        ("--listen=127.0.0.1:{port.own.http}", "--listen=0.0.0.0:{port.own.http}"),
        ("127.0.0.1", "0.0.0.0"),  # noqa: S104  inside a container
        ("smtp", "smtp"),
    ],
)
def test_addresses_become_those_between_containers(text: str, between: str) -> None:
    assert between_containers(text, "own") == between


def test_a_name_that_the_catalogue_does_not_have_is_refused() -> None:
    text = overlays.OVERLAY_PATH.read_text(encoding="utf-8")
    with pytest.raises(CatalogueError, match=r"\['tallly'\]"):
        overlays.parse(text.replace('"tally"', '"tallly"'), catalogue.load())
    with pytest.raises(CatalogueError, match=r"\[kafka\].*imag"):
        overlays.parse(
            text.replace('image = "apache/kafka', 'imag = "apache/kafka'), catalogue.load()
        )


def test_a_folder_without_a_volume_is_refused() -> None:
    extra = Service(name="extra", summary="", command="run {home}/extra/data")
    text = overlays.OVERLAY_PATH.read_text(encoding="utf-8").replace('"tally"', '"tally", "extra"')
    changed = catalogue.Catalogue({**CATALOGUE, "extra": extra}, {})
    with pytest.raises(CatalogueError, match=r"extra uses \{home\}/extra/data.*\[folders\]"):
        compose_text(overlays.parse(text, changed))
