"""``fraudwatch dags``: list, trigger, watch, pause and unpause Airflow's DAGs."""

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
from fraudwatch.stack.home import Home, StackError

if TYPE_CHECKING:
    from fraudwatch.adapters.edge.airflow_api import AirflowApi, AirflowEndpoint

FAILED = 1
SHOWN_RUNS = 20
LOGIN = "operator"

app = typer.Typer(
    help="List, trigger, watch and pause the DAGs of the batch half in Airflow.",
    no_args_is_help=True,
)
Json = Annotated[bool, typer.Option("--json", help="Print exactly one JSON object.")]
Name = Annotated[str, typer.Argument(metavar="NAME", help="DAG name as shown by ls.")]


@app.command("ls", epilog="Example: ./fraudwatch dags ls --json")
def list_dags(as_json: Json = False) -> None:  # noqa: FBT002  an option
    """List the DAGs with their schedules."""
    with open_airflow() as airflow:
        found = airflow.dags()
    if as_json:
        output.print_json({"dags": [asdict(dag) for dag in found]})
        return
    for dag in found:
        state = "paused" if dag.is_paused else "on"
        _print(f"{dag.name:<22} {state:<7} {dag.schedule:<24} {dag.description}")
    if not found:
        output.notify("there is no DAG yet; Airflow reads dags/ every 30 s")


@app.command(
    epilog="Example: ./fraudwatch dags trigger ingest_transactions "
    """--conf '{"day": "2026-11-20"}' --wait"""
)
def trigger(
    name: Name,
    conf: Annotated[str, typer.Option(metavar="JSON", help="Parameters of the run.")] = "{}",
    wait: Annotated[bool, typer.Option(help="Wait for its end; exit code 1 if it failed.")] = False,  # noqa: FBT002
    as_json: Json = False,  # noqa: FBT002  an option
) -> None:
    """Start a run, with the parameters of its form in Airflow."""
    from fraudwatch.cli import dag_runs

    values = _parsed(conf)
    with open_airflow() as airflow:
        if airflow.dag(name).is_paused:
            raise StackError(
                f"{name} is paused, so no run would start; run ./fraudwatch dags unpause {name}, "
                "then try again"
            )
        run = airflow.trigger(name, values)
        page = airflow.page_of(name, run.run_id)
        output.notify(f"{name} {run.state}: {page}")
        report = dag_runs.report_of(run, page)
        if wait:
            report = dag_runs.Watch(airflow, run, page, output.notify).until_ended()
    if as_json:
        output.print_json(report)
    if report["state"] == "failed":
        raise typer.Exit(FAILED)


@app.command(epilog="Example: ./fraudwatch dags runs build_reports --limit 5")
def runs(
    name: Name,
    limit: Annotated[int, typer.Option(min=1, max=100, help="Number of runs.")] = SHOWN_RUNS,
    as_json: Json = False,  # noqa: FBT002  an option
) -> None:
    """List the newest runs of a DAG, newest first."""
    with open_airflow() as airflow:
        airflow.dag(name)
        found = airflow.runs(name, limit)
    if as_json:
        output.print_json({"runs": [asdict(run) for run in found]})
        return
    for run in found:
        took = "" if run.seconds is None else f"{run.seconds:.1f} s"
        _print(f"{run.state:<8} {took:>10}  {run.started_at or 'not started':<28} {run.run_id}")
    if not found:
        output.notify(f"{name} has no run yet")


@app.command(epilog="Example: ./fraudwatch dags pause archive_topics")
def pause(name: Name) -> None:
    """Pause a DAG: no new run starts; a running one continues."""
    _switch(name, is_paused=True)


@app.command(epilog="Example: ./fraudwatch dags unpause archive_topics")
def unpause(name: Name) -> None:
    """Unpause a DAG: runs start again by schedule, by events and by hand."""
    _switch(name, is_paused=False)


def _switch(name: str, *, is_paused: bool) -> None:
    with open_airflow() as airflow:
        airflow.dag(name)
        found = airflow.pause(name, is_paused=is_paused)
    _print(f"{found.name} is {'paused' if found.is_paused else 'on'}")


@contextmanager
def open_airflow() -> Iterator[AirflowApi]:
    """Open this home's Airflow API.

    Raises:
        StackError: Airflow does not answer.
        BadParameter: Airflow refuses the request.
    """
    from fraudwatch.adapters.edge.airflow_api import AirflowApi, AirflowRefused, AirflowUnreachable

    try:
        with AirflowApi(_endpoint(Home.from_environment())) as airflow:
            yield airflow
    except AirflowUnreachable as error:
        raise StackError(str(error)) from error
    except AirflowRefused as error:
        raise typer.BadParameter(str(error)) from error
    except KeyboardInterrupt:
        raise StackError("interrupted; a run that was started continues in Airflow") from None


def _endpoint(home: Home) -> AirflowEndpoint:
    from fraudwatch.adapters.edge.airflow_api import AirflowEndpoint

    values = env_file.read(home) or {}
    variable = f"AIRFLOW_{LOGIN.upper()}_PASSWORD"
    if variable not in values:
        raise StackError(
            f"{home.env_file} has no login for Airflow, so it was never started here; start it "
            "with ./fraudwatch up --profile lake"
        )
    port = catalogues.load().port("airflow_api", "http", env_file.port_offset(values))
    return AirflowEndpoint(f"http://127.0.0.1:{port}", LOGIN, values[variable])


def _parsed(conf: str) -> dict[str, Any]:
    try:
        values = json.loads(conf)
    except ValueError as error:
        raise typer.BadParameter(f"--conf is not valid JSON: {error}") from error
    if not isinstance(values, dict):
        raise typer.BadParameter("""--conf must be one JSON object, as in {"day": "2026-11-20"}""")
    return values


def _print(line: str) -> None:
    sys.stdout.write(f"{line.rstrip()}\n")
