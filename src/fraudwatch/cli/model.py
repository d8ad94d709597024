"""``fraudwatch model``: what the stream judges by beside the rules."""

from __future__ import annotations

from typing import Annotated

import typer

from fraudwatch.cli import output
from fraudwatch.stack import catalogue as catalogues
from fraudwatch.stack import runner
from fraudwatch.stack.place import Place
from fraudwatch.stack.waiting import last_lines

SERVICE = "forest"

app = typer.Typer(no_args_is_help=True, help="The models that the stream judges by.")


@app.callback()
def _models() -> None:
    """The models that the stream judges by."""


@app.command(epilog="Example: ./fraudwatch model fit")
def fit(
    *,
    as_json: Annotated[bool, typer.Option("--json", help="Print exactly one JSON object.")] = False,
) -> None:
    """Fit the isolation forest on what was judged so far; the stream takes it up by itself.

    It learns what is usual from the features that the stream served, and needs no labels.
    """
    said = fit_forest(Place.from_environment(), catalogues.load())
    if as_json:
        output.print_json({"said": said})
    else:
        output.say(said)


def fit_forest(place: Place, catalogue: catalogues.Catalogue) -> str:
    """Run the job and return its own sentence about what it fitted.

    Raises:
        Unusable: it failed, for example because too little was judged yet.
    """
    runner.run_once(place, catalogue, SERVICE, output.say)
    return "".join(last_lines(place, SERVICE, 1))
