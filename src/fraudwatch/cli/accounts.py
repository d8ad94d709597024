"""``fraudwatch accounts``: manage console accounts from the machine, also without a login."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Annotated

import typer

from fraudwatch.application.console.access import Role
from fraudwatch.application.console.account_rules import (
    Account,
    AccountRefused,
    AccountsUnavailable,
)
from fraudwatch.application.console.accounts import Accounts, Actor
from fraudwatch.cli import output
from fraudwatch.cli.command_log import OPERATOR, now_ms, recording
from fraudwatch.domain.messages.audit import AuditAction
from fraudwatch.stack import env_file
from fraudwatch.stack.home import Home, StackError

app = typer.Typer(
    help="Manage the console's accounts. Works on its file, whether the platform runs or not; the "
    "audit log receives the changes when the console runs.",
    no_args_is_help=True,
)
Json = Annotated[bool, typer.Option("--json", help="Print exactly one JSON object.")]
Login = Annotated[str, typer.Argument(metavar="LOGIN", help="Login as shown by ls.")]


@app.command("ls", epilog="Example: ./fraudwatch accounts ls --json")
def list_accounts(as_json: Json = False) -> None:  # noqa: FBT002  an option
    """List the accounts, each with its last change and who made it."""
    with _open_accounts() as (accounts, _):
        rows = [_row_of(account) for account in accounts.list_accounts()]
    if as_json:
        output.print_json({"accounts": rows})
        return
    for row in rows:
        state = "open" if row["is_open"] else "closed"
        sys.stdout.write(
            f"{row['login']:<20} {row['role']:<8} {state:<7} changed {row['changed_at']} "
            f"by {row['changed_by']}\n"
        )


@app.command(epilog="Example: ./fraudwatch accounts add lina --role lead")
def add(
    login: Annotated[str, typer.Argument(metavar="LOGIN", help="A new user name.")],
    role: Annotated[Role, typer.Option(help="What the account may do.")],
    as_json: Json = False,  # noqa: FBT002  an option
) -> None:
    """Create an account and print its password, which is shown only once."""
    with _open_accounts() as (accounts, operator):
        password = accounts.make(operator, login, role)
    _print_password(login, password, as_json=as_json)


@app.command(epilog="Example: ./fraudwatch accounts reset-password admin")
def reset_password(login: Login, as_json: Json = False) -> None:  # noqa: FBT002  an option
    """Set a new random password, print it once, and end the account's sessions."""
    with _open_accounts() as (accounts, operator):
        password = accounts.reset_password(operator, login)
    _print_password(login, password, as_json=as_json)


@app.command(epilog="Example: ./fraudwatch accounts close analyst")
def close(login: Login, as_json: Json = False) -> None:  # noqa: FBT002  an option
    """Close an account: it can no longer log in, and its sessions end within seconds."""
    with _open_accounts() as (accounts, operator):
        accounts.close(operator, login)
    _print_state(login, is_open=False, as_json=as_json)


@app.command("open", epilog="Example: ./fraudwatch accounts open analyst")
def reopen(login: Login, as_json: Json = False) -> None:  # noqa: FBT002  an option
    """Open a closed account again, with the same password."""
    with _open_accounts() as (accounts, operator):
        accounts.reopen(operator, login)
    _print_state(login, is_open=True, as_json=as_json)


@contextmanager
def _open_accounts() -> Iterator[tuple[Accounts, Actor]]:
    """Open this home's accounts, and the actor whose changes are in the audit log.

    The first accounts are created as the console creates them.

    Raises:
        StackError: a change breaks a rule, or the file cannot be used.
    """
    from fraudwatch.adapters.accounts.account_store import SqliteAccountStore
    from fraudwatch.adapters.accounts.argon2_hasher import Argon2Hasher

    home = Home.from_environment()
    home.make_folders()
    settings = env_file.ensure(home)
    try:
        accounts = Accounts(
            SqliteAccountStore(home.folder / "console"),
            Argon2Hasher(),
            now_ms,
        )
        accounts.seed({role: settings[f"CONSOLE_{role.name}_PASSWORD"] for role in Role})
        yield accounts, _operator(home)
    except (AccountRefused, AccountsUnavailable) as error:
        raise StackError(str(error)) from error


def _operator(home: Home) -> Actor:
    def record(action: AuditAction, account: str) -> None:
        with recording(home) as (log, reason):
            log.account_changed(action, OPERATOR, account, reason)

    return Actor(OPERATOR, record)


def _row_of(account: Account) -> dict[str, str | bool]:
    changed_at = datetime.fromtimestamp(account.changed_at_ms / 1_000, UTC)
    return {
        "login": account.login,
        "role": account.role.value,
        "is_open": account.is_open,
        "changed_at": changed_at.isoformat(timespec="seconds"),
        "changed_by": account.changed_by,
    }


def _print_password(login: str, password: str, *, as_json: bool) -> None:
    if as_json:
        output.print_json({"login": login, "password": password})
        return
    output.notify(f"{login} logs in with this password, which is shown only once:")
    sys.stdout.write(f"{password}\n")


def _print_state(login: str, *, is_open: bool, as_json: bool) -> None:
    if as_json:
        output.print_json({"login": login, "is_open": is_open})
    else:
        output.notify(f"{login} is {'open' if is_open else 'closed'}")
