"""Install Chromium for the browser tests, where this process may install packages."""

from __future__ import annotations

import os
import shutil
import subprocess

from fraudwatch.stack.environments import Notify

FIX = "apt-get install chromium"


def ensure(notify: Notify) -> None:
    """Install Chromium when running as root; otherwise print how to install it."""
    if shutil.which("chromium"):
        return
    if os.geteuid() != 0 or not shutil.which("apt-get"):
        notify(f"chromium is missing, so the console cannot be tested in a browser; fix: {FIX}")
        return
    notify("installing chromium for the browser test ...")
    for arguments in (("update",), ("install", "--yes", "--no-install-recommends", "chromium")):
        done = subprocess.run(
            ["apt-get", "-qq", *arguments], check=False, capture_output=True, text=True
        )
        if done.returncode:
            notify(f"apt-get {arguments[0]} failed: {done.stderr.strip()}; fix: {FIX}")
            return
