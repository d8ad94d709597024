"""Back up a stack under use, lose its home, restore it, and count what became of every purchase."""

from __future__ import annotations

import json
import shutil
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from chaos.load import Load
from chaos.run import ChaosRun, chaos_run
from fraudwatch.home_format import HOME_FORMAT
from fraudwatch.stack import env_file, home_version
from fraudwatch.stack.private_stack import QUIET_SHOP, PrivateStack, running
from tests.conftest import SHORT_LIVED

pytestmark = [pytest.mark.engines, pytest.mark.timeout(900)]

PER_SECOND = 100
SENT_SECONDS = 5.0


@contextmanager
def under_traffic(run: ChaosRun) -> Iterator[None]:
    run.traffic.stopping.clear()
    sending = threading.Thread(target=run.traffic.run)
    sending.start()
    try:
        yield
    finally:
        run.traffic.stopping.set()
        sending.join()


def send_for(run: ChaosRun, seconds: float) -> int:
    before = run.traffic.sent
    with under_traffic(run):
        time.sleep(seconds)
    return run.traffic.sent - before


def test_a_lost_home_is_restored_without_loss_and_nothing_is_scored_twice(tmp_path: Path) -> None:
    home, backup, keys = (tmp_path / name for name in ("home", "backup", "keys"))
    home.mkdir()
    with (
        running(home, {**QUIET_SHOP, "JAVA_OPTIONS": SHORT_LIVED}, "speed") as stack,
        chaos_run(stack, tmp_path, Load(7, "chaos"), PER_SECOND, print) as run,
    ):
        assert send_for(run, SENT_SECONDS) > 100
        made = json.loads(
            stack.command("backup", str(backup), "--keys", str(keys), "--json").stdout
        )
        stack.command("down")
        secrets = secrets_of(stack)
        shutil.rmtree(home)

        refused = stack.command("restore", str(backup), check=False)
        assert refused.returncode == 1
        assert "has not the .env and the keys of this backup" in refused.stderr

        stack.command("restore", str(backup), "--keys", str(keys))
        assert secrets_of(stack) == secrets
        upgrade_a_home_without_a_record(stack)
        stack.command("up", "--profile", "speed")
        assert send_for(run, SENT_SECONDS) > 100
        run.drain()
        findings = run.count()

    assert findings.examples == {}
    assert findings.ok
    assert findings.accepted > 300
    assert findings.verdicts + findings.put_aside == findings.accepted
    # The detector continued its own snapshot: it did not score anything a second time.
    assert findings.repeated_messages == 0
    assert made["files"] > 50
    assert made["databases_elsewhere"] == []
    no_secret_is_in(backup, [value for name, value in secrets.items() if env_file.is_secret(name)])
    assert (backup / "home" / home_version.FILE).exists()


def upgrade_a_home_without_a_record(stack: PrivateStack) -> None:
    """Make the home look as old code left it, and upgrade it while it is stopped."""
    (stack.folder / home_version.FILE).unlink()
    (stack.folder / "detector/begun_by.json").unlink()
    refused = stack.command("up", "--profile", "speed", check=False)
    assert refused.returncode == 1
    assert "run ./fraudwatch upgrade" in refused.stderr
    report = json.loads(stack.command("upgrade", "--json").stdout)
    assert (report["from_format"], report["to_format"]) == (1, HOME_FORMAT)
    assert (report["states"], report["started"]) == ("kept", False)


def secrets_of(stack: PrivateStack) -> dict[str, str]:
    return env_file.parse((stack.folder / ".env").read_text(encoding="utf-8"))


def no_secret_is_in(folder: Path, secrets: list[str]) -> None:
    files = [path for path in folder.rglob("*") if path.is_file()]
    assert len(secrets) > 20
    found = {
        str(path.relative_to(folder))
        for path in files
        for secret in secrets
        if secret.encode() in path.read_bytes()
    }
    assert found == set()
