"""``fraudwatch model``: what the stream judges by beside the rules."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Annotated, Any

import typer

from fraudwatch.cli import output
from fraudwatch.stack import catalogue as catalogues
from fraudwatch.stack import runner
from fraudwatch.stack.foreground import run_in_front
from fraudwatch.stack.place import Place
from fraudwatch.stack.waiting import last_lines

SERVICE = "forest"
REGISTRY = "registry"
# What `ls` shows of a version's many numbers.
SHOWN_NUMBER = "xgboost.average_precision.mean"

app = typer.Typer(no_args_is_help=True, help="The models that the stream judges by.")
Json = Annotated[bool, typer.Option("--json", help="Print exactly one JSON object.")]
Version = Annotated[int, typer.Argument(metavar="VERSION", help="Its number, as ls shows it.")]


@app.callback()
def _models() -> None:
    """The models that the stream judges by."""


@app.command(epilog="Example: ./fraudwatch model fit")
def fit(*, as_json: Json = False) -> None:
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


def in_use(place: Place, catalogue: catalogues.Catalogue) -> str | None:
    """The artefact of the model with labels that the stream judges by."""
    told = run_in_front(place, catalogue, REGISTRY, ["ls"], output.say).told["in_use"]
    return None if told is None else str(told)


@app.command("ls", epilog="Example: ./fraudwatch model ls --json")
def list_models(*, as_json: Json = False) -> None:
    """List the models that were trained with labels, newest first."""
    found = _asked("ls")
    if as_json:
        output.print_json(found)
        return
    for one in found["versions"]:
        number = one["metrics"].get(SHOWN_NUMBER)
        precision = "" if number is None else f"average precision {number:.3f}"
        _print(
            f"{one['version']:>4}  {one['sha256'][:12]}  {_when(one['created_at_ms'])}  "
            f"{_standing(one):<22} {precision}"
        )
    if not found["versions"]:
        output.say("no model was trained yet; ./fraudwatch dags trigger train_model --wait")


@app.command(epilog="Example: ./fraudwatch model show 3 --json")
def show(version: Version, *, as_json: Json = False) -> None:
    """Show what a model was made of, and its numbers."""
    found = _asked("show", version)
    if as_json:
        output.print_json(found)
        return
    _print(f"version {found['version']}, artefact {found['sha256']}")
    _print(f"made {_when(found['created_at_ms'])}, {_standing(found) or 'never in use'}")
    for name, value in sorted(found["tags"].items()):
        _print(f"{name}: {value}")
    for name, number in sorted(found["metrics"].items()):
        _print(f"{name:<48} {number:.4f}")


@app.command(epilog="Example: ./fraudwatch model approve 4")
def approve(version: Version, *, as_json: Json = False) -> None:
    """Let a model in that the gate found better and that waits for a person."""
    _tell_change(_asked("approve", version), as_json=as_json)


@app.command(epilog="Example: ./fraudwatch model rollback   (to the champion before)")
def rollback(
    version: Annotated[
        int | None, typer.Argument(metavar="VERSION", help="Left out: the champion before.")
    ] = None,
    *,
    as_json: Json = False,
) -> None:
    """Go back to a model that was in use before; the stream follows with its next batch."""
    _tell_change(_asked("rollback", version), as_json=as_json)


def _asked(deed: str, version: int | None = None) -> dict[str, Any]:
    arguments = [deed] if version is None else [deed, str(version)]
    place, catalogue = Place.from_environment(), catalogues.load()
    return run_in_front(place, catalogue, REGISTRY, arguments, output.say).told


def _tell_change(found: Mapping[str, Any], *, as_json: bool) -> None:
    if as_json:
        output.print_json(dict(found))
    else:
        _print(
            f"version {found['version']} ({found['sha256'][:12]}) is champion; the stream takes it "
            "up with its next batch"
        )


def _standing(one: Mapping[str, Any]) -> str:
    aliases = " ".join(one["aliases"])
    if one["is_in_use"]:
        return f"{aliases} in use".strip()
    if aliases:
        return aliases
    return f"used from {_when(one['promoted_at_ms'])}" if one["promoted_at_ms"] else ""


def _when(at_ms: int) -> str:
    return datetime.fromtimestamp(at_ms / 1000, UTC).strftime("%Y-%m-%d %H:%M")


def _print(line: str) -> None:
    output.results.print(line.rstrip(), markup=False, highlight=False, soft_wrap=True)
