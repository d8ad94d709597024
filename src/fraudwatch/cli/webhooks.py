"""``fraudwatch webhooks``: subscriptions of clients, replay and dead letters of their events."""

from __future__ import annotations

import sys
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Annotated, Any

import typer

from fraudwatch.cli import output
from fraudwatch.cli.command_log import now_ms
from fraudwatch.cli.webhook_session import open_outbox, open_subscriptions
from fraudwatch.domain.instants import epoch_ms_of
from fraudwatch.domain.webhooks.subscription import EventKind

if TYPE_CHECKING:
    from fraudwatch.application.webhooks.ports import DeadEvent
    from fraudwatch.domain.webhooks.subscription import Subscription

app = typer.Typer(
    help="Send signed events about alerts and decisions to the programs of clients. Works on files "
    "of the home, whether the platform runs or not; the audit log receives the changes when the "
    "console runs.",
    no_args_is_help=True,
)
_MAX_DEAD = 1_000
Json = Annotated[bool, typer.Option("--json", help="Print exactly one JSON object.")]
Id = Annotated[str, typer.Argument(metavar="ID", help="Id as shown by list.")]


@app.command(
    epilog="Example: ./fraudwatch webhooks add https://shop.example/hooks --client shop "
    "--event verdict --event decision --source shop"
)
def add(
    url: Annotated[str, typer.Argument(metavar="URL", help="https, at a public address.")],
    client: Annotated[str, typer.Option(help="Name of the program or team that gets the events.")],
    event: Annotated[list[EventKind], typer.Option(help="What is sent; repeatable.")],
    source: Annotated[
        list[str] | None, typer.Option(help="Only of this source; repeatable. Default: all.")
    ] = None,
    as_json: Json = False,  # noqa: FBT002  an option
) -> None:
    """Add a subscription and print its signing secret, which is shown only once."""
    from fraudwatch.application.webhooks.subscriptions import SubscriptionRequest

    request = SubscriptionRequest(url=url, client=client, events=event, sources=source or ())
    with open_subscriptions() as (subscriptions, settings):
        allow_loopback = settings["WEBHOOKS_ALLOW_LOOPBACK"].lower() == "true"
        added = subscriptions.add(request, allow_loopback=allow_loopback)
    _print_secret(added, as_json=as_json)


@app.command("list", epilog="Example: ./fraudwatch webhooks list --json")
def list_subscriptions(as_json: Json = False) -> None:  # noqa: FBT002  an option
    """List the subscriptions with what waits for each; never their secrets."""
    with open_subscriptions() as (subscriptions, _):
        lengths = open_outbox().queue_lengths()
        rows = [
            {
                **_row_of(one),
                "waiting": lengths[one.subscription_id].waiting
                if one.subscription_id in lengths
                else 0,
            }
            for one in subscriptions.store.current().values()
        ]
    if as_json:
        output.print_json({"subscriptions": rows})
        return
    for row in rows:
        sys.stdout.write(
            f"{row['subscription_id']:<10} {row['client']:<20} {','.join(row['events']):<17} "
            f"{','.join(row['sources']) or 'all sources'} {row['waiting']} waiting {row['url']}\n"
        )


@app.command(epilog="Example: ./fraudwatch webhooks remove 5f0c9a1e")
def remove(subscription_id: Id, as_json: Json = False) -> None:  # noqa: FBT002  an option
    """Remove a subscription; the events that wait for it are deleted."""
    with open_subscriptions() as (subscriptions, _):
        removed = subscriptions.remove(subscription_id)
    if as_json:
        output.print_json(_row_of(removed))
    else:
        output.notify(f"{subscription_id} of {removed.client} is removed")


@app.command(epilog="Example: ./fraudwatch webhooks rotate 5f0c9a1e --overlap-hours 24")
def rotate(
    subscription_id: Id,
    overlap_hours: Annotated[
        int, typer.Option(help="Hours for which events are signed by both secrets.")
    ] = 24,
    as_json: Json = False,  # noqa: FBT002  an option
) -> None:
    """Give a subscription another secret and print it once."""
    with open_subscriptions() as (subscriptions, _):
        rotated = subscriptions.rotate(subscription_id, overlap_hours)
    _print_secret(rotated, as_json=as_json)


@app.command(epilog="Example: ./fraudwatch webhooks replay 5f0c9a1e --since 2026-11-30T10:00")
def replay(
    subscription_id: Id,
    since: Annotated[str, typer.Option(help="Day or time, UTC unless it has an offset.")],
    dead_only: Annotated[bool, typer.Option(help="Only events that were given up.")] = False,  # noqa: FBT002
    as_json: Json = False,  # noqa: FBT002  an option
) -> None:
    """Send the events since then again, with the same ids, those of a customer in order."""
    since_ms = _instant_ms(since)
    with open_subscriptions() as (subscriptions, _):
        subscriptions.record_replay(subscription_id)
        count = open_outbox().replay(subscription_id, since_ms, now_ms(), dead_only=dead_only)
    if as_json:
        output.print_json({"subscription_id": subscription_id, "queued": count})
    else:
        output.notify(f"{count} events are queued again for {subscription_id}")


@app.command("dead-letters", epilog="Example: ./fraudwatch webhooks dead-letters --id 5f0c9a1e")
def dead_letters(
    subscription_id: Annotated[
        str | None, typer.Option("--id", metavar="ID", help="Only of this subscription.")
    ] = None,
    as_json: Json = False,  # noqa: FBT002  an option
) -> None:
    """List up to 1,000 events that were given up, the latest first."""
    with open_subscriptions():
        rows = [_dead_row(one) for one in open_outbox().dead_events(subscription_id, _MAX_DEAD)]
    if as_json:
        output.print_json({"dead_letters": rows})
        return
    for row in rows:
        sys.stdout.write(
            f"{row['dead_at']} {row['subscription_id']:<10} {row['kind']:<9} {row['webhook_id']} "
            f"{row['transaction_id']} {row['attempts']} attempts, {row['failure']}\n"
        )


def _print_secret(subscription: Subscription, *, as_json: bool) -> None:
    secret = subscription.secrets[0].text
    if as_json:
        output.print_json({"secret": secret, **_row_of(subscription)})
        return
    output.notify(
        f"{subscription.client} checks the events of {subscription.subscription_id} with this "
        "secret, which is shown only once:"
    )
    sys.stdout.write(f"{secret}\n")


def _row_of(subscription: Subscription) -> dict[str, Any]:
    return {
        "subscription_id": subscription.subscription_id,
        "client": subscription.client,
        "url": subscription.url,
        "events": [str(event) for event in subscription.events],
        "sources": list(subscription.sources),
        "created_at": _iso(subscription.created_at_ms),
        "secrets_in_effect": len(subscription.secrets_at(now_ms())),
    }


def _dead_row(event: DeadEvent) -> dict[str, Any]:
    return {
        "subscription_id": event.subscription_id,
        "webhook_id": event.webhook_id,
        "kind": str(event.kind),
        "transaction_id": event.transaction_id,
        "attempts": event.attempts,
        "failure": event.failure,
        "added_at": _iso(event.added_at_ms),
        "dead_at": _iso(event.dead_at_ms),
    }


def _instant_ms(text: str) -> int:
    try:
        instant = datetime.fromisoformat(text)
    except ValueError as error:
        raise typer.BadParameter(
            "--since must be a day or a time, as in 2026-11-30 or 2026-11-30T10:00+01:00"
        ) from error
    return epoch_ms_of(instant if instant.tzinfo else instant.replace(tzinfo=UTC))


def _iso(at_ms: int) -> str:
    return datetime.fromtimestamp(at_ms / 1_000, UTC).isoformat(timespec="seconds")
