from __future__ import annotations

import sys
from pathlib import Path

import pytest

from fraudwatch.observability.failure_reason import VARIABLE
from fraudwatch.stack import catalogue
from fraudwatch.stack.foreground import run_in_foreground
from fraudwatch.stack.home import ROOT, Home, StackError


@pytest.fixture
def home(tmp_path: Path) -> Home:
    found = Home(root=ROOT, runtime=Home.from_environment().runtime, folder=tmp_path / "home")
    found.make_folders()
    return found


def a_job(folder: Path, code: str) -> catalogue.Catalogue:
    script = folder / "job.py"
    script.write_text(code)
    return catalogue.parse(
        f"[job]\nsummary = 'prints'\ncommand = '{sys.executable} {script}'\noneshot = true\n"
        "[job.environment]\nWORD = '{home}'\n"
    )


def test_the_document_is_the_last_line_that_a_job_prints(home: Home, tmp_path: Path) -> None:
    code = """import json, os, sys
print("noise")
print(json.dumps({"arguments": sys.argv[1:], "home": os.environ["WORD"]}))
"""
    ended = run_in_foreground(home, a_job(tmp_path, code), "job", ["show", "2"], print)
    assert ended.document == {"arguments": ["show", "2"], "home": str(home.folder)}


def test_an_unexpected_exit_code_is_an_error_after_the_jobs_stderr(
    home: Home, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    refusing = a_job(tmp_path, "import sys; sys.exit('there is no version 9')")
    with pytest.raises(StackError, match="job ended with 1"):
        run_in_foreground(home, refusing, "job", ["show", "9"], print)
    assert "there is no version 9" in capfd.readouterr().err


def test_a_reason_that_the_job_recorded_is_the_whole_error(home: Home, tmp_path: Path) -> None:
    code = f"""import os, sys
open(os.environ["{VARIABLE}"], "w").write("HDFS is full; free some")
sys.exit(1)
"""
    with pytest.raises(StackError, match=r"^HDFS is full; free some$"):
        run_in_foreground(home, a_job(tmp_path, code), "job", [], print)


@pytest.mark.parametrize("name", ["backtest", "reconcile"])
def test_missing_services_are_named_with_the_fix(home: Home, name: str) -> None:
    with pytest.raises(StackError, match=r"do not run in this home.*up --profile lake"):
        run_in_foreground(home, catalogue.load(), name, [], print)
