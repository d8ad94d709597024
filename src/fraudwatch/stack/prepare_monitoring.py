"""Render the settings of Prometheus, Alertmanager and Grafana into the home."""

from __future__ import annotations

from collections.abc import Mapping

from fraudwatch.stack import alert_durations
from fraudwatch.stack.catalogue import Launch
from fraudwatch.stack.home import Home, write_private
from fraudwatch.stack.rendering import render

# Alertmanager must have time to collect alerts that belong together.
_LEAST_MS = 1_000


def configure_prometheus(home: Home, _launch: Launch, settings: Mapping[str, str]) -> None:
    """Copy the configuration and the rules, their durations multiplied by the setting."""
    source, folder = home.root / "monitoring/prometheus", home.folder / "prometheus"
    write_private(folder / "prometheus.yml", (source / "prometheus.yml").read_text("utf-8"))
    ratio = alert_durations.ratio_of(settings)
    for old in (folder / "rules").glob("*.yml"):
        old.unlink()
    for rules in sorted((source / "rules").glob("*.yml")):
        text = alert_durations.scaled_rules(rules.read_text("utf-8"), ratio)
        write_private(folder / "rules" / rules.name, text)


def configure_alertmanager(home: Home, launch: Launch, settings: Mapping[str, str]) -> None:
    """Render the mail settings, which may hold the mail server's password, into a private file."""
    source, folder = home.root / "monitoring/alertmanager", home.folder / "alertmanager"
    mail = {
        name.removeprefix("AIRFLOW_EMAIL_").lower(): value
        for name, value in launch.environment.items()
        if name.startswith("AIRFLOW_EMAIL_")
    }
    if not mail["smtp_username"]:
        mail["smtp_password"] = ""
    ratio = alert_durations.ratio_of(settings)
    waits = {
        name: alert_durations.scaled(text, ratio, least_ms=_LEAST_MS)
        for name, text in (("group_wait", "20s"), ("group_interval", "2m"))
    }
    write_private(folder / "mail.tmpl", (source / "mail.tmpl").read_text("utf-8"))
    render(source / "alertmanager.yml", folder / "alertmanager.yml", {**mail, **waits})


def configure_grafana(home: Home, _launch: Launch, _settings: Mapping[str, str]) -> None:
    """Copy the settings; addresses and the administrator's password are in its environment."""
    source, folder = home.root / "monitoring/grafana", home.folder / "grafana"
    write_private(folder / "grafana.ini", (source / "grafana.ini").read_text("utf-8"))
    for name in ("data", "log", "plugins"):
        (folder / name).mkdir(mode=0o700, exist_ok=True)
