"""``fraudwatch compose-secrets``: write what docker compose needs before its first start."""

from __future__ import annotations

from fraudwatch.cli import output
from fraudwatch.stack import env_file
from fraudwatch.stack.compose import overlay, secret_files
from fraudwatch.stack.home import Home


def compose_secrets() -> None:
    """Write the secrets of .env as files for docker compose; both are created if missing."""
    home = Home.from_environment()
    folder = secret_files.write(home, overlay.load(), env_file.ensure(home))
    output.notify(f"the secrets are in {folder}; next: docker compose up --detach --build --wait")
