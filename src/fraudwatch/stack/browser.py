"""The browser of the tests: Debian's chromium, installed where this may be done."""

from __future__ import annotations

import os
import shutil
import subprocess

from fraudwatch.stack.environments import Say

CURE = "apt-get install chromium"


def ensure(say: Say) -> None:
    """Install it as root; anybody else is told how, and the browser test will say so again."""
    if shutil.which("chromium"):
        return
    if os.geteuid() != 0 or not shutil.which("apt-get"):
        say(f"chromium is missing, so the console cannot be tested in a browser; cure: {CURE}")
        return
    say("installing chromium for the browser test ...")
    for arguments in (("update",), ("install", "--yes", "--no-install-recommends", "chromium")):
        done = subprocess.run(
            ["apt-get", "-qq", *arguments], check=False, capture_output=True, text=True
        )
        if done.returncode:
            say(f"apt-get {arguments[0]} failed: {done.stderr.strip()}; cure: {CURE}")
            return
