"""``fraudwatch demo``: show live alerts as soon as the stream is up, the lake starting behind it.

The first classifier is trained once the lake and Airflow are ready. A second run keeps what there
is: it shows alerts at once, and trains only if no classifier is active.
"""

from __future__ import annotations

import re
import threading
import time
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from itertools import islice
from typing import Annotated, Any

import typer

from fraudwatch.cli import addresses, output
from fraudwatch.cli.alert_tail import alert_line, newest_alerts
from fraudwatch.cli.background_start import BackgroundStart, Milestone, up_command
from fraudwatch.cli.step_times import StepTimes
from fraudwatch.domain.models.fitted import VERSION_LENGTH
from fraudwatch.settings import KafkaSettings
from fraudwatch.stack import catalogue as catalogues
from fraudwatch.stack import env_file
from fraudwatch.stack.catalogue import Catalogue
from fraudwatch.stack.home import Home, StackError
from fraudwatch.stack.start_order import vital_services
from fraudwatch.stack.state import DEFAULT_PROFILE
from fraudwatch.stack.system_programs import runnable_profile

CATCH_UP_SECONDS = 900
FIRST_ALERTS, FIRST_ALERT_SECONDS = 5, 120
LIVE_SECONDS = 30
POLL_SECONDS = 2.0
# What `demo` waits for before it shows alerts: verdicts, their rows, and the page that shows them.
SHOWN_FIRST = ("console",)
# Parts of the platform, by their services, in the order in which they are listed.
PARTS = {
    "lake": ("lake_setup",),
    "Airflow": ("airflow_scheduler", "airflow_dag_processor", "airflow_triggerer"),
    "monitoring": ("prometheus", "alertmanager", "grafana_setup"),
    "Superset": ("superset",),
}
TRAINING_NEEDS = ("lake", "Airflow")


@dataclass(kw_only=True)
class DemoReport:
    """Result of `demo`."""

    seconds: dict[str, float] = field(default_factory=dict)
    """By step, from the start of the command."""
    champion: str | None = None


def demo(
    *,
    as_json: Annotated[bool, typer.Option("--json", help="Print exactly one JSON object.")] = False,
) -> None:
    """Install, start, score the shop's history, show live alerts and train a first model."""
    report = run(Home.from_environment(), catalogues.load())
    if as_json:
        output.print_json(asdict(report))


def run(home: Home, catalogue: Catalogue) -> DemoReport:
    """Run the demo and print every step, with the time at which it was reached."""
    from fraudwatch.cli.dlq_session import endpoints
    from fraudwatch.cli.model import fit_forest
    from fraudwatch.stack import runner, system_packages

    times = StepTimes(output.notify)
    output.notify("1/5  installing and starting the stream (the first time downloads 1 GB) ...")
    runner.up(home, catalogue, DEFAULT_PROFILE, output.notify, only=stream_services(catalogue))
    times.reached("stream ready")
    settings = env_file.ensure(home)
    console = addresses.pages(home, catalogue)["Console"]
    output.notify(f"     Console: {console}   (login: ./fraudwatch creds)")

    def plan() -> list[Milestone]:
        system_packages.ensure(system_packages.MONITORING, output.notify)
        return milestones(home, catalogue)

    rest = BackgroundStart(up_command(DEFAULT_PROFILE), plan, output.notify, times.reached)
    with rest:
        kafka, _ = endpoints(home)
        output.notify("2/5  the first alerts (UTC), while the shop's history is scored and the")
        output.notify("     lake, Airflow and monitoring are installed and started behind ...")
        for verdict in islice(newest_alerts(kafka, FIRST_ALERT_SECONDS), FIRST_ALERTS):
            if "first alert" not in times.seconds:
                times.reached("first alert")
            output.notify(f"     {alert_line(verdict)}")
        offset = env_file.port_offset(settings)
        ingest = f"http://127.0.0.1:{catalogue.port('ingest', 'http', offset)}"
        wait_for_ingest(f"{ingest}/v1/status", settings["INGEST_API_KEY"])
        detector = catalogue.port("detector", "metrics", offset)
        wait_for_scoring(f"http://127.0.0.1:{detector}/metrics")
        times.reached("history scored")
        output.notify(f"3/5  {LIVE_SECONDS} seconds of live alerts, while an isolation forest")
        output.notify("     is fitted on the history ...")
        live = threading.Thread(target=_print_live_alerts, args=(kafka,), daemon=True)
        live.start()
        output.notify(f"     {fit_forest(home, catalogue)}")
        times.reached("isolation forest active")
        live.join()
        output.notify("4/5  the lake and Airflow become ready ...")
        rest.until_reached(TRAINING_NEEDS)
        champion = _first_champion(home, times)
        rest.until_ready()
        times.reached("everything ready")
    _print_next()
    return DemoReport(seconds=times.seconds, champion=champion)


def stream_services(catalogue: Catalogue) -> tuple[str, ...]:
    """Select what live alerts and the page that shows them need."""
    return (*vital_services(catalogue, catalogue.profile(DEFAULT_PROFILE)), *SHOWN_FIRST)


def milestones(home: Home, catalogue: Catalogue) -> list[Milestone]:
    """List the parts that this machine's profile has, with what a person does with each."""
    names = set(runnable_profile(catalogue, DEFAULT_PROFILE))
    pages = addresses.pages(home, catalogue)
    hints = {
        "Airflow": f"{pages['Airflow']}, user operator, password: ./fraudwatch creds",
        "monitoring": " and ".join(
            pages[title] for title in ("Prometheus", "Grafana") if title in pages
        ),
    }
    return [
        Milestone(title, frozenset(services) & names, hints.get(title, ""))
        for title, services in PARTS.items()
        if names & set(services)
    ]


def _print_live_alerts(kafka: KafkaSettings) -> None:
    try:
        for verdict in newest_alerts(kafka, LIVE_SECONDS):
            output.notify(f"     {alert_line(verdict)}")
    except TimeoutError as error:
        output.notify(
            f"     live alerts are not shown, because Kafka does not answer ({error}); "
            "see ./fraudwatch logs kafka"
        )


def _first_champion(home: Home, times: StepTimes) -> str | None:
    """Train the first classifier unless one is active; return the active one."""
    from fraudwatch.cli.bootstrap_model import train_first_champion
    from fraudwatch.cli.dags import open_airflow
    from fraudwatch.cli.model import active_model

    if champion := active_model(home):
        output.notify(
            f"5/5  model {champion[:VERSION_LENGTH]} is active already; "
            "./fraudwatch dags trigger train_model trains another"
        )
        return champion
    output.notify("5/5  a classifier is trained on the history; everything else keeps running ...")
    with open_airflow() as airflow:
        train_first_champion(airflow, lambda line: output.notify(f"     {line}"))
    if champion := active_model(home):
        times.reached(
            "first champion", f"model {champion[:VERSION_LENGTH]}, see ./fraudwatch model ls"
        )
    else:
        output.notify(
            "     no classifier is active yet; rules and the isolation forest score the stream"
        )
    return champion


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

    from fraudwatch.stack.probes import http_client

    present, deadline = time.time(), time.monotonic() + CATCH_UP_SECONDS
    while time.monotonic() < deadline:
        try:
            page = http_client().get(url).text
        except httpx.HTTPError:
            page = ""  # it restarts; it was ready before
        found = re.search(r"^fraudwatch_detector_judged_until_seconds (\S+)$", page, re.MULTILINE)
        if found and float(found[1]) >= present:
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

    from fraudwatch.stack.probes import http_client

    try:
        answer = http_client().get(url, headers={"Authorization": f"Bearer {api_key}"})
        answer.raise_for_status()
    except httpx.HTTPError:
        return None
    return dict(answer.json())


def _print_next() -> None:
    output.notify(
        "\nAddresses, logins:  ./fraudwatch creds\n"
        "Services:           ./fraudwatch status\n"
        "Logs:               ./fraudwatch logs detector --follow\n"
        "Stop:               ./fraudwatch down"
    )
