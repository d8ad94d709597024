from __future__ import annotations

import re
import shutil
import stat
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml

from fraudwatch.stack import alert_durations, catalogue, env_file
from fraudwatch.stack.home import ROOT, Home
from fraudwatch.stack.launches import all_launches
from fraudwatch.stack.prepare import prepare

EXAMPLE = (ROOT / ".env.example").read_text("utf-8")


def prepared(tmp_path: Path, service: str, **changed: str) -> Path:
    home = Home(root=ROOT, runtime=tmp_path / "runtime", folder=tmp_path / "home")
    settings = {**env_file.parse(env_file.completed("", EXAMPLE)), **changed}
    launches = all_launches(home, catalogue.load(), settings, tmp_path)
    prepare(home, launches[service], settings)
    return home.folder / service


def alertmanager(folder: Path) -> Any:
    return yaml.safe_load((folder / "alertmanager.yml").read_text("utf-8"))


def test_mails_go_to_the_mailbox_without_a_login(tmp_path: Path) -> None:
    settings = alertmanager(prepared(tmp_path, "alertmanager"))
    assert re.fullmatch(r"127\.0\.0\.1:\d+", settings["global"]["smtp_smarthost"])
    assert settings["global"]["smtp_auth_username"] == ""
    assert settings["global"]["smtp_auth_password"] == ""
    assert settings["global"]["smtp_require_tls"] is False
    assert settings["receivers"][0]["email_configs"][0]["to"] == "oncall@fraudwatch.test"


def test_a_real_servers_password_is_in_a_file_of_the_owner_alone(tmp_path: Path) -> None:
    folder = prepared(
        tmp_path,
        "alertmanager",
        AIRFLOW_EMAIL_SMTP_HOST="mail.example",
        AIRFLOW_EMAIL_SMTP_PORT="587",
        AIRFLOW_EMAIL_SMTP_USERNAME="fraudwatch",
        AIRFLOW_EMAIL_SMTP_PASSWORD="a-very-secret-password",
        AIRFLOW_EMAIL_SMTP_TLS="true",
    )
    settings = alertmanager(folder)
    assert settings["global"]["smtp_smarthost"] == "mail.example:587"
    assert settings["global"]["smtp_auth_password"] == "a-very-secret-password"
    assert settings["global"]["smtp_require_tls"] is True
    assert stat.S_IMODE((folder / "alertmanager.yml").stat().st_mode) == 0o600


def test_the_ratio_shortens_rules_and_waits(tmp_path: Path) -> None:
    folder = prepared(tmp_path, "prometheus", ALERT_DURATION_RATIO="0.01")
    longest = [
        alert_durations.duration_ms(rule["for"])
        for path in (folder / "rules").glob("*.yml")
        for group in yaml.safe_load(path.read_text("utf-8"))["groups"]
        for rule in group["rules"]
        if "for" in rule
    ]
    assert len(longest) > 10
    shipped = {path.name for path in (ROOT / "monitoring/prometheus/rules").glob("*.yml")}
    assert {path.name for path in (folder / "rules").iterdir()} == shipped
    route = alertmanager(prepared(tmp_path, "alertmanager", ALERT_DURATION_RATIO="0.01"))["route"]
    assert (route["group_wait"], route["group_interval"]) == ("1000ms", "1200ms")


def test_a_rule_that_was_removed_does_not_stay_in_the_home(tmp_path: Path) -> None:
    folder = prepared(tmp_path, "prometheus")
    (folder / "rules/old.yml").write_text("groups: []\n")
    prepared(tmp_path, "prometheus")
    assert not (folder / "rules/old.yml").exists()


@pytest.mark.parametrize("ratio", ["0", "-1", "often", "inf", "nan"])
def test_a_ratio_that_is_no_positive_number_is_refused(ratio: str) -> None:
    with pytest.raises(env_file.BadSetting, match="ALERT_DURATION_RATIO"):
        alert_durations.ratio_of({"ALERT_DURATION_RATIO": ratio})


def test_durations_are_parsed_and_multiplied() -> None:
    assert alert_durations.duration_ms("1h30m") == 5_400_000
    assert alert_durations.duration_ms("250ms") == 250
    assert alert_durations.scaled("10m", 0.5) == "300000ms"
    assert alert_durations.scaled("10m", 1) == "10m"
    with pytest.raises(ValueError, match="no duration"):
        alert_durations.duration_ms("soon")


def check(*command: str) -> None:
    if shutil.which(command[0]) is None:
        pytest.skip(f"{command[0]} is not installed; apt-get install prometheus-alertmanager")
    done = subprocess.run(command, check=False, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr


def test_prometheus_accepts_the_rendered_configuration(tmp_path: Path) -> None:
    folder = prepared(tmp_path, "prometheus", ALERT_DURATION_RATIO="0.01")
    for name in ("targets.json", "alertmanagers.json"):
        (folder / name).write_text('[{"targets": ["127.0.0.1:1"]}]')
    check("promtool", "check", "config", str(folder / "prometheus.yml"))


def test_alertmanager_accepts_the_rendered_configuration(tmp_path: Path) -> None:
    folder = prepared(tmp_path, "alertmanager")
    check("amtool", "check-config", str(folder / "alertmanager.yml"))


def test_grafana_refuses_anonymous_visitors_and_hides_passwords(tmp_path: Path) -> None:
    folder = prepared(tmp_path, "grafana")
    text = (folder / "grafana.ini").read_text("utf-8")
    assert "[auth.anonymous]\nenabled = false" in text
    assert "allow_sign_up = false" in text
    assert "password" not in text.replace("passwords come from", "")
    home = Home(root=ROOT, runtime=tmp_path / "runtime", folder=tmp_path / "home")
    settings = env_file.parse(env_file.completed("", EXAMPLE))
    launch = all_launches(home, catalogue.load(), settings, tmp_path)["grafana"]
    assert launch.argv[1:] == (
        "--homepath=/usr/share/grafana",
        f"--config={home.folder}/grafana/grafana.ini",
    )
    assert launch.environment["GF_SERVER_HTTP_ADDR"] == "127.0.0.1"
    assert launch.environment["GF_SECURITY_ADMIN_PASSWORD"] == settings["GRAFANA_ADMIN_PASSWORD"]
    assert launch.environment["GF_PATHS_PROVISIONING"] == f"{ROOT}/monitoring/grafana/provisioning"
