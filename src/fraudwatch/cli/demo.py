"""`demo`: from nothing to live alerts, with every step told."""

from __future__ import annotations

import re
import time
from collections.abc import Mapping
from typing import Any

from fraudwatch.cli import output
from fraudwatch.cli.alert_tail import newest_alerts, sentence_of
from fraudwatch.domain.models.fitted import VERSION_LENGTH
from fraudwatch.stack import env_file
from fraudwatch.stack.catalogue import Catalogue
from fraudwatch.stack.place import Place, Unusable
from fraudwatch.stack.state import DEFAULT_PROFILE

CATCH_UP_SECONDS = 900
LIVE_SECONDS = 30
POLL_SECONDS = 2.0


def run(place: Place, catalogue: Catalogue) -> None:
    """Install, start, wait for the history, show what arrives live."""
    from fraudwatch.cli.bootstrap_model import train_first_champion
    from fraudwatch.cli.dags import opened_airflow
    from fraudwatch.cli.model import fit_forest, in_use
    from fraudwatch.stack import runner

    output.say("1/5  installing and starting (the first time downloads about 1 GB) ...")
    runner.up(place, catalogue, DEFAULT_PROFILE, output.say)
    settings = env_file.ensure(place)
    offset = env_file.port_offset(settings)
    ingest = f"http://127.0.0.1:{catalogue.port('ingest', 'http', offset)}"
    output.say("2/5  the shop's history is being judged ...")
    watch_catch_up(f"{ingest}/v1/status", settings["INGEST_API_KEY"])
    watch_judging(f"http://127.0.0.1:{catalogue.port('detector', 'metrics', offset)}/metrics")
    output.say("3/5  a model of what is usual is fitted on it ...")
    output.say(f"     {fit_forest(place, catalogue)}")
    output.say(f"4/5  the newest alerts (UTC), then {LIVE_SECONDS} seconds of live ones:")
    broker = f"127.0.0.1:{catalogue.port('kafka', 'broker', offset)}"
    for verdict in newest_alerts(broker, settings["KAFKA_ADMIN_PASSWORD"], LIVE_SECONDS):
        output.say(f"     {sentence_of(verdict)}")
    _print_next(catalogue.port("console", "http", offset))
    output.say("5/5  a model with labels is trained on the history; all else goes on meanwhile ...")
    with opened_airflow() as airflow:
        train_first_champion(airflow, lambda line: output.say(f"     {line}"))
    champion = in_use(place, catalogue)
    output.say(
        f"     model {champion[:VERSION_LENGTH]} is in use; ./fraudwatch model ls tells of it"
        if champion
        else "     none is in use yet; the stream judges by rules and by what is usual"
    )


def watch_catch_up(url: str, api_key: str) -> None:
    """Tell how far ingest is until it has caught up with the shop's feed."""
    deadline, told = time.monotonic() + CATCH_UP_SECONDS, ""
    while time.monotonic() < deadline:
        found = _status(url, api_key)
        if (sentence := _progress_of(found)) != told:
            told = sentence
            output.say(f"     {told}")
        if found and found["caught_up"]:
            return
        time.sleep(POLL_SECONDS)
    raise Unusable(
        f"ingest has not caught up after {CATCH_UP_SECONDS} s; see ./fraudwatch logs ingest"
    )


def watch_judging(url: str) -> None:
    """Wait until the detector has judged everything that was there when this was called."""
    import httpx

    present, deadline = time.time(), time.monotonic() + CATCH_UP_SECONDS
    while time.monotonic() < deadline:
        try:
            page = httpx.get(url, timeout=POLL_SECONDS, trust_env=False).text
        except httpx.HTTPError:
            page = ""  # being started again; its readiness was checked before
        found = re.search(r"^fraudwatch_detector_judged_until_seconds (\S+)$", page, re.MULTILINE)
        if found and float(found[1]) >= present:
            output.say("     all of it is judged")
            return
        time.sleep(POLL_SECONDS)
    raise Unusable(
        f"the detector has not caught up after {CATCH_UP_SECONDS} s; see ./fraudwatch logs detector"
    )


def _progress_of(found: Mapping[str, Any] | None) -> str:
    if found is None:
        return "ingest does not answer yet"
    return (
        f"{found['feed_sequence']} of {found['feed_head_sequence']} purchases read, "
        f"{found['put_aside']} of them put aside"
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
        "What runs:    ./fraudwatch status\n"
        "Logs:         ./fraudwatch logs detector --follow\n"
        "Stop:         ./fraudwatch down",
        markup=False,
    )
