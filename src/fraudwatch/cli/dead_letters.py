"""``fraudwatch dead-letters``: list, open and replay the records of the dead letter queue."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from typing import Annotated

import typer

from fraudwatch.application.dead_letters.dlq import (
    DlqRecord,
    DlqReplay,
    NotReplayable,
    ReplayState,
    newest_first,
)
from fraudwatch.cli import output
from fraudwatch.cli.dead_letter_pauses import list_paused, resume_source
from fraudwatch.cli.dlq_session import endpoints, open_dlq
from fraudwatch.cli.dlq_table import as_row, as_table, printable, result_line
from fraudwatch.domain.messages.dead_letter import Code, Stage
from fraudwatch.stack.home import Home, StackError

FAILED = 1
SHOWN_RECORDS = 50
SHOWN_BYTES = 4096

app = typer.Typer(
    help="List, open and replay messages that ingest, detector or persister could not process, "
    "and resume sources that sent too many.",
    no_args_is_help=True,
)
Json = Annotated[bool, typer.Option("--json", help="Print exactly one JSON object.")]


@app.command("ls", epilog="Example: ./fraudwatch dead-letters ls --stage ingest --limit 10")
def list_records(
    stage: Annotated[Stage | None, typer.Option(help="Only records of this process.")] = None,
    code: Annotated[Code | None, typer.Option(help="Only records with this code.")] = None,
    limit: Annotated[int, typer.Option(min=1, help="Number of newest records.")] = SHOWN_RECORDS,
    as_json: Json = False,  # noqa: FBT002  an option
) -> None:
    """List the records, newest first; copies of the same message are listed once."""
    with open_dlq() as (reader, replayed):
        found = [
            record
            for record in newest_first(reader.records())
            if stage in (None, record.stage) and code in (None, record.code)
        ]
        rows = [as_row(record, replayed) for record in found[:limit]]
    if as_json:
        counts = {"found": len(found), "unreadable": reader.unreadable}
        output.print_json({**counts, "letters": rows})
        return
    if not found:
        output.notify("no dead letter matches" if stage or code else "there are no dead letters")
    for line in as_table(rows):
        sys.stdout.write(f"{line}\n")
    if len(found) > limit:
        output.notify(f"{len(found) - limit} older records are not shown; see --limit")
    if reader.unreadable:
        output.notify(
            f"{reader.unreadable} messages on the topic are no DLQ records and were skipped"
        )


@app.command("show", epilog="Example: ./fraudwatch dead-letters show ingest:feed:90547")
def show_record(
    record_id: Annotated[str, typer.Argument(metavar="ID", help="Id as shown by ls.")],
    whole: Annotated[  # noqa: FBT002  an option
        bool,
        typer.Option("--all", help=f"The whole payload, not only its first {SHOWN_BYTES} bytes."),
    ] = False,
    as_json: Json = False,  # noqa: FBT002  an option
) -> None:
    """Show one record with its decrypted payload; needs this home's private key."""
    with open_dlq() as (reader, replayed):
        record = _chosen(newest_first(reader.records()), [record_id])[0]
        try:
            payload = reader.open(record)
        except NotReplayable as error:
            raise StackError(f"{record.id}: {error}") from error
        about = as_row(record, replayed)
    output.notify(
        "The payload may contain personal data: show it only to people who may see such data."
    )
    shown = payload if whole else payload[:SHOWN_BYTES]
    if as_json:
        text = shown.decode("utf-8", "replace")
        output.print_json({**about, "payload": text, "payload_shown_bytes": len(shown)})
        return
    for name, value in about.items():
        sys.stdout.write(f"{name}: {printable(str(value))}\n")
    sys.stdout.write(f"\n{printable(shown.decode('utf-8', 'replace'))}\n")
    if len(shown) < len(payload):
        output.notify(f"{len(payload) - len(shown)} more bytes are not shown; see --all")
    if record.is_cut:
        output.notify("the payload was longer; only its beginning is stored")


@app.command("replay", epilog="Example: ./fraudwatch dead-letters replay --dry-run")
def replay_records(
    ids: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="[ID]...", help="Ids as shown by ls; default: all not replayed yet."
        ),
    ] = None,
    dry_run: Annotated[  # noqa: FBT002  an option
        bool, typer.Option("--dry-run", help="Decrypt and check, but send nothing.")
    ] = False,
    as_json: Json = False,  # noqa: FBT002  an option
) -> None:
    """Send records again to the process that dead-lettered them; exit code 1 if any stays."""
    from fraudwatch.adapters.edge.ingest_client import IngestApi
    from fraudwatch.adapters.kafka_log.dlq_replay_targets import replay_targets
    from fraudwatch.adapters.kafka_log.feed_replay_targets import feed_targets

    home = Home.from_environment()
    kafka, endpoint = endpoints(home)
    with open_dlq() as (reader, replayed), IngestApi(endpoint) as ingest:
        known = newest_first(reader.records())
        records = _chosen(known, ids) if ids else [x for x in known if x not in replayed]
        feeds = feed_targets(home.folder / "feeds", home.root / "contracts/datasets", ingest)
        targets = replay_targets(kafka, ingest) | feeds
        run = DlqReplay(reader, targets, replayed, is_trial=dry_run)
        results = []
        for result in run.run(records):
            results.append(result)
            if not as_json:
                sys.stdout.write(f"{result_line(result)}\n")
    stay = sum(result.state is ReplayState.NOT_REPLAYABLE for result in results)
    if as_json:
        output.print_json(
            {
                "dry_run": dry_run,
                "entered": 0 if dry_run else len(results) - stay,
                "stay": stay,
                "letters": [
                    {"id": x.record.id, "state": x.state, "detail": x.detail} for x in results
                ],
            }
        )
    else:
        verb = "would enter" if dry_run else "replayed"
        output.notify(
            f"{len(results) - stay} {verb}, {stay} stay" if results else "nothing to replay"
        )
    if stay:
        raise typer.Exit(FAILED)


def _chosen(known: Sequence[DlqRecord], ids: Sequence[str]) -> list[DlqRecord]:
    by_id = {record.id: record for record in known}
    if missing := [one for one in ids if one not in by_id]:
        raise typer.BadParameter(
            f"no dead letter {', '.join(map(repr, missing))} is on the topic, so nothing was done; "
            "list them with ./fraudwatch dead-letters ls"
        )
    return [by_id[one] for one in ids]


app.command("paused", epilog="Example: ./fraudwatch dead-letters paused")(list_paused)
app.command("resume", epilog="Example: ./fraudwatch dead-letters resume feed")(resume_source)
