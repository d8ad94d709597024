from __future__ import annotations

from pathlib import Path

from numba import config

import fraudwatch.domain.features
from fraudwatch.domain.features import fold, windows
from fraudwatch.domain.features.compiled import cache_folder

PACKAGE = Path(fraudwatch.domain.features.__file__).parent


def test_a_changed_catalogue_invalidates_cached_kernels(tmp_path: Path) -> None:
    for source in PACKAGE.glob("*.py"):
        (tmp_path / source.name).write_bytes(source.read_bytes())
    before = cache_folder(tmp_path)
    assert cache_folder(tmp_path) == before
    catalogue = tmp_path / "catalogue.py"
    catalogue.write_text(catalogue.read_text("utf-8") + "# one feature more\n", "utf-8")
    assert cache_folder(tmp_path) != before


def test_only_kernels_of_this_package_use_its_cache_folder() -> None:
    for kernel in (fold._fold, windows.fold_windows):
        assert kernel._cache.cache_path.startswith(str(cache_folder(PACKAGE)))
    assert str(cache_folder(PACKAGE)) != config.CACHE_DIR
