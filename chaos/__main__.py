"""``fraudwatch chaos``: kill everything in turn under traffic, then count what became of it.

The command line starts it as ``python -m chaos``.
"""

from __future__ import annotations

import shutil
import tempfile
import time
from pathlib import Path
from typing import Annotated, Any, Final

import typer

from chaos.faults import plan
from chaos.load import Load
from chaos.run import proving
from fraudwatch.cli import entry_point, output
from fraudwatch.stack.private_stack import QUIET_SHOP, running

SOURCE: Final = "chaos"
COUNTED: Final = ("lost", "duplicates", "conflicting", "mismatched_features")

app = typer.Typer(pretty_exceptions_enable=False, add_completion=False)


@app.command(epilog="Example: ./fraudwatch chaos --kills 5 --seed 7")
def chaos(
    kills: Annotated[int, typer.Option(min=1, help="How many kills, in turn.")] = 20,
    seed: Annotated[int, typer.Option(help="Order, moments and purchases follow from it.")] = 7,
    rate: Annotated[int, typer.Option(min=1, max=5_000, help="Purchases a second.")] = 300,
    *,
    as_json: Annotated[bool, typer.Option("--json", help="Print exactly one JSON object.")] = False,
) -> None:
    """Prove that nothing is lost: kill -9 the whole path in turn under traffic, then count.

    It runs on a stack of its own in a temporary folder, never on yours. The exit code is 0 only if
    nothing is lost, doubled, contradicted or judged by features other than one fold gives.
    """
    folder = Path(tempfile.mkdtemp(prefix="fraudwatch-chaos-"))
    output.say(f"seed {seed}; starting a stack of its own in {folder} ...")
    kept = True
    try:
        report = _prove(folder, kills, seed, rate)
        kept = not report["ok"]
    finally:
        if kept:
            output.say(f"logs, ledger and data are kept in {folder}; remove it when they were read")
        else:
            shutil.rmtree(folder)
    if as_json:
        output.print_json(report)
    else:
        _tell(report)
    if not report["ok"]:
        raise typer.Exit(entry_point.FAILED)


def _prove(folder: Path, kills: int, seed: int, rate: int) -> dict[str, Any]:
    faults = plan(seed, kills)
    with running(folder, QUIET_SHOP, "speed") as stack:
        began, load = time.monotonic(), Load(seed, SOURCE)
        with proving(stack, folder, load, rate, output.say) as proof:
            proof.break_things(faults)
            output.say("waiting until everything sent is judged and stored ...")
            proof.drain()
            return proof.report(faults, proof.count(), time.monotonic() - began)


def _tell(report: dict[str, Any]) -> None:
    output.say(
        f"{report['accepted']} purchases acknowledged, {report['verdicts']} verdicts, "
        f"{report['kills']} kills in {report['seconds']} s, {report['kills_at_a_verdict']} of them "
        "right after a verdict"
    )
    for kind in COUNTED:
        output.say(f"{kind}: {report[kind]}")
        for example in report["examples"].get(kind, ()):
            output.say(f"  {example}")
    output.say(f"repeated_messages: {told_of_repeats(report['repeated_messages'])}")
    output.say("nothing lost, nothing twice" if report["ok"] else "the promise is broken")


def told_of_repeats(repeated_messages: int) -> str:
    """What the copies say of the proof itself: without any, nothing could have been conflicting."""
    if repeated_messages:
        return f"{repeated_messages}, the evidence that a batch was redone and its copies compared"
    return "0, so no batch was redone: 'conflicting' had nothing to compare and proves little"


if __name__ == "__main__":
    entry_point.run(app, "fraudwatch chaos")
