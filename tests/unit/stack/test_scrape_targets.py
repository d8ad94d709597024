from __future__ import annotations

import json
from pathlib import Path

import pytest

from fraudwatch.stack import catalogue, scrape_targets
from fraudwatch.stack.home import ROOT, Home

SERVICES = catalogue.load().services
# No metrics are served there; JMX, StatsD or the exporter of the services' usage speak for them.
ENGINE_PORTS = {
    "kafka": {"broker", "controller"},
    "cassandra": {"cql", "storage"},
    "console": {"http"},
    "mailbox": {"smtp", "http"},
    "airflow_api": {"http"},
    "namenode": {"rpc", "http"},
    "datanode": {"transfer", "http", "ipc"},
    "metastore": {"thrift"},
    "thrift_server": {"thrift"},
    "statsd_bridge": {"statsd"},
}


def jobs(profile: str) -> set[tuple[str, str]]:
    found = catalogue.load()
    groups = scrape_targets.scrape_targets(
        found, found.profile(profile), lambda service, port: f"{service}:{port}"
    )
    return {(g["labels"]["job"], *g["targets"]) for g in groups}  # type: ignore[index,misc]


@pytest.mark.parametrize("profile", ["speed", "lake", "batch"])
def test_every_port_is_a_target_or_known_to_serve_no_metrics(profile: str) -> None:
    names = catalogue.load().profile(profile)
    ports = {(name, port) for name in names for port in SERVICES[name].ports}
    without = {(name, port) for name in names for port in ENGINE_PORTS.get(name, ())}
    assert jobs(profile) == {(name, f"{name}:{port}") for name, port in ports - without}


def test_every_service_of_ours_is_scraped() -> None:
    ours = {"shop", "ingest", "detector", "persister", "tally", "notifier", "webhooks", "console"}
    ours |= {"rest_api"}
    assert ours <= {job for job, _ in jobs("speed")}
    assert ("detector", "detector:metrics") in jobs("speed")


def test_the_files_name_running_services_only(tmp_path: Path) -> None:
    home = Home(root=ROOT, runtime=tmp_path, folder=tmp_path)
    settings = {"FRAUDWATCH_PORT_OFFSET": "0"}
    scrape_targets.write_targets(home, catalogue.load(), ("persister", "alertmanager"), settings)
    folder = tmp_path / "prometheus"
    offset = int(json.loads((folder / "targets.json").read_text())[0]["targets"][0][10:]) - 9103
    assert json.loads((folder / "targets.json").read_text()) == [
        {"targets": [f"127.0.0.1:{9103 + offset}"], "labels": {"job": "persister"}},
        {"targets": [f"127.0.0.1:{7773 + offset}"], "labels": {"job": "alertmanager"}},
    ]
    managers = json.loads((folder / "alertmanagers.json").read_text())
    assert managers == [{"targets": [f"127.0.0.1:{7773 + offset}"]}]


def test_without_alertmanager_no_alert_is_sent(tmp_path: Path) -> None:
    home = Home(root=ROOT, runtime=tmp_path, folder=tmp_path)
    scrape_targets.write_targets(home, catalogue.load(), ("persister",), {})
    managers = json.loads((tmp_path / "prometheus/alertmanagers.json").read_text())
    assert managers == [{"targets": []}]
