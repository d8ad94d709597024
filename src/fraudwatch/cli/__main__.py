"""Command line of Fraudwatch: each command reads its home, calls the stack and prints."""

from __future__ import annotations

import importlib
import sys
from dataclasses import asdict
from importlib.metadata import version
from typing import Annotated

import typer

from fraudwatch.cli import (
    accounts,
    addresses,
    dags,
    dead_letters,
    entry_point,
    external_commands,
    keys,
    model,
    output,
    policy,
    webhooks,
)
from fraudwatch.cli.entry_point import FAILED
from fraudwatch.cli.late_commands import LOADED_LATE
from fraudwatch.stack import catalogue as catalogues
from fraudwatch.stack.home import Home, StackError
from fraudwatch.stack.state import DEFAULT_PROFILE, profile_of, status

app = typer.Typer(
    name="fraudwatch",
    help="Real-time fraud detection with Kafka, Spark, Cassandra, Hive and Airflow, "
    "on this machine and without Docker.\n\n"
    "Start here: ./fraudwatch demo",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    add_completion=False,
)
app.add_typer(accounts.app, name="accounts")
app.add_typer(dags.app, name="dags")
app.add_typer(dead_letters.app, name="dead-letters")
app.add_typer(keys.app, name="keys")
app.add_typer(model.app, name="model")
app.add_typer(policy.app, name="policy")
app.add_typer(webhooks.app, name="webhooks")
Json = Annotated[bool, typer.Option("--json", help="Print exactly one JSON object.")]
Profile = Annotated[str, typer.Option(help="Which services: speed, lake, batch or engines.")]


def _print_version(requested: bool) -> None:  # noqa: FBT001  typer's way
    if requested:
        sys.stdout.write(f"fraudwatch {version('fraudwatch')}\n")
        raise typer.Exit


@app.callback()
def common(
    _version: Annotated[  # noqa: FBT002  an option
        bool,
        typer.Option("--version", callback=_print_version, is_eager=True, help="Show the version."),
    ] = False,
) -> None:
    """Options before every command."""


@app.command(epilog="Example: ./fraudwatch up --profile speed   (the streaming half only)")
def up(profile: Profile = DEFAULT_PROFILE, as_json: Json = False) -> None:  # noqa: FBT002  an option
    """Install what is missing and start all services; returns when every service is ready."""
    from fraudwatch.stack import runner

    report = runner.up(Home.from_environment(), catalogues.load(), profile, output.notify)
    if as_json:
        output.print_json(asdict(report))
    elif report.already_running:
        output.notify(f"{profile} is already running; nothing to do")
    else:
        output.notify(
            f"{profile} is ready after {report.seconds} s, {report.install_seconds} s of them to "
            "check and install"
        )
    if not as_json:
        output.print_addresses(
            addresses.pages(Home.from_environment(), catalogues.load()), output.progress
        )


@app.command(epilog="Example: ./fraudwatch down")
def down(as_json: Json = False) -> None:  # noqa: FBT002  an option
    """Stop all services; data is kept."""
    from fraudwatch.stack import runner

    strays = runner.down(Home.from_environment(), catalogues.load(), output.notify)
    if as_json:
        output.print_json({"strays_killed": strays})
    else:
        output.notify("stopped" + (f"; {strays} stray processes were killed" if strays else ""))


@app.command("status", epilog="Example: ./fraudwatch status --json")
def show_status(as_json: Json = False) -> None:  # noqa: FBT002  an option
    """Show every service's state and readiness; exit code 1 unless all are ready."""
    from fraudwatch.stack.system_programs import missing_lines

    home, catalogue = Home.from_environment(), catalogues.load()
    states = status(home, catalogue)
    for line in missing_lines(catalogue, profile_of(home)):
        output.notify(line)
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

    home, known = Home.from_environment(), [*catalogues.load().services, "supervisord"]
    if name not in known:
        raise typer.BadParameter(f"no service {name!r}; there are {', '.join(known)}")
    path = supervisor.log_of(home, name)
    if not path.exists():
        raise StackError(f"{name} has no log in {home.folder} yet; start it with ./fraudwatch up")
    for line in waiting.last_lines(home, name, lines):
        sys.stdout.write(f"{line}\n")
    for line in log_tail.follow(path) if follow else ():
        sys.stdout.write(f"{line}\n")
        sys.stdout.flush()


@app.command(epilog="Example: ./fraudwatch doctor")
def doctor(as_json: Json = False) -> None:  # noqa: FBT002  an option
    """Check what a start needs, and all running services; exit code 1 if a check fails."""
    from fraudwatch.cli import checks

    found = checks.examine(Home.from_environment(), catalogues.load(), output.notify)
    ok = all(check.ok for check in found)
    if as_json:
        output.print_json({"ok": ok, "checks": [asdict(check) for check in found]})
    else:
        for check in found:
            line = f"{'ok    ' if check.ok else 'BROKEN'}  {check.name}: {check.found}"
            output.results.print(
                line if check.ok else f"{line}; fix: {check.cure}", markup=False, soft_wrap=True
            )
    if not ok:
        raise typer.Exit(FAILED)


@app.command(epilog="Example: ./fraudwatch creds")
def creds(as_json: Json = False) -> None:  # noqa: FBT002  an option
    """Show all addresses, logins and passwords. No other command shows stored secrets."""
    from fraudwatch.stack import env_file

    home, catalogue = Home.from_environment(), catalogues.load()
    home.make_folders()
    settings = env_file.ensure(home)
    values = catalogue.port_values(env_file.port_offset(settings))
    ports = {key.removeprefix("port."): int(port) for key, port in values.items()}
    pages = addresses.pages(home, catalogue)
    rows = output.logins(ports, settings)
    if "Grafana" not in pages:
        rows = [row for row in rows if row["what"] != "Grafana"]
    if as_json:
        document = {"logins": rows, "pages": pages, "env_file": str(home.env_file)}
        output.print_json(document)
    else:
        output.print_addresses(pages, output.results)
        output.print_logins(rows, home)


external_commands.add_to(app)


def _load(word: str) -> None:
    name, example, is_hidden = LOADED_LATE[word]
    command = getattr(importlib.import_module(f"fraudwatch.cli.{name}"), name)
    if isinstance(command, typer.Typer):
        app.add_typer(command, name=word, epilog=example)
    else:
        app.command(word, epilog=example, hidden=is_hidden)(command)


def main() -> None:
    """Load the command that is called, and run it."""
    for word in LOADED_LATE:
        if sys.argv[1:2] in ([], ["--help"], [word]):
            _load(word)
    entry_point.run(app, "fraudwatch")


if __name__ == "__main__":
    main()
