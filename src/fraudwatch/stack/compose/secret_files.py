"""Write the secrets of .env as files, which docker-compose.yml mounts into its containers."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from fraudwatch.stack import env_file
from fraudwatch.stack.compose.overlay import Overlay
from fraudwatch.stack.home import Home, write_private

# Containers read them as another user than the one of the checkout; the folder is closed to others.
_MODE = 0o444


def folder_of(home: Home) -> Path:
    """Return the folder that docker-compose.yml takes by default."""
    return home.folder / "compose/secrets"


def values_of(overlay: Overlay, settings: Mapping[str, str]) -> dict[str, str]:
    """Return every secret of .env, and those that are built from them."""
    plain = {name: value for name, value in settings.items() if env_file.is_secret(name)}
    return plain | {name: text.format_map(plain) for name, text in overlay.secrets.items()}


def write(home: Home, overlay: Overlay, settings: Mapping[str, str]) -> Path:
    """Write every secret into a file of its own, and return their folder."""
    folder = folder_of(home)
    for name, value in values_of(overlay, settings).items():
        write_private(folder / name, value)
        (folder / name).chmod(_MODE)
    folder.chmod(0o700)
    return folder
