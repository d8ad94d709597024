from __future__ import annotations

from pathlib import Path

from numba import config

import fraudwatch.domain.features
from fraudwatch.domain.features import fold, windows
from fraudwatch.domain.features.compiled import cache_folder

PACKAGE = Path(fraudwatch.domain.features.__file__).parent


def test_a_change_of_the_catalogue_finds_no_kernel_compiled_before_it(tmp_path: Path) -> None:
    for source in PACKAGE.glob("*.py"):
        (tmp_path / source.name).write_bytes(source.read_bytes())
    before = cache_folder(tmp_path)
    assert cache_folder(tmp_path) == before
    catalogue = tmp_path / "catalogue.py"
    catalogue.write_text(catalogue.read_text("utf-8") + "# one feature more\n", "utf-8")
    assert cache_folder(tmp_path) != before


def test_the_kernel_is_cached_there_and_what_others_compile_is_not() -> None:
    for kernel in (fold._fold, windows.fold_windows):
        assert kernel._cache.cache_path.startswith(str(cache_folder(PACKAGE)))
    assert str(cache_folder(PACKAGE)) != config.CACHE_DIR
