"""Chaos and the benchmark of the stream on a given stack: a script of the control environment.

The commands start a stack of their own, which takes minutes. ``python in_control.py TOOL HOME
OFFSET FOLDER`` does their work on one that runs already, and prints one JSON object.
"""

from __future__ import annotations

import sys
from contextlib import closing
from dataclasses import asdict
from pathlib import Path
from typing import Any

from benchmarks import stream_benchmark as benchmark
from chaos.faults import plan
from chaos.findings import Findings
from chaos.ledger import Ledger
from chaos.load import Load
from chaos.run import ledger_of, proving
from fraudwatch.cli import output
from fraudwatch.stack.private_stack import PrivateStack

SEED, PER_SECOND = 7, 100
VICTIMS = ("detector", "kafka", "cassandra")


def chaos(stack: PrivateStack, folder: Path) -> dict[str, Any]:
    """Three kills, and a fourth count with a purchase in the ledger that was never sent."""
    faults = plan(SEED, len(VICTIMS), VICTIMS, stop=None)
    with proving(stack, folder, Load(SEED, "chaos"), PER_SECOND, output.say) as proof:
        proof.break_things(faults)
        proof.drain()
        found = proof.count()
        with closing(Ledger(ledger_of(folder))) as forged:
            forged.accept(["chaos:never-sent"], 0)
        of_forged = proof.count()
    return {
        "recoveries": {one.service: one.fault for one in proof.recoveries},
        "found": _with_ok(found),
        "of_forged": _with_ok(of_forged),
    }


def stream(stack: PrivateStack, _folder: Path) -> dict[str, Any]:
    """Ten seconds at twenty purchases a second, without minutes of warming up."""
    benchmark.WARM_UP_SECONDS = 5
    return benchmark.Benchmark(stack, output.say).live(20, 10)


def _with_ok(findings: Findings) -> dict[str, Any]:
    return {**asdict(findings), "ok": findings.ok}


if __name__ == "__main__":
    tool, home, offset, folder = sys.argv[1:]
    run = {"chaos": chaos, "stream": stream}[tool]
    output.print_json(run(PrivateStack(Path(home), int(offset)), Path(folder)))
