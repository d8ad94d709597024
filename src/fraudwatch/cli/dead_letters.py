"""``fraudwatch dead-letters``: look at what was put aside, open one, let it in again."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from typing import Annotated

import typer

from fraudwatch.application.dead_letters.dlq import (
    DlqRecord,
    NotReplayable,
    Replay,
    ReplayState,
    newest_first,
)
from fraudwatch.cli import output
from fraudwatch.cli.dlq_table import as_table, described, harmless, line_of
from fraudwatch.cli.letterbox import endpoints, opened
from fraudwatch.domain.messages.dead_letter import Code, Stage
from fraudwatch.stack.place import Place, Unusable

FAILED = 1
SHOWN_LETTERS = 50
SHOWN_BYTES = 4096

app = typer.Typer(
    help="What nobody could take, judge or store: see why, and let it in again once it is cured.",
    no_args_is_help=True,
)
Json = Annotated[bool, typer.Option("--json", help="Print exactly one JSON object.")]


@app.command("ls", epilog="Example: ./fraudwatch dead-letters ls --stage ingest --limit 10")
def list_letters(
    stage: Annotated[Stage | None, typer.Option(help="Only what this process put aside.")] = None,
    code: Annotated[Code | None, typer.Option(help="Only for this reason.")] = None,
    limit: Annotated[int, typer.Option(min=1, help="How many of the newest.")] = SHOWN_LETTERS,
    as_json: Json = False,  # noqa: FBT002  an option
) -> None:
    """List the letters, newest first, one for each message however many copies of it there are."""
    with opened() as (box, replayed):
        found = [
            letter
            for letter in newest_first(box.records())
            if stage in (None, letter.stage) and code in (None, letter.code)
        ]
        rows = [described(letter, replayed) for letter in found[:limit]]
    if as_json:
        counts = {"found": len(found), "unreadable": box.unreadable}
        output.print_json({**counts, "letters": rows})
        return
    if not found:
        output.say("there is no such dead letter" if stage or code else "there is no dead letter")
    for line in as_table(rows):
        sys.stdout.write(f"{line}\n")
    if len(found) > limit:
        output.say(f"{len(found) - limit} older ones are not shown; see --limit")
    if box.unreadable:
        output.say(f"{box.unreadable} messages on the topic are no letters and were passed over")


@app.command("show", epilog="Example: ./fraudwatch dead-letters show ingest:feed:90547")
def show_letter(
    letter_id: Annotated[str, typer.Argument(metavar="ID", help="As ls shows it.")],
    whole: Annotated[  # noqa: FBT002  an option
        bool, typer.Option("--all", help=f"Not only the first {SHOWN_BYTES} bytes.")
    ] = False,
    as_json: Json = False,  # noqa: FBT002  an option
) -> None:
    """Show one letter with its payload opened, for which this home's private key is needed."""
    with opened() as (box, replayed):
        letter = _chosen(newest_first(box.records()), [letter_id])[0]
        try:
            payload = box.open(letter)
        except NotReplayable as why:
            raise Unusable(f"{letter.id}: {why}") from why
        about = described(letter, replayed)
    output.say("The payload may hold personal data: show it to nobody who may not see such data.")
    shown = payload if whole else payload[:SHOWN_BYTES]
    if as_json:
        text = shown.decode("utf-8", "replace")
        output.print_json({**about, "payload": text, "payload_shown_bytes": len(shown)})
        return
    for name, value in about.items():
        sys.stdout.write(f"{name}: {harmless(str(value))}\n")
    sys.stdout.write(f"\n{harmless(shown.decode('utf-8', 'replace'))}\n")
    if len(shown) < len(payload):
        output.say(f"{len(payload) - len(shown)} more bytes are not shown; see --all")
    if letter.is_cut:
        output.say("the payload was longer; only its beginning was kept")


@app.command("replay", epilog="Example: ./fraudwatch dead-letters replay --dry-run")
def replay_letters(
    ids: Annotated[
        list[str] | None,
        typer.Argument(metavar="[ID]...", help="As ls shows them; else all not replayed yet."),
    ] = None,
    dry_run: Annotated[  # noqa: FBT002  an option
        bool, typer.Option("--dry-run", help="Open and check, but send nothing.")
    ] = False,
    as_json: Json = False,  # noqa: FBT002  an option
) -> None:
    """Let letters in again where they were put aside; exit code 1 when one of them stays."""
    from fraudwatch.adapters.edge.ingest_client import IngestApi
    from fraudwatch.adapters.kafka_log.dlq_replay_targets import replay_targets

    kafka, endpoint = endpoints(Place.from_environment())
    with opened() as (box, replayed), IngestApi(endpoint) as ingest:
        known = newest_first(box.records())
        letters = _chosen(known, ids) if ids else [x for x in known if x not in replayed]
        run = Replay(box, replay_targets(kafka, ingest), replayed, is_trial=dry_run)
        results = []
        for result in run.run(letters):
            results.append(result)
            if not as_json:
                sys.stdout.write(f"{line_of(result)}\n")
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
        output.say(f"{len(results) - stay} {verb}, {stay} stay" if results else "nothing to replay")
    if stay:
        raise typer.Exit(FAILED)


def _chosen(known: Sequence[DlqRecord], ids: Sequence[str]) -> list[DlqRecord]:
    by_id = {letter.id: letter for letter in known}
    if missing := [one for one in ids if one not in by_id]:
        raise typer.BadParameter(
            f"no letter {', '.join(map(repr, missing))} is on the topic, so nothing was done; "
            "./fraudwatch dead-letters ls shows what there is"
        )
    return [by_id[one] for one in ids]
