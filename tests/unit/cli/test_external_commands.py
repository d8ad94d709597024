"""Chaos runs and benchmarks start from the control environment, each in its own, on little data."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest

from fraudwatch.cli.external_commands import LAKE, ExternalCommand, python_of
from fraudwatch.stack import environments
from fraudwatch.stack.home import ROOT, Home
from fraudwatch.stack.launches import interpreter

HOME = Home.from_environment()
CONTROL = interpreter(HOME, "control")

is_installed = pytest.mark.skipif(
    not all(environments.is_current(HOME, name) for name in ("control", LAKE)),
    reason="the locked environments are not installed; run make install",
)


def fraudwatch(folder: Path, *words: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [CONTROL, "-m", "fraudwatch.cli", *words],
        cwd=folder,
        capture_output=True,
        text=True,
        check=False,
    )


def purchases(first: date, days: int, a_day: int) -> pl.DataFrame:
    """One purchase in ten is fraud; all frauds are of one merchant and expensive."""
    random = np.random.default_rng(3)
    rows = days * a_day
    is_fraud = random.random(rows) < 0.1
    return pl.DataFrame(
        {
            "number": np.arange(rows),
            "at": [
                f"{first + timedelta(days=n // a_day)} {n % a_day % 24:02}:00:00"
                for n in range(rows)
            ],
            "card": random.integers(1, 40, rows),
            "merchant": np.where(is_fraud, 99, random.integers(1, 20, rows)),
            "amount": np.where(is_fraud, 950.0, 25.0),
            "is_fraud": is_fraud.astype(np.int64),
        }
    )


@is_installed
def test_handbook_measures_a_csv_in_the_current_folder(tmp_path: Path) -> None:
    names = ("TRANSACTION_ID", "TX_DATETIME", "CUSTOMER_ID", "TERMINAL_ID", "TX_AMOUNT", "TX_FRAUD")
    table = purchases(date(2018, 6, 25), 72, 24)
    table.rename(dict(zip(table.columns, names, strict=True))).write_csv(tmp_path / "small.csv")
    done = fraudwatch(tmp_path, "benchmark", "handbook", "small.csv", "--json")
    report: dict[str, Any] = json.loads(done.stdout)
    # Results on such easy fraud are better than the protocol allows for its own data.
    assert report["leak"] is True
    assert done.returncode == 1
    assert "INFO handbook: reading small.csv" in done.stderr
    assert done.stderr.splitlines()[-1].startswith("leak: ")
    assert [len(one["by_week"]) for one in report["models"]] == [4] * 5
    assert report["models"][-1]["name"] == "ours: verdict"
    assert report["verdict"]["purchases"] == 28 * 24
    assert {"reach", "seconds", "peak_rss_mib", "versions", "machine"} <= report.keys()


@is_installed
def test_sparkov_prints_a_table_of_a_file_and_its_cards(tmp_path: Path) -> None:
    names = ("trans_num", "trans_datetime", "cc_num", "merchant", "amt", "is_fraud")
    table = purchases(date(2020, 3, 1), 92, 24)
    own = table.rename(dict(zip(table.columns, names, strict=True))).with_columns(
        pl.col("cc_num") + 4_000_000_000_000_000,
        pl.lit("misc_net").alias("category"),
        pl.lit(40.0).alias("merch_lat"),
        pl.lit(-75.0).alias("merch_long"),
    )
    own.write_parquet(tmp_path / "small.parquet")
    cards = own.select("cc_num").unique()
    home = {"first": "Ann", "last": "Lee", "lat": 40.1, "long": -75.1}
    cards.with_columns(pl.lit(value).alias(name) for name, value in home.items()).write_parquet(
        tmp_path / "cards.parquet"
    )
    done = fraudwatch(tmp_path, "benchmark", "sparkov", "small.parquet")
    assert done.returncode == 0, done.stderr
    first, _, *lines, last = done.stdout.splitlines()
    assert first.startswith("2020-04-01 to 2020-05-31: 1,464 purchases")
    rankings = {line[:34].strip() for line in lines[:6]}
    assert {"verdict", "verdict without a model", "model alone"} <= rankings
    # A share of purchases limits the budget of so small a shop.
    assert lines[6].startswith("alerts a day: ")
    assert "on 61 days, budget 4.4" in lines[6]
    assert sum(line.startswith(("reached ", "MISSED ")) for line in lines) == 8
    assert last.split()[1] == "s,"


@is_installed
def test_a_missing_file_is_reported_in_one_line(tmp_path: Path) -> None:
    done = fraudwatch(tmp_path, "benchmark", "handbook", "absent.csv")
    assert (done.returncode, done.stdout) == (1, "")
    assert "Traceback" not in done.stderr
    assert done.stderr.splitlines()[-1] == "fraudwatch: absent.csv: no such file"


@is_installed
@pytest.mark.parametrize(
    "words",
    [
        ("chaos",),
        ("soak",),
        ("benchmark", "stream"),
        ("benchmark", "answers"),
        ("benchmark", "intake"),
        ("benchmark", "scrape"),
        ("benchmark", "batch"),
    ],
    ids=" ".join,
)
def test_help_is_printed_by_the_command_itself(tmp_path: Path, words: tuple[str, ...]) -> None:
    shown = fraudwatch(tmp_path, *words, "--help")
    assert (shown.returncode, shown.stderr) == (0, "")
    assert f"Example: ./fraudwatch {' '.join(words)}" in shown.stdout


def test_control_c_reaches_the_command_itself(tmp_path: Path) -> None:
    (tmp_path / "patient.py").write_text(
        "import sys, time\n"
        "try:\n"
        "    print(*sys.argv[1:], flush=True)\n"
        "    time.sleep(60)\n"
        "except KeyboardInterrupt:\n"
        "    sys.exit(7)\n"
    )
    start = (
        "from fraudwatch.cli.external_commands import ExternalCommand, replace_process\n"
        "from fraudwatch.stack.home import Home\n"
        "command = ExternalCommand('patient', 'control', 'patient', '')\n"
        "replace_process(Home.from_environment(), command, ['--kills', '1'])"
    )
    path = os.pathsep.join([str(tmp_path), *os.environ.get("PYTHONPATH", "").split(os.pathsep)])
    with subprocess.Popen(
        [sys.executable, "-c", start],
        env={**os.environ, "PYTHONPATH": path},
        stdout=subprocess.PIPE,
        text=True,
    ) as started:
        assert started.stdout is not None
        assert started.stdout.readline() == "--kills 1\n"
        started.send_signal(signal.SIGINT)
        assert started.wait(timeout=30) == 7


def test_a_command_of_the_control_environment_needs_no_other() -> None:
    command = ExternalCommand("any", "control", "any", "")
    nowhere = Home(root=ROOT, runtime=Path("/nowhere"), folder=Path("/nowhere"))
    assert python_of(nowhere, command) == Path(sys.executable)
