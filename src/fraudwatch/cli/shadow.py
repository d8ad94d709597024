"""``fraudwatch shadow``: compare a candidate policy or model with the live one."""

from __future__ import annotations

import getpass
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from fraudwatch.cli import output
from fraudwatch.cli.command_log import OPERATOR, now_ms, recording
from fraudwatch.cli.model import REGISTRY
from fraudwatch.domain.messages.audit import AuditAction
from fraudwatch.domain.time_units import HOUR_MS
from fraudwatch.stack import catalogue as catalogues
from fraudwatch.stack import env_file
from fraudwatch.stack.foreground import run_in_foreground
from fraudwatch.stack.home import Home, StackError

if TYPE_CHECKING:
    from fraudwatch.adapters.artefacts.candidate_folder import CandidateModel
    from fraudwatch.application.shadow.comparing import ShadowReader
    from fraudwatch.domain.shadow import Comparison

USAGE_ERROR = 2
FOLDER = "candidate"
_LONGEST_SUBJECT = 200  # of an audit record; a policy's name has any length
ROLE = "console"  # may read comparisons, and write none
POLICIES = Path("contracts/policies")

shadow = typer.Typer(
    no_args_is_help=True, help="Compare a candidate policy or model with the live one."
)
Json = Annotated[bool, typer.Option("--json", help="Print exactly one JSON object.")]


@shadow.callback()
def _shadow() -> None:
    """Compare a candidate policy or model with the live one, without any effect on verdicts."""


@shadow.command(epilog="Example: ./fraudwatch shadow start --policy stricter.yaml --since-hours 24")
def start(
    policy: Annotated[
        str | None, typer.Option(help="A YAML file, or a name in contracts/policies.")
    ] = None,
    model: Annotated[
        int | None, typer.Option(metavar="VERSION", help="Version number, see model ls.")
    ] = None,
    since_hours: Annotated[
        float, typer.Option(min=0.0, max=168.0, help="Compare also verdicts of past hours.")
    ] = 0.0,
    *,
    as_json: Json = False,
) -> None:
    """Start a comparison; it replaces one that runs, whose results are kept."""
    from fraudwatch.adapters.artefacts.candidate_folder import BrokenCandidate, start_comparison

    home, at_ms = Home.from_environment(), now_ms()
    try:
        comparison = start_comparison(
            home.folder / FOLDER,
            policy=None if policy is None else _policy(home, policy),
            model=None if model is None else _model(home, model),
            models_folder=home.folder / "models",
            started_at_ms=at_ms,
            from_at_ms=at_ms - round(since_hours * HOUR_MS),
            started_by=getpass.getuser(),
            record=lambda new: _record(home, AuditAction.SHADOW_STARTED, _subject(new)),
        )
    except BrokenCandidate as error:
        output.notify(f"{error}; nothing was changed")
        raise typer.Exit(USAGE_ERROR) from error
    if as_json:
        output.print_json(asdict(comparison))
    else:
        output.notify(
            f"comparing {_named(comparison)} with the live verdicts; "
            "./fraudwatch shadow status, or the console's page Shadow"
        )


@shadow.command(epilog="Example: ./fraudwatch shadow stop")
def stop(*, as_json: Json = False) -> None:
    """Stop the comparison; its results are kept."""
    from fraudwatch.adapters.artefacts.candidate_folder import (
        BrokenCandidate,
        current_comparison,
        stop_comparison,
    )

    home = Home.from_environment()
    try:
        running = current_comparison(home.folder / FOLDER)
        subject = None if running is None else _subject(running)
    except BrokenCandidate:  # a broken manifest is what a stop must remove
        subject = "a candidate that cannot be read"
    if subject is not None:
        _record(home, AuditAction.SHADOW_STOPPED, subject)
    was_running = stop_comparison(home.folder / FOLDER)
    if as_json:
        output.print_json({"stopped": was_running})
    else:
        output.notify("stopped; its results are kept" if was_running else "nothing was compared")


@shadow.command(epilog="Example: ./fraudwatch shadow status --json")
def status(*, as_json: Json = False) -> None:
    """Show the comparison that runs, or the last one, with its numbers."""
    from fraudwatch.adapters.artefacts.candidate_folder import BrokenCandidate, current_comparison
    from fraudwatch.application.ports import StoreUnavailable
    from fraudwatch.application.shadow.summary import as_document, summarise

    home = Home.from_environment()
    try:
        running = current_comparison(home.folder / FOLDER)
        with _open_reader(home) as reader:
            shown = running or next(iter(reader.comparisons(1)), None)
            progress = None if shown is None else reader.progress(shown)
    except (BrokenCandidate, StoreUnavailable) as error:
        raise StackError(str(error)) from error
    document: dict[str, Any] = {"is_running": running is not None}
    if progress is not None:
        document |= as_document(progress, summarise(progress))
    if as_json:
        output.print_json(document)
        return
    for line in _lines(document):
        output.results.print(line, markup=False, highlight=False, soft_wrap=True)


def _lines(document: dict[str, Any]) -> Iterator[str]:
    if "comparison" not in document:
        yield "nothing was compared yet; ./fraudwatch shadow start --policy FILE"
        return
    state = "running" if document["is_running"] else "stopped"
    policy = document["policy_version"] or "live"
    yield f"{state}: policy {policy}, model {document['model_version'] or 'live'}"
    yield f"compared {document['compared']:,}, other outcome {document['different']:,}"
    for name in ("alerts", "declined"):
        yield f"{name}: live {document[name]['live']:,}, candidate {document[name]['candidate']:,}"
    for reason, purchases in document["not_compared"].items():
        yield f"not compared, {reason.replace('_', ' ')}: {purchases:,}"


def _record(home: Home, action: AuditAction, subject: str) -> None:
    """Keep the audit record of a start or stop, before it is done."""
    with recording(home) as (log, reason):
        log.subject_changed(action, OPERATOR, subject, reason)


def _subject(comparison: Comparison) -> str:
    return f"{comparison.comparison_id}: {_named(comparison)}"[:_LONGEST_SUBJECT]


def _named(comparison: Comparison) -> str:
    named = {"policy": comparison.policy_version, "model": comparison.model_version}
    return " and ".join(f"{kind} {version}" for kind, version in named.items() if version)


def _policy(home: Home, given: str) -> bytes:
    from fraudwatch.adapters.artefacts.policy_file import find_policy
    from fraudwatch.domain.policy.policy import BrokenPolicy

    try:
        return find_policy(given, home.root / POLICIES).read_bytes()
    except (BrokenPolicy, OSError) as error:
        output.notify(f"the policy cannot be used, so nothing was started: {error}")
        raise typer.Exit(USAGE_ERROR) from error


def _model(home: Home, version: int) -> CandidateModel:
    """Restore the version's artefacts to the models' folder, where they may be gone by now."""
    from fraudwatch.adapters.artefacts.candidate_folder import CandidateModel

    found = run_in_foreground(
        home, catalogues.load(), REGISTRY, ["restore", str(version)], output.notify
    ).document
    return CandidateModel(sha256=found["sha256"], calibration=found["calibration"])


@contextmanager
def _open_reader(home: Home) -> Iterator[ShadowReader]:
    from fraudwatch.adapters.store.session import close, connect
    from fraudwatch.adapters.store.shadow import CassandraShadowReader
    from fraudwatch.settings import CassandraSettings

    values = env_file.read(home) or {}
    password = values.get(f"CASSANDRA_{ROLE.upper()}_PASSWORD")
    if not password:
        raise StackError(
            f"{home.env_file} has no login for Cassandra, so no comparison can be read; start the "
            "platform first with ./fraudwatch up"
        )
    port = catalogues.load().port("cassandra", "cql", env_file.port_offset(values))
    session = connect(
        CassandraSettings.model_validate({"port": port, "username": ROLE, "password": password})
    )
    try:
        yield CassandraShadowReader(session)
    finally:
        close(session)
