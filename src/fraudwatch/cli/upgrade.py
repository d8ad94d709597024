"""``fraudwatch upgrade``: bring a home that an older version made to this one, without loss."""

from __future__ import annotations

from dataclasses import asdict
from typing import Annotated

import typer

from fraudwatch.cli import output
from fraudwatch.stack import catalogue
from fraudwatch.stack.home import Home
from fraudwatch.stack.upgrade import Upgrade


def upgrade(
    *,
    may_rerun_begun_batch: Annotated[
        bool,
        typer.Option(
            "--rerun-begun-batch",
            help="Let this code run again what another version began and did not commit: some of "
            "its purchases may get a second, different verdict.",
        ),
    ] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print exactly one JSON object.")] = False,
) -> None:
    """Drain the running stack by its own code, stop it, migrate the home and start this version.

    Run it while the old version runs. Nothing is scored twice: the old code finishes what it began.
    """
    report = Upgrade(
        home=Home.from_environment(),
        catalogue=catalogue.load(),
        notify=output.notify,
        may_rerun_begun_batch=may_rerun_begun_batch,
    ).run()
    _report_new_default(Home.from_environment())
    if as_json:
        output.print_json(asdict(report))
        return
    output.notify(
        f"upgraded from format {report.from_format}, features version "
        f"{report.from_features_version or 'unknown'} to format {report.to_format}, features "
        f"version {report.to_features_version}; states: {report.states}"
    )
    output.notify(
        f"ingest was closed for {report.closed_seconds} s"
        if report.started
        else "the stack was stopped and stays so; start it with ./fraudwatch up"
    )


def _report_new_default(home: Home) -> None:
    """Report another shipped policy than before; the live one is never overwritten."""
    from fraudwatch.adapters.artefacts.policy_folder import PolicyFolder
    from fraudwatch.adapters.artefacts.policy_seed import new_default

    default = (home.root / "contracts/policies/default.yaml").read_bytes()
    if new_default(PolicyFolder(home.folder / "policy"), default):
        output.notify(
            "this version ships another default policy; yours is live as before. Compare: "
            "./fraudwatch policy diff --default. Take it: the Rules page (Draft), or "
            "./fraudwatch policy take-default --reason WHY"
        )
