"""``fraudwatch keys``: make, list and revoke the API keys of ingest and the REST API."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Annotated, Any

import typer

from fraudwatch.cli import output
from fraudwatch.cli.command_log import OPERATOR, now_ms, recording
from fraudwatch.domain.api_keys import ApiKey, Scope
from fraudwatch.domain.messages.audit import SHORTEST_REASON, AuditAction
from fraudwatch.stack.home import Home, StackError

if TYPE_CHECKING:
    from fraudwatch.adapters.api_keys.key_file import ApiKeyFile
    from fraudwatch.application.api_keys import ApiKeys

app = typer.Typer(
    help="Make, list and revoke the API keys of ingest and the REST API. A change is in effect "
    "with the next request; its audit record is on disk before.",
    no_args_is_help=True,
)
KEY_FILE = "api_keys/keys.json"
Json = Annotated[bool, typer.Option("--json", help="Print exactly one JSON object.")]
Reason = Annotated[str, typer.Option(help="Why, for the audit log.")]
_REASON = "a change of keys"


@app.command(
    "make", epilog="Example: ./fraudwatch keys make --client till --scope ingest --source shop"
)
def make_key(  # noqa: PLR0913  the options of the command
    client: Annotated[str, typer.Option(help="Name of the program or team that gets the key.")],
    scope: Annotated[list[Scope], typer.Option(help="What the key is for; repeatable.")],
    source: Annotated[
        list[str] | None, typer.Option(help="Only for this source; repeatable.")
    ] = None,
    rate: Annotated[
        float | None, typer.Option(help="Requests a second, and process. Default: unlimited.")
    ] = None,
    expires_days: Annotated[
        int | None, typer.Option(help="Days until it expires. Default: never.")
    ] = None,
    reason: Reason = _REASON,
    *,
    all_sources: Annotated[
        bool, typer.Option("--all-sources", help="For every source, instead of --source.")
    ] = False,
    sandbox: Annotated[
        bool, typer.Option("--sandbox", help="Its purchases are judged, and never stored.")
    ] = False,
    as_json: Json = False,
) -> None:
    """Create a key and print it. It is shown only once: the home has its hash alone."""
    from fraudwatch.application.api_keys import KeyRequest

    request = KeyRequest(
        client=client,
        scopes=scope,
        sources=source or (),
        requests_per_second=rate,
        expires_days=expires_days,
        is_sandbox=sandbox,
    )
    if not (source or all_sources) and _reports_of_a_source(scope, is_sandbox=sandbox):
        raise StackError(
            "a key without --source may report purchases and labels of every source, also under "
            "another's ids, so none was made: name its sources, or ask for --all-sources"
        )
    with _translated_errors(), _keys(reason) as keys:
        key, presented = keys.make(request)
    if as_json:
        output.print_json({"key": presented, **_row_of(key)})
        return
    output.notify(f"{client} sends this key, which is shown only once:")
    sys.stdout.write(f"{presented}\n")


def _reports_of_a_source(scopes: Iterable[Scope], *, is_sandbox: bool) -> bool:
    """Return whether a key with these scopes reports stored purchases or labels of a source."""
    return not is_sandbox and not {Scope.INGEST, Scope.LABEL}.isdisjoint(scopes)


@app.command("list", epilog="Example: ./fraudwatch keys list --json")
def list_keys(as_json: Json = False) -> None:  # noqa: FBT002  an option
    """List all keys, also expired and revoked ones; never their secrets."""
    with _translated_errors():
        rows = [_row_of(key) for key in _key_file().list_keys()]
    if as_json:
        output.print_json({"keys": rows})
        return
    for row in rows:
        rate = "" if row["requests_per_second"] is None else f" {row['requests_per_second']:g}/s"
        until = f" until {row['expires_at']}" if row["expires_at"] else ""
        sys.stdout.write(
            f"{row['key_id']:<10} {row['client']:<20} {row['state']:<8} "
            f"{','.join(row['scopes']):<18} {','.join(row['sources']) or 'all sources'}"
            f"{rate}{until}{' sandbox' if row['is_sandbox'] else ''}\n"
        )


@app.command("revoke", epilog="Example: ./fraudwatch keys revoke 5f0c9a1e")
def revoke_key(
    key_id: Annotated[str, typer.Argument(metavar="ID", help="Id as shown by list.")],
    reason: Reason = _REASON,
    *,
    as_json: Json = False,
) -> None:
    """Revoke a key for good: it is refused from the next request on."""
    with _translated_errors(), _keys(reason) as keys:
        key = keys.revoke(key_id)
    if as_json:
        output.print_json(_row_of(key))
    else:
        output.notify(f"{key_id} of {key.client} is revoked")


@contextmanager
def _translated_errors() -> Iterator[None]:
    from fraudwatch.adapters.api_keys.key_file import KeysUnavailable
    from fraudwatch.application.api_keys import KeyChangeRefused

    try:
        yield
    except (KeyChangeRefused, KeysUnavailable) as error:
        raise StackError(str(error)) from error


def _key_file() -> ApiKeyFile:
    from fraudwatch.adapters.api_keys.key_file import ApiKeyFile

    home = Home.from_environment()
    home.make_folders()
    return ApiKeyFile(home.folder / KEY_FILE)


@contextmanager
def _keys(reason: str) -> Iterator[ApiKeys]:
    from fraudwatch.application.api_keys import ApiKeys, KeyChangeRefused

    if len(reason.strip()) < SHORTEST_REASON:
        raise KeyChangeRefused(
            f"give a reason of at least {SHORTEST_REASON} characters; nothing was changed"
        )
    with recording(Home.from_environment()) as (log, by_whom):

        def record(action: AuditAction, subject: str) -> None:
            log.subject_changed(action, OPERATOR, subject, f"{reason.strip()}, {by_whom}")

        yield ApiKeys(_key_file(), record, now_ms)


def _row_of(key: ApiKey) -> dict[str, Any]:
    return {
        "key_id": key.key_id,
        "client": key.client,
        "state": key.state(now_ms()),
        "scopes": [str(scope) for scope in key.scopes],
        "sources": list(key.sources),
        "requests_per_second": key.requests_per_second,
        "created_at": _iso(key.created_at_ms),
        "expires_at": _iso(key.expires_at_ms),
        "revoked_at": _iso(key.revoked_at_ms),
        "is_sandbox": key.is_sandbox,
    }


def _iso(at_ms: int | None) -> str | None:
    if at_ms is None:
        return None
    return datetime.fromtimestamp(at_ms / 1_000, UTC).isoformat(timespec="seconds")
