"""Compile kernels with numba, in a cache that any change of this package's sources invalidates.

numba checks the file of a function alone. A kernel's indexes into the vector are constants of the
catalogue, another file: with a feature added there, a cached kernel would go on writing the others
to their old indexes. So the cache folder is named by a hash of all sources of this package.
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
    """Return the cache folder of this package's kernels, named by the hash of its sources."""
    digest = hashlib.sha256()
    for source in sorted(package.glob("*.py")):
        digest.update(source.name.encode() + b"\0" + source.read_bytes())
    return package / "__pycache__" / f"compiled-{digest.hexdigest()[:16]}"


@cache
def _our_folder() -> str:
    return str(cache_folder(_PACKAGE))


def compiled(function: Callable[..., Any]) -> Any:
    """Compile with ``njit`` and this package's cache folder; other packages keep theirs."""
    # numba creates the module's variables at import: type checkers do not know them.
    settings: Any = config
    default, settings.CACHE_DIR = settings.CACHE_DIR, _our_folder()
    try:
        return njit(cache=True)(function)
    finally:
        settings.CACHE_DIR = default
