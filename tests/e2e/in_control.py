"""Run chaos or the stream benchmark on a given stack: a script of the control environment.

The commands start a private stack, which takes minutes. ``python in_control.py TOOL HOME OFFSET
FOLDER`` does their work on a running one, and prints one JSON object.
"""

from __future__ import annotations

import sys
from dataclasses import asdict
from pathlib import Path
from typing import Any

from benchmarks import stream_benchmark as benchmark
from chaos.faults import crashes, plan
from chaos.findings import Findings
from chaos.ledger import AcknowledgementLedger
from chaos.load import Load
from chaos.run import chaos_run, ledger_of
from fraudwatch.cli import output
from fraudwatch.stack.private_stack import PrivateStack

SEED, PER_SECOND = 7, 100
CRASHES = 4
SERVICES = ("detector", "kafka", "cassandra")


def chaos(stack: PrivateStack, folder: Path) -> dict[str, Any]:
    """Kill three services and count; count once more with a ledger entry that was never sent."""
    faults = plan(SEED, len(SERVICES), SERVICES, stop=None)
    with chaos_run(stack, folder, Load(SEED, "chaos"), PER_SECOND, output.notify) as run:
        run.run_faults(faults)
        run.drain()
        findings = run.count()
        AcknowledgementLedger(ledger_of(folder)).record(["chaos:never-sent"], 0)
        findings_with_unsent = run.count()
    return {
        "recoveries": {one.service: one.fault for one in run.recoveries},
        "findings": _with_ok(findings),
        "findings_with_unsent": _with_ok(findings_with_unsent),
    }


def everything(stack: PrivateStack, folder: Path) -> dict[str, Any]:
    """Kill every process at once, several times, and count."""
    faults = crashes(SEED, CRASHES)
    with chaos_run(stack, folder, Load(SEED, "chaos"), PER_SECOND, output.notify) as run:
        run.run_faults(faults)
        run.drain()
        return run.report(faults, run.count(), 0.0)


def stream(stack: PrivateStack, _folder: Path) -> dict[str, Any]:
    """Measure ten seconds at twenty purchases a second, with a short warm-up."""
    benchmark.WARM_UP_SECONDS = 5
    return benchmark.StreamBenchmark(stack, output.notify).live(20, 10)


def _with_ok(findings: Findings) -> dict[str, Any]:
    return {**asdict(findings), "ok": findings.ok}


if __name__ == "__main__":
    tool, home, offset, folder = sys.argv[1:]
    run = {"chaos": chaos, "everything": everything, "stream": stream}[tool]
    output.print_json(run(PrivateStack(Path(home), int(offset)), Path(folder)))
