"""The command line. Each command reads where it is, calls the stack, and prints."""

from __future__ import annotations

import importlib
import sys
from dataclasses import asdict
from importlib.metadata import version
from typing import Annotated

import typer

from fraudwatch.cli import (
    accounts,
    dags,
    dead_letters,
    entry_point,
    external_commands,
    model,
    output,
)
from fraudwatch.cli.entry_point import FAILED
from fraudwatch.stack import catalogue as catalogues
from fraudwatch.stack.place import Place, Unusable
from fraudwatch.stack.state import DEFAULT_PROFILE, status

# Their engines take a while to load, so only where they are asked for.
LOADED_LATE = {
    "backtest": "Example: ./fraudwatch backtest default --from 2026-11-01 --until 2026-11-20",
    "reconcile": "Example: ./fraudwatch reconcile --date 2026-11-20 --json",
    "replay": "Example: ./fraudwatch replay purchases.csv --mapping mapping.yaml --rate 50",
    "report": "Example: ./fraudwatch report --labels purchases.csv --mapping mapping.yaml --json",
    "reports": "",
}

app = typer.Typer(
    name="fraudwatch",
    help="Fraud detection in real time, every engine real, on this machine and without Docker.\n\n"
    "Start here: ./fraudwatch demo",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    add_completion=False,
)
app.add_typer(accounts.app, name="accounts")
app.add_typer(dags.app, name="dags")
app.add_typer(dead_letters.app, name="dead-letters")
app.add_typer(model.app, name="model")
Json = Annotated[bool, typer.Option("--json", help="Print exactly one JSON object.")]
Profile = Annotated[str, typer.Option(help="Which services; see services.toml.")]


def _print_version(asked: bool) -> None:  # noqa: FBT001  typer's way
    if asked:
        sys.stdout.write(f"fraudwatch {version('fraudwatch')}\n")
        raise typer.Exit


@app.callback()
def common(
    _version: Annotated[  # noqa: FBT002  an option
        bool,
        typer.Option("--version", callback=_print_version, is_eager=True, help="Show the version."),
    ] = False,
) -> None:
    """What stands before every command."""


@app.command(epilog="Example: ./fraudwatch up --profile speed   (without the batch half)")
def up(profile: Profile = DEFAULT_PROFILE, as_json: Json = False) -> None:  # noqa: FBT002  an option
    """Install what is missing and start everything; returns when all of it is ready."""
    from fraudwatch.stack import runner

    report = runner.up(Place.from_environment(), catalogues.load(), profile, output.say)
    if as_json:
        output.print_json(asdict(report))
    elif report.already_running:
        output.say(f"{profile} is already running; nothing to do")
    else:
        output.say(f"{profile} is ready after {report.seconds} s")


@app.command(epilog="Example: ./fraudwatch down")
def down(as_json: Json = False) -> None:  # noqa: FBT002  an option
    """Stop everything; the data stays."""
    from fraudwatch.stack import runner

    strays = runner.down(Place.from_environment(), catalogues.load(), output.say)
    if as_json:
        output.print_json({"strays_killed": strays})
    else:
        output.say("stopped" + (f"; {strays} stray processes were killed" if strays else ""))


@app.command("status", epilog="Example: ./fraudwatch status --json")
def show_status(as_json: Json = False) -> None:  # noqa: FBT002  an option
    """Show what runs and whether it answers; exit code 1 unless everything is ready."""
    states = status(Place.from_environment(), catalogues.load())
    ready = all(state.ready for state in states)
    if as_json:
        output.print_json({"ready": ready, "services": [asdict(state) for state in states]})
    else:
        output.print_states(states)
    if not ready:
        raise typer.Exit(FAILED)


@app.command(epilog="Example: ./fraudwatch logs detector --follow")
def logs(
    name: Annotated[str, typer.Argument(help="A service, or supervisord.")],
    follow: Annotated[bool, typer.Option(help="Keep printing until Ctrl-C.")] = False,  # noqa: FBT002
    lines: Annotated[int, typer.Option(min=0, help="How many of the last lines.")] = 50,
) -> None:
    """Print a service's log."""
    from fraudwatch.cli import log_tail
    from fraudwatch.stack import supervisor, waiting

    place, known = Place.from_environment(), [*catalogues.load().services, "supervisord"]
    if name not in known:
        raise typer.BadParameter(f"no service {name!r}; there are {', '.join(known)}")
    path = supervisor.log_of(place, name)
    if not path.exists():
        raise Unusable(f"{name} has written nothing in {place.home} yet; start it by up")
    for line in waiting.last_lines(place, name, lines):
        sys.stdout.write(f"{line}\n")
    for line in log_tail.follow(path) if follow else ():
        sys.stdout.write(f"{line}\n")
        sys.stdout.flush()


@app.command(epilog="Example: ./fraudwatch doctor")
def doctor(as_json: Json = False) -> None:  # noqa: FBT002  an option
    """Look at everything a start needs, and at what runs; exit code 1 when something is broken."""
    from fraudwatch.cli import checks

    found = checks.examine(Place.from_environment(), catalogues.load(), output.say)
    ok = all(check.ok for check in found)
    if as_json:
        output.print_json({"ok": ok, "checks": [asdict(check) for check in found]})
    else:
        for check in found:
            line = f"{'ok    ' if check.ok else 'BROKEN'}  {check.name}: {check.found}"
            output.results.print(
                line if check.ok else f"{line}; cure: {check.cure}", markup=False, soft_wrap=True
            )
    if not ok:
        raise typer.Exit(FAILED)


@app.command(epilog="Example: ./fraudwatch creds")
def creds(as_json: Json = False) -> None:  # noqa: FBT002  an option
    """Show where to log in and with what. Secrets are shown here and nowhere else."""
    from fraudwatch.stack import env_file

    place, catalogue = Place.from_environment(), catalogues.load()
    place.make_folders()
    settings = env_file.ensure(place)
    values = catalogue.port_values(env_file.port_offset(settings))
    ports = {key.removeprefix("port."): int(port) for key, port in values.items()}
    rows = output.logins(ports, settings)
    if as_json:
        output.print_json({"logins": rows, "env_file": str(place.env_file)})
    else:
        output.print_logins(rows, place)


@app.command("demo", epilog="Example: ./fraudwatch demo")
def run_demo() -> None:
    """Install, start, let the shop's history be judged, and show live alerts."""
    from fraudwatch.cli import demo

    demo.run(Place.from_environment(), catalogues.load())


external_commands.add_to(app)


def _load(name: str, example: str) -> None:
    command = getattr(importlib.import_module(f"fraudwatch.cli.{name}"), name)
    if isinstance(command, typer.Typer):
        app.add_typer(command, name=name)
    else:
        app.command(name, epilog=example)(command)


def main() -> None:
    """Load the command that is asked for and run it."""
    for name, example in LOADED_LATE.items():
        if sys.argv[1:2] in ([], ["--help"], [name]):
            _load(name, example)
    entry_point.run(app, "fraudwatch")


if __name__ == "__main__":
    main()
