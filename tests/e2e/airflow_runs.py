"""Start DAG runs, wait for their end, and read the mails about them."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from typing import Any

from fraudwatch.stack.private_stack import PrivateStack
from tests.waiting import eventually

ENDED = {"success", "failed"}


@contextmanager
def unpaused(stack: PrivateStack, *names: str) -> Iterator[None]:
    try:
        for name in names:
            # Airflow knows a DAG once its file was processed, a while after the stack is ready.
            eventually(
                partial(_unpause, stack, name),
                within_seconds=120,
                what=f"{name} unpaused",
                every_seconds=2,
            )
        yield
    finally:
        for name in names:
            stack.command("dags", "pause", name)


def _unpause(stack: PrivateStack, name: str) -> bool:
    return stack.command("dags", "unpause", name, check=False).returncode == 0


def first_ended(stack: PrivateStack, name: str) -> dict[str, Any] | None:
    """Return the first ended run that the schedule or an asset started, not a manual one."""
    document = json.loads(stack.command("dags", "runs", name, "--json").stdout)
    automatic = [run for run in document["runs"] if not run["run_id"].startswith("manual__")]
    ended = [run for run in automatic if run["state"] in ENDED]
    return ended[-1] if ended else None


def run_automatically(stack: PrivateStack, *names: str) -> None:
    """Let the schedule or an asset start one run of each DAG, and expect success."""
    with unpaused(stack, *names):
        for name in names:
            ended = eventually(
                partial(first_ended, stack, name),
                within_seconds=900,
                what=f"the end of an automatic run of {name}",
                every_seconds=2,
            )
            assert ended["state"] == "success", name


def trigger(stack: PrivateStack, name: str, **conf: str) -> dict[str, Any]:
    """Trigger a manual run and wait for its end; ``state`` is its result."""
    words = ("dags", "trigger", name, "--conf", json.dumps(conf), "--wait", "--json")
    with unpaused(stack, name):
        ended = stack.command(*words, check=False)
    run: dict[str, Any] = json.loads(ended.stdout)
    return run


def mails_about(stack: PrivateStack, run_id: str) -> list[str]:
    """Wait until the mailbox has mails about a run, and return them."""

    def matching() -> list[str]:
        files = [path for path in (stack.folder / "mailbox").rglob("*") if path.is_file()]
        texts = [path.read_text(encoding="utf-8").replace("=\n", "") for path in files]
        return [text for text in texts if run_id in text]

    return eventually(matching, within_seconds=60, what=f"the mail about {run_id}")
