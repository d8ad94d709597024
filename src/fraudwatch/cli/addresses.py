"""List the addresses of the pages that a person may open, of the services that a profile has."""

from __future__ import annotations

from typing import Final

from fraudwatch.stack import env_file
from fraudwatch.stack.catalogue import Catalogue
from fraudwatch.stack.home import Home
from fraudwatch.stack.state import profile_of
from fraudwatch.stack.system_programs import runnable_profile

# Title, by service.
PAGES: Final = {
    "console": "Console",
    "airflow_api": "Airflow",
    "prometheus": "Prometheus",
    "alertmanager": "Alertmanager",
    "grafana": "Grafana",
    "superset": "Superset",
    "mailbox": "Mailbox",
}


def pages(home: Home, catalogue: Catalogue) -> dict[str, str]:
    """Return the address of each page of the home's profile, by its title."""
    names = runnable_profile(catalogue, profile_of(home))
    offset = env_file.port_offset(env_file.read(home) or {})
    return {
        title: f"http://127.0.0.1:{catalogue.port(name, 'http', offset)}"
        for name, title in PAGES.items()
        if name in names
    }
