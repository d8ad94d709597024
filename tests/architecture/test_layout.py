from __future__ import annotations

import ast
import importlib
import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
TRUNK = ROOT / "src" / "fraudwatch"
LEAVES = (
    "streaming",
    "batch",
    "spark_jobs",
    "shop",
    "streamlit_app",
    "rest_api",
    "benchmarks",
    "chaos",
    "dev_mail",
    "exporters",
)
ASSETS = (
    "cassandra",
    "hive",
    "contracts",
    "docker",
    "docs",
    "data",
    "monitoring",
    "requirements",
    "superset",
    "systemd",
)
PURE = {"numpy", "numba", "llvmlite", "fraudwatch", "__future__"}
VAGUE_NAMES = {"utils", "util", "helpers", "helper", "common", "misc", "tools"}


def tracked(pattern: str) -> list[Path]:
    listed = subprocess.run(
        ["git", "ls-files", "--cached", "--others", "--exclude-standard", pattern],
        cwd=ROOT,
        check=True,
        capture_output=True,
        text=True,
    )
    return [ROOT / line for line in listed.stdout.splitlines() if (ROOT / line).exists()]


PYTHON_FILES = tracked("*.py")


def imports_of(path: Path) -> set[str]:
    names: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            names.add(node.module)
    return names


def test_the_listing_found_the_code() -> None:
    assert len(PYTHON_FILES) > 50


@pytest.mark.parametrize("folder", ASSETS)
def test_asset_folders_have_no_python(folder: str) -> None:
    # A cassandra/__init__.py would shadow the driver of that name.
    assert [path for path in PYTHON_FILES if path.relative_to(ROOT).parts[0] == folder] == []


@pytest.mark.parametrize("leaf", LEAVES)
def test_leaves_come_from_this_checkout(leaf: str) -> None:
    module = importlib.import_module(leaf)
    assert module.__file__ is not None
    assert Path(module.__file__).parent == ROOT / leaf


# The shop's benchmark measures on its world; a soak test measures as the benchmarks do.
MAY_USE = {"benchmarks": {"shop"}, "chaos": {"benchmarks"}}


def test_only_tests_import_a_leaf_from_outside() -> None:
    for path in PYTHON_FILES:
        home = path.relative_to(ROOT).parts[0]
        used = {name.split(".")[0] for name in imports_of(path)} & set(LEAVES)
        assert home == "tests" or used <= {home, *MAY_USE.get(home, ())}, path


def test_the_domain_imports_no_engine() -> None:
    for path in (TRUNK / "domain").rglob("*.py"):
        foreign = {name.split(".")[0] for name in imports_of(path)} - PURE
        assert foreign <= sys.stdlib_module_names, path
        for name in imports_of(path):
            assert not name.startswith("fraudwatch.") or name.startswith("fraudwatch.domain"), path


def test_the_shop_imports_only_settings_and_metrics() -> None:
    for path in (ROOT / "shop").rglob("*.py"):
        ours = {name for name in imports_of(path) if name.startswith("fraudwatch")}
        assert ours <= {"fraudwatch.settings", "fraudwatch.observability.metrics"}, path


def test_no_module_has_a_vague_name() -> None:
    for path in PYTHON_FILES:
        parts = {part.removesuffix(".py") for part in path.relative_to(ROOT).parts}
        assert not parts & VAGUE_NAMES, path


def test_tests_shadow_no_dependency() -> None:
    assert list((ROOT / "tests").rglob("__init__.py")) == []
    assert not {"cassandra", "kafka", "pyspark", "streamlit"} & {
        path.name for path in (ROOT / "tests").rglob("*") if path.is_dir()
    }


def test_no_module_exceeds_the_line_limit() -> None:
    too_long = {
        str(path.relative_to(ROOT)): lines
        for path in PYTHON_FILES
        if path.relative_to(ROOT).parts[0] not in ("tests", "clients")  # clients are generated
        if (lines := len(path.read_text(encoding="utf-8").splitlines())) > 250
    }
    assert too_long == {}


def test_locks_name_no_registry_and_no_machine() -> None:
    locks = [*(ROOT / "requirements").rglob("*.txt"), *(ROOT / "requirements").rglob("*.lock")]
    assert len(locks) > 8
    for lock in locks:
        text = lock.read_text(encoding="utf-8")
        assert not re.search(r"https?://|--index-url|/home/|/root/|/work/", text), lock
