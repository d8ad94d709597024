"""``fraudwatch demo``: install, start, score a history, show live alerts, train a first model."""

from __future__ import annotations

import re
import time
from collections.abc import Mapping
from typing import Any

from fraudwatch.cli import output
from fraudwatch.cli.alert_tail import alert_line, newest_alerts
from fraudwatch.domain.models.fitted import VERSION_LENGTH
from fraudwatch.stack import env_file
from fraudwatch.stack.catalogue import Catalogue
from fraudwatch.stack.home import Home, StackError
from fraudwatch.stack.state import DEFAULT_PROFILE

CATCH_UP_SECONDS = 900
LIVE_SECONDS = 30
POLL_SECONDS = 2.0


def run(home: Home, catalogue: Catalogue) -> None:
    """Run the demo and print every step."""
    from fraudwatch.cli.bootstrap_model import train_first_champion
    from fraudwatch.cli.dags import open_airflow
    from fraudwatch.cli.dlq_session import endpoints
    from fraudwatch.cli.model import active_model, fit_forest
    from fraudwatch.stack import runner, system_packages

    output.notify("1/5  installing and starting (the first time downloads about 1 GB) ...")
    system_packages.ensure(system_packages.MONITORING, output.notify)
    runner.up(home, catalogue, DEFAULT_PROFILE, output.notify)
    settings = env_file.ensure(home)
    offset = env_file.port_offset(settings)
    ingest = f"http://127.0.0.1:{catalogue.port('ingest', 'http', offset)}"
    output.notify("2/5  the shop's history is being scored ...")
    wait_for_ingest(f"{ingest}/v1/status", settings["INGEST_API_KEY"])
    wait_for_scoring(f"http://127.0.0.1:{catalogue.port('detector', 'metrics', offset)}/metrics")
    output.notify("3/5  an isolation forest is fitted on it ...")
    output.notify(f"     {fit_forest(home, catalogue)}")
    output.notify(f"4/5  the newest alerts (UTC), then {LIVE_SECONDS} seconds of live ones:")
    kafka, _ = endpoints(home)
    for verdict in newest_alerts(kafka, LIVE_SECONDS):
        output.notify(f"     {alert_line(verdict)}")
    _print_next(catalogue.port("console", "http", offset))
    output.notify("5/5  a classifier is trained on the history; everything else keeps running ...")
    with open_airflow() as airflow:
        train_first_champion(airflow, lambda line: output.notify(f"     {line}"))
    champion = active_model(home, catalogue)
    output.notify(
        f"     model {champion[:VERSION_LENGTH]} is active; see ./fraudwatch model ls"
        if champion
        else "     no classifier is active yet; rules and the isolation forest score the stream"
    )


def wait_for_ingest(url: str, api_key: str) -> None:
    """Wait until ingest has caught up with the shop's feed, and print its progress."""
    deadline, shown = time.monotonic() + CATCH_UP_SECONDS, ""
    while time.monotonic() < deadline:
        found = _status(url, api_key)
        if (progress := _progress_of(found)) != shown:
            shown = progress
            output.notify(f"     {shown}")
        if found and found["caught_up"]:
            return
        time.sleep(POLL_SECONDS)
    raise StackError(
        f"ingest has not caught up after {CATCH_UP_SECONDS} s; see ./fraudwatch logs ingest"
    )


def wait_for_scoring(url: str) -> None:
    """Wait until the detector has scored everything that arrived before this call."""
    import httpx

    present, deadline = time.time(), time.monotonic() + CATCH_UP_SECONDS
    while time.monotonic() < deadline:
        try:
            page = httpx.get(url, timeout=POLL_SECONDS, trust_env=False).text
        except httpx.HTTPError:
            page = ""  # it restarts; it was ready before
        found = re.search(r"^fraudwatch_detector_judged_until_seconds (\S+)$", page, re.MULTILINE)
        if found and float(found[1]) >= present:
            output.notify("     the whole history is scored")
            return
        time.sleep(POLL_SECONDS)
    raise StackError(
        f"the detector has not caught up after {CATCH_UP_SECONDS} s; see ./fraudwatch logs detector"
    )


def _progress_of(found: Mapping[str, Any] | None) -> str:
    if found is None:
        return "ingest does not answer yet"
    return (
        f"{found['feed_sequence']} of {found['feed_head_sequence']} purchases read, "
        f"{found['put_aside']} of them dead-lettered"
    )


def _status(url: str, api_key: str) -> Mapping[str, Any] | None:
    import httpx

    try:
        answer = httpx.get(
            url,
            headers={"Authorization": f"Bearer {api_key}"},
            timeout=POLL_SECONDS,
            trust_env=False,
        )
        answer.raise_for_status()
    except httpx.HTTPError:
        return None
    return dict(answer.json())


def _print_next(console_port: int) -> None:
    output.results.print(
        f"\nConsole:      http://127.0.0.1:{console_port}   (login: ./fraudwatch creds)\n"
        "Services:     ./fraudwatch status\n"
        "Logs:         ./fraudwatch logs detector --follow\n"
        "Stop:         ./fraudwatch down",
        markup=False,
    )
