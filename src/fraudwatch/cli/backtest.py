"""``fraudwatch backtest``: run another policy over past days of the lake."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Annotated, Any

import typer

from fraudwatch.adapters.artefacts.policy_file import find_policy, load_policy
from fraudwatch.application.backtest import figures
from fraudwatch.cli import output
from fraudwatch.domain.policy.policy import BrokenPolicy
from fraudwatch.stack import catalogue
from fraudwatch.stack.foreground import run_in_foreground
from fraudwatch.stack.home import Home

USAGE_ERROR = 2
SERVICE = "backtest"
POLICIES = Path("contracts/policies")
DAY = "%Y-%m-%d"


def backtest(
    policy: Annotated[str, typer.Argument(help="A YAML file, or a name in contracts/policies.")],
    from_: Annotated[
        datetime,
        typer.Option("--from", formats=[DAY], metavar="YYYY-MM-DD", help="First day, UTC."),
    ],
    until: Annotated[
        datetime, typer.Option(formats=[DAY], metavar="YYYY-MM-DD", help="Last day, inclusive.")
    ],
    *,
    as_json: Annotated[bool, typer.Option("--json", help="Print exactly one JSON object.")] = False,
) -> None:
    """Score past days with a candidate policy and compare it with the policy that was live.

    The rules are the code that the stream runs. Nothing is changed; the result is an HTML page.
    """
    first, last = _day(from_), _day(until)
    if last < first:
        raise typer.BadParameter("--until is before --from; swap them")
    home = Home.from_environment()
    try:
        path = find_policy(policy, home.root / POLICIES)
        load_policy(path)
    except BrokenPolicy as error:
        output.notify(f"the policy cannot be used, so nothing was scored: {error}")
        raise typer.Exit(USAGE_ERROR) from error
    arguments = ["--policy", str(path.resolve()), "--from", str(first), "--until", str(last)]
    document = run_in_foreground(
        home, catalogue.load(), SERVICE, [*arguments, "--json"], output.notify
    ).document
    if as_json:
        output.print_json(document)
    else:
        for line in summary(document):
            typer.echo(line)


def summary(document: Mapping[str, Any]) -> Iterator[str]:
    """Summarise the result in lines of text; the page has everything."""
    policy, coverage = document["policy"], document["coverage"]
    yield f"{policy['name']} ({policy['version']}), {document['from']} to {document['until']}"
    yield (
        f"{coverage['purchases']:,} purchases, {coverage['judged']:,} scored, "
        f"{document['purchases_per_second']:,.0f} a second"
    )
    for reason, purchases in coverage["not_judged"].items():
        if purchases:
            yield f"not scored, {reason.replace('_', ' ')}: {purchases:,}"
    yield ""
    rows = [("", "live", "candidate", "difference")]
    for one in figures.compare_policies(document):
        label = f"  {one.label}" if one.is_part else one.label
        rows.append((label, one.live, one.candidate, one.difference))
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    for label, *numbers in rows:
        cells = (text.rjust(width) for text, width in zip(numbers, widths[1:], strict=True))
        yield "  ".join([label.ljust(widths[0]), *cells])
    overlap = document["overlap"]
    yield ""
    yield (
        f"alerts of both {overlap['both']['hits']:,}, of the candidate alone "
        f"{overlap['only_candidate']['hits']:,}, of the live policy alone "
        f"{overlap['only_live']['hits']:,}; same outcome "
        f"{figures.share(overlap['same_outcome_ratio'])}"
    )
    yield f"the page: {Path(document['page']).as_uri()}"


def _day(given: datetime) -> date:
    return given.replace(tzinfo=UTC).date()
