"""Runs of DAGs, as a person starts, awaits and reads about them."""

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
def switched_on(stack: PrivateStack, *names: str) -> Iterator[None]:
    try:
        for name in names:
            stack.command("dags", "unpause", name)
        yield
    finally:
        for name in names:
            stack.command("dags", "pause", name)


def first_ended(stack: PrivateStack, name: str) -> dict[str, Any] | None:
    """Of the runs that the clock or an asset started; a person's is another test's."""
    told = json.loads(stack.command("dags", "runs", name, "--json").stdout)
    by_itself = [run for run in told["runs"] if not run["run_id"].startswith("manual__")]
    ended = [run for run in by_itself if run["state"] in ENDED]
    return ended[-1] if ended else None


def by_itself(stack: PrivateStack, *names: str) -> None:
    """Let the clock or an asset start one run of each, and see them end well."""
    with switched_on(stack, *names):
        for name in names:
            ended = eventually(
                partial(first_ended, stack, name),
                within_seconds=900,
                what=f"the end of a run of {name} that nobody asked for",
                every_seconds=2,
            )
            assert ended["state"] == "success", name


def asked_for(stack: PrivateStack, name: str, **conf: str) -> dict[str, Any]:
    """A person's run, waited for; ``state`` says how it ended."""
    words = ("dags", "trigger", name, "--conf", json.dumps(conf), "--wait", "--json")
    with switched_on(stack, name):
        ended = stack.command(*words, check=False)
    told: dict[str, Any] = json.loads(ended.stdout)
    return told


def mails_about(stack: PrivateStack, run_id: str) -> list[str]:
    """What the mailbox holds of a run, once it holds anything."""

    def look() -> list[str]:
        files = [path for path in (stack.home / "mailbox").rglob("*") if path.is_file()]
        texts = [path.read_text(encoding="utf-8").replace("=\n", "") for path in files]
        return [text for text in texts if run_id in text]

    return eventually(look, within_seconds=60, what=f"the mail about {run_id}")
