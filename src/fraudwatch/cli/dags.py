"""``fraudwatch dags``: what Airflow's pages do with DAGs and their runs, from a terminal."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict
from typing import TYPE_CHECKING, Annotated, Any

import typer

from fraudwatch.cli import output
from fraudwatch.stack import catalogue as catalogues
from fraudwatch.stack import env_file
from fraudwatch.stack.place import Place, Unusable

if TYPE_CHECKING:
    from fraudwatch.adapters.edge.airflow_api import AirflowApi, AirflowEndpoint

FAILED = 1
SHOWN_RUNS = 20
LOGIN = "operator"

app = typer.Typer(
    help="The batch half's work: list it, start it, wait for it, see how it went.",
    no_args_is_help=True,
)
Json = Annotated[bool, typer.Option("--json", help="Print exactly one JSON object.")]
Name = Annotated[str, typer.Argument(metavar="NAME", help="A DAG, as ls shows it.")]


@app.command("ls", epilog="Example: ./fraudwatch dags ls --json")
def list_dags(as_json: Json = False) -> None:  # noqa: FBT002  an option
    """List the DAGs with their schedules."""
    with opened_airflow() as airflow:
        found = airflow.dags()
    if as_json:
        output.print_json({"dags": [asdict(dag) for dag in found]})
        return
    for dag in found:
        state = "paused" if dag.is_paused else "on"
        _print(f"{dag.name:<22} {state:<7} {dag.schedule:<24} {dag.description}")
    if not found:
        output.say("there is no DAG yet; Airflow reads dags/ every 30 s")


@app.command(
    epilog="Example: ./fraudwatch dags trigger ingest_transactions "
    """--conf '{"day": "2026-11-20"}' --wait"""
)
def trigger(
    name: Name,
    conf: Annotated[str, typer.Option(metavar="JSON", help="Values for the DAG's form.")] = "{}",
    wait: Annotated[bool, typer.Option(help="Until it ends; exit code 1 if it failed.")] = False,  # noqa: FBT002
    as_json: Json = False,  # noqa: FBT002  an option
) -> None:
    """Start a run, with the values that its form in Airflow would ask for."""
    from fraudwatch.cli import dag_runs

    values = _parsed(conf)
    with opened_airflow() as airflow:
        if airflow.dag(name).is_paused:
            raise Unusable(
                f"{name} is paused, so no run of it would start; ./fraudwatch dags unpause {name}, "
                "then again"
            )
        run = airflow.trigger(name, values)
        page = airflow.page_of(name, run.run_id)
        output.say(f"{name} {run.state}: {page}")
        report = dag_runs.report_of(run, page)
        if wait:
            report = dag_runs.Watch(airflow, run, page, output.say).until_ended()
    if as_json:
        output.print_json(report)
    if report["state"] == "failed":
        raise typer.Exit(FAILED)


@app.command(epilog="Example: ./fraudwatch dags runs build_reports --limit 5")
def runs(
    name: Name,
    limit: Annotated[int, typer.Option(min=1, max=100, help="How many.")] = SHOWN_RUNS,
    as_json: Json = False,  # noqa: FBT002  an option
) -> None:
    """List the newest runs of a DAG, newest first."""
    with opened_airflow() as airflow:
        airflow.dag(name)
        found = airflow.runs(name, limit)
    if as_json:
        output.print_json({"runs": [asdict(run) for run in found]})
        return
    for run in found:
        took = "" if run.seconds is None else f"{run.seconds:.1f} s"
        _print(f"{run.state:<8} {took:>10}  {run.started_at or 'not started':<28} {run.run_id}")
    if not found:
        output.say(f"{name} never ran")


@app.command(epilog="Example: ./fraudwatch dags pause archive_topics")
def pause(name: Name) -> None:
    """Let a DAG start nothing more; what runs goes on."""
    _switch(name, is_paused=True)


@app.command(epilog="Example: ./fraudwatch dags unpause archive_topics")
def unpause(name: Name) -> None:
    """Let a DAG start again by its schedule, by events and by hand."""
    _switch(name, is_paused=False)


def _switch(name: str, *, is_paused: bool) -> None:
    with opened_airflow() as airflow:
        airflow.dag(name)
        found = airflow.pause(name, is_paused=is_paused)
    _print(f"{found.name} is {'paused' if found.is_paused else 'on'}")


@contextmanager
def opened_airflow() -> Iterator[AirflowApi]:
    """This home's Airflow.

    Raises:
        Unusable: it does not answer.
        BadParameter: it refuses what was asked.
    """
    from fraudwatch.adapters.edge.airflow_api import AirflowApi, AirflowRefused, AirflowUnreachable

    try:
        with AirflowApi(_endpoint(Place.from_environment())) as airflow:
            yield airflow
    except AirflowUnreachable as why:
        raise Unusable(str(why)) from why
    except AirflowRefused as why:
        raise typer.BadParameter(str(why)) from why
    except KeyboardInterrupt:
        raise Unusable("interrupted; a run that was started goes on in Airflow") from None


def _endpoint(place: Place) -> AirflowEndpoint:
    from fraudwatch.adapters.edge.airflow_api import AirflowEndpoint

    values = env_file.read(place) or {}
    variable = f"AIRFLOW_{LOGIN.upper()}_PASSWORD"
    if variable not in values:
        raise Unusable(
            f"{place.env_file} holds no login for Airflow, so it was never started here; start it "
            "with ./fraudwatch up --profile lake"
        )
    port = catalogues.load().port("airflow_api", "http", env_file.port_offset(values))
    return AirflowEndpoint(f"http://127.0.0.1:{port}", LOGIN, values[variable])


def _parsed(conf: str) -> dict[str, Any]:
    try:
        values = json.loads(conf)
    except ValueError as why:
        raise typer.BadParameter(f"--conf is no JSON: {why}") from why
    if not isinstance(values, dict):
        raise typer.BadParameter("""--conf is one JSON object, as in {"day": "2026-11-20"}""")
    return values


def _print(line: str) -> None:
    sys.stdout.write(f"{line.rstrip()}\n")
