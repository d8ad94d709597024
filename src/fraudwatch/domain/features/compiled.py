"""Compiled functions whose cache cannot outlive what it was compiled from.

numba looks at the file of a function alone. The kernel's places in the vector are constants of the
catalogue, another file: with a feature added there, a cached kernel would go on writing the others
to their old places. So the cache lies in a folder named after all sources of this package.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any, Final

from numba import config, njit

_PACKAGE: Final = Path(__file__).parent


def cache_folder(package: Path) -> Path:
    """Where what was compiled of this package is kept; another source, another folder."""
    digest = hashlib.sha256()
    for source in sorted(package.glob("*.py")):
        digest.update(source.name.encode() + b"\0" + source.read_bytes())
    return package / "__pycache__" / f"compiled-{digest.hexdigest()[:16]}"


@cache
def _our_folder() -> str:
    return str(cache_folder(_PACKAGE))


def compiled(function: Callable[..., Any]) -> Any:
    """``njit`` with a cache of its own folder; others' compiled functions keep theirs."""
    # numba makes the module's variables when it is imported: no type checker knows them.
    settings: Any = config
    usual, settings.CACHE_DIR = settings.CACHE_DIR, _our_folder()
    try:
        return njit(cache=True)(function)
    finally:
        settings.CACHE_DIR = usual
