"""``fraudwatch keys``: make, list and revoke the API keys of ingest and the REST API."""

from __future__ import annotations

import getpass
import re
import socket
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Annotated, Any

import typer

from fraudwatch.cli import output
from fraudwatch.domain.api_keys import ApiKey, Scope
from fraudwatch.stack import catalogue as catalogues
from fraudwatch.stack import env_file
from fraudwatch.stack.home import Home, StackError

if TYPE_CHECKING:
    from fraudwatch.adapters.api_keys.key_file import ApiKeyFile
    from fraudwatch.application.api_keys import ApiKeys, RecordChange

app = typer.Typer(
    help="Make, list and revoke the API keys of ingest and the REST API. A change is in effect "
    "with the next request, and in the audit log before.",
    no_args_is_help=True,
)
KEY_FILE = "api_keys/keys.json"
_AUDIT_SECONDS = 5.0
_LONGEST_ACTOR = 64
Json = Annotated[bool, typer.Option("--json", help="Print exactly one JSON object.")]
Reason = Annotated[str, typer.Option(help="Why, for the audit log.")]
WithoutAudit = Annotated[
    bool,
    typer.Option("--without-audit", help="Change it although Kafka is down, without a record."),
]
_REASON = "changed on the command line"


@app.command(
    "make", epilog="Example: ./fraudwatch keys make --client till --scope ingest --source shop"
)
def make_key(  # noqa: PLR0913  the options of the command
    client: Annotated[str, typer.Option(help="Name of the program or team that gets the key.")],
    scope: Annotated[list[Scope], typer.Option(help="What the key is for; repeatable.")],
    source: Annotated[
        list[str] | None, typer.Option(help="Only for this source; repeatable. Default: all.")
    ] = None,
    rate: Annotated[
        float | None, typer.Option(help="Requests a second, and process. Default: unlimited.")
    ] = None,
    expires_days: Annotated[
        int | None, typer.Option(help="Days until it expires. Default: never.")
    ] = None,
    reason: Reason = _REASON,
    *,
    sandbox: Annotated[
        bool, typer.Option("--sandbox", help="Its purchases are judged, and never stored.")
    ] = False,
    without_audit: WithoutAudit = False,
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
    with _translated_errors():
        key, presented = _keys(reason, without_audit=without_audit).make(request)
    if as_json:
        output.print_json({"key": presented, **_row_of(key)})
        return
    output.notify(f"{client} sends this key, which is shown only once:")
    sys.stdout.write(f"{presented}\n")


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
    without_audit: WithoutAudit = False,
    as_json: Json = False,
) -> None:
    """Revoke a key for good: it is refused from the next request on."""
    with _translated_errors():
        key = _keys(reason, without_audit=without_audit).revoke(key_id)
    if as_json:
        output.print_json(_row_of(key))
    else:
        output.notify(f"{key_id} of {key.client} is revoked")


@contextmanager
def _translated_errors() -> Iterator[None]:
    from fraudwatch.adapters.api_keys.key_file import KeysUnavailable
    from fraudwatch.application.api_keys import KeyChangeRefused
    from fraudwatch.application.ports import NotDelivered

    try:
        yield
    except (KeyChangeRefused, KeysUnavailable) as error:
        raise StackError(str(error)) from error
    except NotDelivered as error:
        raise StackError(
            "the audit log does not acknowledge, so no key was changed; start the platform with "
            "./fraudwatch up, or change it with --without-audit, which leaves no record"
        ) from error


def _key_file() -> ApiKeyFile:
    from fraudwatch.adapters.api_keys.key_file import ApiKeyFile

    home = Home.from_environment()
    home.make_folders()
    return ApiKeyFile(home.folder / KEY_FILE)


def _keys(reason: str, *, without_audit: bool) -> ApiKeys:
    from fraudwatch.application.api_keys import ApiKeys

    record = _no_record if without_audit else _record_on_topic(reason)
    return ApiKeys(_key_file(), record, _now_ms)


def _no_record(_action: object, subject: str) -> None:
    output.notify(f"without a record in the audit log: {subject}")


def _record_on_topic(reason: str) -> RecordChange:
    from pydantic import SecretStr

    from fraudwatch.adapters.codecs.json_codec import encode
    from fraudwatch.adapters.kafka_log.log import KafkaTopic
    from fraudwatch.application.api_keys import audited
    from fraudwatch.application.console.audit import PublishedAudit
    from fraudwatch.settings import KafkaSettings
    from fraudwatch.topics import AUDIT_TOPIC

    settings = env_file.ensure(Home.from_environment())
    port = catalogues.load().port("kafka", "broker", env_file.port_offset(settings))
    kafka = KafkaSettings(
        bootstrap_servers=f"127.0.0.1:{port}",
        username="admin",
        password=SecretStr(settings["KAFKA_ADMIN_PASSWORD"]),
    )
    topic = KafkaTopic(kafka, AUDIT_TOPIC, timeout_seconds=_AUDIT_SECONDS)
    return audited(_operator(), reason, PublishedAudit(topic, encode), _now_ms)


def _operator() -> str:
    """Return user@machine: no login of the console, in the form of an audit record's actor."""
    name = f"{getpass.getuser()}@{socket.gethostname()}"
    return re.sub(r"[^A-Za-z0-9._@-]", "-", name)[:_LONGEST_ACTOR]


def _now_ms() -> int:
    return time.time_ns() // 1_000_000


def _row_of(key: ApiKey) -> dict[str, Any]:
    return {
        "key_id": key.key_id,
        "client": key.client,
        "state": key.state(_now_ms()),
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
