"""Print results of the command line to stdout, progress and errors to stderr."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterable, Mapping
from typing import Any

from rich.console import Console
from rich.table import Table

from fraudwatch.stack.home import Home
from fraudwatch.stack.prepare_lake import LOGINS
from fraudwatch.stack.state import ServiceState

GRAFANA_LOGINS = {
    "admin": "GRAFANA_ADMIN_PASSWORD",
    "editor": "GRAFANA_EDITOR_PASSWORD",
    "viewer": "GRAFANA_VIEWER_PASSWORD",
}
SUPERSET_LOGINS = {
    "admin": "SUPERSET_ADMIN_PASSWORD",
    "viewer": "SUPERSET_VIEWER_PASSWORD",
    "analyst": "SUPERSET_ANALYST_PASSWORD",
    "lead": "SUPERSET_LEAD_PASSWORD",
}
FIRST_PASSWORD = "the first password; it may have been changed since"  # noqa: S105  a note

progress = Console(stderr=True, highlight=False)
results = Console(highlight=False)


def notify(sentence: str) -> None:
    """Print one line of progress or an error to stderr."""
    progress.print(sentence, markup=False, soft_wrap=True)


def print_json(document: Mapping[str, Any]) -> None:
    """Print exactly one JSON object to stdout."""
    sys.stdout.write(json.dumps(document, indent=2) + "\n")


def print_states(states: Iterable[ServiceState]) -> None:
    """Print `status` as a table."""
    table = Table(box=None, pad_edge=False)
    for heading in ("service", "state", "ready", "pid", "up", "memory", "ports"):
        table.add_column(heading)
    for state in states:
        table.add_row(
            state.name,
            state.state,
            "yes" if state.ready else "no",
            str(state.pid or ""),
            _duration(state.uptime_seconds),
            f"{state.memory_mib} MiB" if state.memory_mib is not None else "",
            " ".join(f"{name}:{port}" for name, port in state.ports.items()),
        )
    results.print(table)


def _duration(seconds: int | None) -> str:
    if seconds is None:
        return ""
    minutes, rest = divmod(seconds, 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours} h {minutes} min" if hours else f"{minutes} min {rest} s"


def print_addresses(pages: Mapping[str, str], console: Console) -> None:
    """Print the addresses of pages, one a line."""
    for what, address in pages.items():
        console.print(f"{what + ':':<13} {address}", markup=False, soft_wrap=True)


def logins(ports: Mapping[str, int], settings: Mapping[str, str]) -> list[dict[str, str]]:
    """Return every address, login and secret. No other function returns secrets; never log it."""
    console = f"http://127.0.0.1:{ports['console.http']}"
    airflow = f"http://127.0.0.1:{ports['airflow_api.http']}"
    grafana = f"http://127.0.0.1:{ports['grafana.http']}"
    superset = f"http://127.0.0.1:{ports['superset.http']}"
    thrift = f"127.0.0.1:{ports['thrift_server.thrift']}"
    rows = [
        ("console", console, "analyst", "CONSOLE_ANALYST_PASSWORD"),
        ("console", console, "lead", "CONSOLE_LEAD_PASSWORD"),
        ("console", console, "admin", "CONSOLE_ADMIN_PASSWORD"),
        ("Airflow", airflow, "admin", "AIRFLOW_ADMIN_PASSWORD"),
        ("Airflow", airflow, "operator", "AIRFLOW_OPERATOR_PASSWORD"),
        ("Airflow", airflow, "viewer", "AIRFLOW_VIEWER_PASSWORD"),
        ("ingest API", f"http://127.0.0.1:{ports['ingest.http']}", "(API key)", "INGEST_API_KEY"),
        ("shop API", f"http://127.0.0.1:{ports['shop.http']}", "(API key)", "SHOP_API_KEY"),
        ("Kafka", f"127.0.0.1:{ports['kafka.broker']}", "admin", "KAFKA_ADMIN_PASSWORD"),
        (
            "Cassandra",
            f"127.0.0.1:{ports['cassandra.cql']}",
            "fraudwatch_admin",
            "CASSANDRA_ADMIN_PASSWORD",
        ),
        *(("Thrift Server", thrift, login, name) for login, name in LOGINS.items()),
        *(("Grafana", grafana, login, name) for login, name in GRAFANA_LOGINS.items()),
        *(("Superset", superset, login, name) for login, name in SUPERSET_LOGINS.items()),
    ]
    return [
        {
            "what": what,
            "where": where,
            "login": login,
            "secret": settings[name],
            "variable": name,
            "note": FIRST_PASSWORD if what == "console" else "",
        }
        for what, where, login, name in rows
    ]


def print_logins(rows: Iterable[Mapping[str, str]], home: Home) -> None:
    """Print `creds`, one unwrapped line each, so that a secret can be copied whole."""
    for row in rows:
        line = f"{row['what']:<13} {row['where']:<24} {row['login']:<17} {row['secret']}"
        results.print(line, markup=False, highlight=False, soft_wrap=True)
    results.print(
        "The console's passwords are the first ones and may have been changed since; set a new one "
        "with ./fraudwatch accounts reset-password LOGIN",
        markup=False,
        soft_wrap=True,
    )
    results.print(f"All secrets and settings: {home.env_file}", markup=False, soft_wrap=True)
