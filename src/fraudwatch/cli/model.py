"""``fraudwatch model``: fit, list, approve, try and roll back the models that score."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Annotated, Any

import typer

from fraudwatch.cli import output
from fraudwatch.cli.command_log import OPERATOR, recording
from fraudwatch.domain.messages.audit import AuditAction
from fraudwatch.stack import catalogue as catalogues
from fraudwatch.stack import runner
from fraudwatch.stack.foreground import run_in_foreground
from fraudwatch.stack.home import Home, StackError
from fraudwatch.stack.waiting import last_lines

SERVICE = "forest"
REGISTRY = "registry"
# The metric of a version that `ls` shows.
SHOWN_NUMBER = "xgboost.average_precision.mean"

app = typer.Typer(
    no_args_is_help=True, help="Fit, list, approve, try and roll back the models of the stream."
)
Json = Annotated[bool, typer.Option("--json", help="Print exactly one JSON object.")]
Version = Annotated[int, typer.Argument(metavar="VERSION", help="Version number as shown by ls.")]


@app.callback()
def _models() -> None:
    """Fit, list, approve, try and roll back the models of the stream."""


@app.command(epilog="Example: ./fraudwatch model fit")
def fit(*, as_json: Json = False) -> None:
    """Fit the isolation forest on the transactions scored so far; the stream loads it by itself.

    It is unsupervised: it learns usual feature vectors of the stream, and needs no labels.
    """
    result = fit_forest(Home.from_environment(), catalogues.load())
    if as_json:
        output.print_json({"said": result})
    else:
        output.notify(result)


def fit_forest(home: Home, catalogue: catalogues.Catalogue) -> str:
    """Fit the isolation forest in a job; return the job's summary.

    Raises:
        StackError: it failed, for example because too few transactions are scored yet.
    """
    runner.run_once(home, catalogue, SERVICE, output.notify)
    return "".join(last_lines(home, SERVICE, 1))


def active_model(home: Home) -> str | None:
    """Return the artefact of the active classifier, None if there is none.

    Raises:
        StackError: the pointer is broken; the stream goes on with the model that it has loaded.
    """
    from fraudwatch.adapters.artefacts.model_pointer import POINTER_NAME, read_pointer
    from fraudwatch.domain.models.fitted import BrokenModel, ModelKind

    folder = home.folder / "models"
    try:
        return read_pointer(folder).models.get(ModelKind.XGBOOST)
    except BrokenModel as error:
        raise StackError(
            f"{folder / POINTER_NAME} does not name the active models ({error}), so no model can "
            "be shown or activated; remove it, and the next training writes it again"
        ) from error


@app.command("ls", epilog="Example: ./fraudwatch model ls --json")
def list_models(*, as_json: Json = False) -> None:
    """List the classifiers of the model registry, newest first."""
    found = _run_registry("ls")
    if as_json:
        output.print_json(found)
        return
    for one in found["versions"]:
        number = one["metrics"].get(SHOWN_NUMBER)
        precision = "" if number is None else f"average precision {number:.3f}"
        _print(
            f"{one['version']:>4}  {one['sha256'][:12]}  {_when(one['created_at_ms'])}  "
            f"{_status_of(one, found['canary']):<22} {precision}"
        )
    if not found["versions"]:
        output.notify("no model was trained yet; ./fraudwatch dags trigger train_model --wait")


@app.command(epilog="Example: ./fraudwatch model show 3 --json")
def show(version: Version, *, as_json: Json = False) -> None:
    """Show a model's tags and metrics."""
    found = _run_registry("show", version)
    if as_json:
        output.print_json(found)
        return
    _print(f"version {found['version']}, artefact {found['sha256']}")
    _print(f"created {_when(found['created_at_ms'])}, {_status_of(found) or 'never active'}")
    for name, value in sorted(found["tags"].items()):
        _print(f"{name}: {value}")
    for name, number in sorted(found["metrics"].items()):
        _print(f"{name:<48} {number:.4f}")


@app.command(epilog="Example: ./fraudwatch model approve 4")
def approve(version: Version, *, as_json: Json = False) -> None:
    """Promote a challenger that passed the promotion gate and waits for approval."""
    _record(AuditAction.MODEL_APPROVED, f"model version {version}")
    _print_change(_run_registry("approve", version), as_json=as_json)


@app.command(epilog="Example: ./fraudwatch model rollback   (to the previous champion)")
def rollback(
    version: Annotated[
        int | None, typer.Argument(metavar="VERSION", help="Default: the previous champion.")
    ] = None,
    *,
    as_json: Json = False,
) -> None:
    """Roll back to an earlier champion; the stream loads it with its next micro-batch."""
    _record(AuditAction.MODEL_ROLLED_BACK, f"model version {version or 'before the champion'}")
    _print_change(_run_registry("rollback", version), as_json=as_json)


@app.command(epilog="Example: ./fraudwatch model canary 4 --share-percent 5")
def canary(
    version: Version,
    *,
    share_percent: Annotated[
        float, typer.Option(min=0.1, max=50.0, help="Share of the customers, by a hash.")
    ] = 5.0,
    as_json: Json = False,
) -> None:
    """Let a challenger score a share of the customers; it is rolled back if it leaves its band.

    The shadow compares alerts, declines and mean score of both groups all the time.
    """
    _record(AuditAction.CANARY_STARTED, f"model version {version}, {share_percent:g} %")
    found = _run_registry("canary", version, f"{share_percent:g}")
    if as_json:
        output.print_json(found)
    else:
        _print(
            f"version {found['version']} ({found['sha256'][:12]}) scores {share_percent:g} % of "
            "the customers from the stream's next micro-batch on; ./fraudwatch model end-canary "
            "ends it, and ./fraudwatch model approve makes it champion"
        )


@app.command("end-canary", epilog="Example: ./fraudwatch model end-canary")
def end_canary(*, as_json: Json = False) -> None:
    """End the canary: the champion scores all customers again."""
    _record(AuditAction.CANARY_ENDED, "the canary")
    found = _run_registry("end-canary")
    if as_json:
        output.print_json(found)
    else:
        _print(
            f"the canary, version {found['version'] or 'unknown'}, has ended; the champion scores "
            "all customers from the stream's next micro-batch on"
        )


def _record(action: AuditAction, subject: str) -> None:
    """Keep the audit record of a change before it is tried; the registry may refuse it."""
    with recording(Home.from_environment()) as (log, reason):
        log.subject_changed(action, OPERATOR, subject, reason)


def _run_registry(action: str, version: int | None = None, *more: str) -> dict[str, Any]:
    arguments = [action] if version is None else [action, str(version), *more]
    home, catalogue = Home.from_environment(), catalogues.load()
    return run_in_foreground(home, catalogue, REGISTRY, arguments, output.notify).document


def _print_change(found: Mapping[str, Any], *, as_json: bool) -> None:
    if as_json:
        output.print_json(dict(found))
    else:
        _print(
            f"version {found['version']} ({found['sha256'][:12]}) is champion; the stream loads "
            "it with its next micro-batch"
        )


def _status_of(one: Mapping[str, Any], canary: str | None = None) -> str:
    aliases = " ".join([*one["aliases"], *(["canary"] if one["sha256"] == canary else [])])
    if one["is_in_use"]:
        return f"{aliases} active".strip()
    if aliases:
        return aliases
    return f"used from {_when(one['promoted_at_ms'])}" if one["promoted_at_ms"] else ""


def _when(at_ms: int) -> str:
    return datetime.fromtimestamp(at_ms / 1000, UTC).strftime("%Y-%m-%d %H:%M")


def _print(line: str) -> None:
    output.results.print(line.rstrip(), markup=False, highlight=False, soft_wrap=True)
