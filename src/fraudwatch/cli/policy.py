"""``fraudwatch policy``: show, compare, roll back the live policy, and change its lists."""

from __future__ import annotations

import enum
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict
from datetime import UTC, datetime
from typing import Annotated

import typer

from fraudwatch.cli import output
from fraudwatch.cli.policy_session import PolicySession, open_policy

FAILED = 2
DAY = "%Y-%m-%d"

app = typer.Typer(
    help="Show and change the live policy and its lists. A change made here is live at once and is "
    "audited as without a second person; the console's Rules page has drafts and backtests.",
    no_args_is_help=True,
)
lists_app = typer.Typer(help="Show and change the deny list and the allow list.")
app.add_typer(lists_app, name="lists")
Json = Annotated[bool, typer.Option("--json", help="Print exactly one JSON object.")]
Reason = Annotated[str, typer.Option(help="Why, for the audit log: 10 characters at least.")]
Version = Annotated[str, typer.Argument(metavar="VERSION", help="As shown by history.")]


class _Name(enum.StrEnum):
    DENY = "deny"
    ALLOW = "allow"


class _Kind(enum.StrEnum):
    CUSTOMER = "customer"
    CARD = "card"
    DEVICE = "device"
    NETWORK = "network"
    MERCHANT = "merchant"
    COUNTRY = "country"


@app.command(epilog="Example: ./fraudwatch policy show")
def show(as_json: Json = False) -> None:  # noqa: FBT002  an option
    """Show the live policy in words."""
    with _session() as session:
        version, sentences = session.in_words()
    if as_json:
        parts = [{"title": title, "text": text} for title, text in sentences]
        output.print_json({"version": version, "policy": parts})
        return
    _print(version)
    for title, text in sentences:
        _print(f"{title}: {text}")


@app.command(epilog="Example: ./fraudwatch policy history")
def history(as_json: Json = False) -> None:  # noqa: FBT002  an option
    """List every version that was live, newest first."""
    with _session() as session:
        found = session.history()
    rows = [asdict(one) for one in found]
    if as_json:
        output.print_json({"versions": rows})
        return
    for one in found:
        at = datetime.fromtimestamp(one.at_ms / 1000, UTC).strftime("%Y-%m-%d %H:%M")
        _print(f"{at}  {one.version:<36} {one.origin:<15} {one.promoted_by:<12} {one.reason}")


@app.command(epilog="Example: ./fraudwatch policy diff --default")
def diff(
    version: Annotated[
        str | None, typer.Argument(metavar="VERSION", help="A version of history.")
    ] = None,
    default: Annotated[bool, typer.Option(help="Compare with the shipped default.")] = False,  # noqa: FBT002
    as_json: Json = False,  # noqa: FBT002  an option
) -> None:
    """Compare the live policy with another version, or with the default that is shipped."""
    if (version is None) != default:
        raise typer.BadParameter("give either a VERSION or --default")
    with _session() as session:
        text = session.diff(session.shipped() if default else session.version(version or ""))
    if as_json:
        output.print_json({"diff": text})
    else:
        _print(text or "no difference")


@app.command(epilog="Example: ./fraudwatch policy rollback VERSION --reason 'missed an attack'")
def rollback(version: Version, reason: Reason, as_json: Json = False) -> None:  # noqa: FBT002
    """Roll back to an earlier version, audited as without a second person."""
    with _session() as session:
        live = session.change(session.version(version), reason)
    _print_live(live, as_json=as_json)


@app.command(epilog="Example: ./fraudwatch policy take-default --reason 'new rules of 1.4'")
def take_default(reason: Reason, as_json: Json = False) -> None:  # noqa: FBT002  an option
    """Make the shipped default the live policy; the lists stay."""
    with _session() as session:
        live = session.change(session.shipped(), reason)
    _print_live(live, as_json=as_json)


@lists_app.command("ls", epilog="Example: ./fraudwatch policy lists ls --json")
def list_entries(as_json: Json = False) -> None:  # noqa: FBT002  an option
    """List the entries of both lists."""
    with _session() as session:
        rows = session.entries()
    if as_json:
        output.print_json({"entries": rows})
        return
    for row in rows:
        until = row.get("expires_at", "for ever")
        _print(
            f"{row['list']:<6} {row['kind']:<9} {row['value']:<38} {until:<21} {row['by']:<12} "
            f"{row['reason']}"
        )


@lists_app.command(
    epilog="Example: ./fraudwatch policy lists add deny merchant m-17 --until 2026-12-31 "
    "--reason 'three chargebacks'"
)
def add(
    name: _Name,
    kind: _Kind,
    value: Annotated[str, typer.Argument(help="A token, a merchant's id or a country code.")],
    reason: Reason,
    until: Annotated[
        datetime | None,
        typer.Option(formats=[DAY], metavar="YYYY-MM-DD", help="Purchases before this day, UTC."),
    ] = None,
    as_json: Json = False,  # noqa: FBT002  an option
) -> None:
    """Add an entry to a list, or renew one; the detector uses it from its next micro-batch on."""
    with _session() as session:
        expires = None if until is None else until.replace(tzinfo=UTC)
        live = session.add((name.value, kind.value, value), reason, expires)
    _print_live(live, as_json=as_json)


@lists_app.command(
    epilog="Example: ./fraudwatch policy lists remove deny merchant m-17 --reason 'it was cleared'"
)
def remove(
    name: _Name,
    kind: _Kind,
    value: str,
    reason: Reason,
    as_json: Json = False,  # noqa: FBT002  an option
) -> None:
    """Remove an entry from a list."""
    with _session() as session:
        live = session.remove((name.value, kind.value, value), reason)
    _print_live(live, as_json=as_json)


@contextmanager
def _session() -> Iterator[PolicySession]:
    from fraudwatch.application.policy.versions import PolicyRefused
    from fraudwatch.domain.policy.policy import BrokenPolicy

    try:
        with open_policy() as session:
            yield session
    except (PolicyRefused, BrokenPolicy) as error:
        output.notify(str(error))
        raise typer.Exit(FAILED) from error


def _print_live(version: str, *, as_json: bool) -> None:
    if as_json:
        output.print_json({"version": version})
    else:
        output.notify(f"{version} is live; the detector uses it from its next micro-batch on")


def _print(line: str) -> None:
    output.results.print(line.rstrip(), markup=False, highlight=False, soft_wrap=True)
