"""Every process can import its modules in the locked environment that it runs in."""

from __future__ import annotations

import os
import subprocess
from collections import defaultdict
from pathlib import Path

import pytest

from fraudwatch.cli.external_commands import BENCHMARKS, CHAOS, DASHBOARDS
from fraudwatch.stack import catalogue
from fraudwatch.stack.home import ROOT, Home
from fraudwatch.stack.launches import interpreter

# Jobs are submitted from DAGs, not from the catalogue.
LAKE_JOBS = [
    f"{folder}.{path.stem}"
    for folder in ("batch", "spark_jobs")
    for path in sorted((ROOT / folder).glob("*.py"))
    if path.stem not in {"__init__", "fit_forest"}
]
EXTERNAL_COMMANDS = (CHAOS, DASHBOARDS, *BENCHMARKS)
# Processes that chaos runs and benchmarks start.
MEASURING = {
    "detector": ["chaos.verify", "benchmarks.stream_probe"],
    "lake": ["benchmarks.fold_pace", "benchmarks.spark_baselines"],
}
IMPORTS = "import importlib, sys\nfor name in sys.argv[1:]:\n    importlib.import_module(name)"


def modules_by_environment() -> dict[str, list[str]]:
    found = defaultdict(list, {"lake": [*LAKE_JOBS]})
    for service in catalogue.load().services.values():
        words = service.command.split()
        if service.environment_name and words[:2] == ["{python}", "-m"]:
            found[service.environment_name].append(words[2])
    for command in EXTERNAL_COMMANDS:
        found[command.environment].append(command.module)
    for environment, modules in MEASURING.items():
        found[environment] += modules
    found["control"] += ["fraudwatch.cli.__main__", "fraudwatch.stack.reap_orphans"]
    found["control"] += [f"fraudwatch.cli.{path.stem}" for path in command_files()]
    found["console"].append("streamlit_app.app")
    found["airflow"] += [f"dags.{path.stem}" for path in sorted((ROOT / "dags").glob("*.py"))]
    return dict(found)


def command_files() -> list[Path]:
    return [
        path
        for path in sorted((ROOT / "src/fraudwatch/cli").glob("*.py"))
        if not path.stem.startswith("__")
    ]


MODULES = modules_by_environment()


def test_every_environment_of_the_catalogue_is_checked() -> None:
    services = catalogue.load().services.values()
    used = {one.environment_name for one in services if one.environment_name}
    assert MODULES.keys() == used | {command.environment for command in EXTERNAL_COMMANDS}
    assert {"streaming.detector", "batch.extract_day"} <= {*MODULES["detector"], *MODULES["lake"]}


@pytest.mark.parametrize("name", sorted(MODULES))
def test_main_modules_import_in_their_environment(tmp_path: Path, name: str) -> None:
    python = interpreter(Home.from_environment(), name)
    if not Path(python).exists():
        pytest.skip(f"the {name} environment is not installed; run make install")
    done = subprocess.run(
        [python, "-W", "ignore", "-c", IMPORTS, *MODULES[name]],
        # Importing Airflow creates its settings and folders.
        env={**os.environ, "AIRFLOW_HOME": str(tmp_path)},
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr[-2_000:]
