"""Jobs are real processes here; only Spark's own command is looked at instead of run."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from airflow.sdk import Context

from fraudwatch.orchestration.batch_module import BatchModule, JobFailed
from fraudwatch.orchestration.processes import end_group, tied_to_task
from fraudwatch.orchestration.settings import JobSettings
from fraudwatch.orchestration.spark_job import submit
from fraudwatch.settings import LakeSettings

NO_CONTEXT = Context()
ROOT = Path(__file__).parents[3]


def job(folder: Path, text: str, *arguments: str) -> BatchModule:
    (folder / "trial_job.py").write_text(text, encoding="utf-8")
    return BatchModule(task_id="trial", module="trial_job", arguments=arguments)


def is_running(pid: int) -> bool:
    try:
        state = Path(f"/proc/{pid}/stat").read_text(encoding="ascii").rpartition(")")[2].split()[0]
    except FileNotFoundError:
        return False
    return state != "Z"


def wait_until_gone(pid: int) -> bool:
    deadline = time.monotonic() + 60
    while is_running(pid) and time.monotonic() < deadline:
        time.sleep(0.05)
    return not is_running(pid)


def test_a_job_that_ends_well_says_nothing_more(job_folder: Path) -> None:
    job(job_folder, "print('done')").execute(NO_CONTEXT)


def test_the_last_line_of_a_failed_job_is_the_reason(job_folder: Path) -> None:
    text = (
        "import sys\nprint('row 1')\nsys.exit('began\\nHDFS is full; nothing written: free some')"
    )
    with pytest.raises(JobFailed, match=r"^HDFS is full; nothing written: free some$"):
        job(job_folder, text).execute(NO_CONTEXT)


def test_a_job_that_dies_silently_is_told_by_its_signal(job_folder: Path) -> None:
    with pytest.raises(JobFailed, match="ended with -9 and said nothing"):
        job(job_folder, "import os; os.kill(os.getpid(), 9)").execute(NO_CONTEXT)


def test_arguments_stay_single_and_empty_ones_are_left_out(job_folder: Path) -> None:
    text = "import sys\nassert sys.argv[1:] == ['--day', 'a b; rm -rf $HOME'], sys.argv\n"
    job(job_folder, text, "--day", "a b; rm -rf $HOME", "").execute(NO_CONTEXT)


def test_a_job_sees_its_own_settings_and_none_of_airflows(
    job_folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LAKE_FILE_SYSTEM", "file:///lake")
    monkeypatch.setenv("AIRFLOW__CORE__FERNET_KEY", "secret")
    text = (
        "import os\nassert os.environ['LAKE_FILE_SYSTEM'] == 'file:///lake'\n"
        "assert not [name for name in os.environ if 'AIRFLOW' in name]\n"
    )
    job(job_folder, text).execute(NO_CONTEXT)


def test_without_its_settings_a_task_says_which_is_missing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("FRAUDWATCH_LAKE_PYTHON", raising=False)
    monkeypatch.setenv("FRAUDWATCH_ROOT", "/nowhere")
    with pytest.raises(ValueError, match="fraudwatch_lake_python"):
        BatchModule(task_id="trial", module="trial_job").execute(NO_CONTEXT)


STUBBORN = """
import signal, subprocess, sys, time
signal.signal(signal.SIGTERM, signal.SIG_IGN)
child = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(300)"])
print(child.pid, flush=True)
time.sleep(300)
"""


def test_a_whole_group_ends_even_if_it_will_not() -> None:
    process = subprocess.Popen(
        [sys.executable, "-c", STUBBORN], stdout=subprocess.PIPE, text=True, **tied_to_task()
    )
    assert process.stdout is not None
    grandchild = int(process.stdout.readline())
    end_group(process, grace_seconds=0.5)
    assert process.returncode == -signal.SIGKILL
    assert wait_until_gone(grandchild)


def test_a_group_that_is_gone_is_left_alone() -> None:
    process = subprocess.Popen([sys.executable, "-c", ""], **tied_to_task())
    process.wait()
    end_group(process)


TASK = """
import subprocess, sys, time
from fraudwatch.orchestration.processes import tied_to_task
job = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(300)"], **tied_to_task())
print(job.pid, flush=True)
time.sleep(300)
"""


def test_a_job_ends_with_a_task_that_was_killed() -> None:
    task = subprocess.Popen([sys.executable, "-c", TASK], stdout=subprocess.PIPE, text=True)
    assert task.stdout is not None
    job_pid = int(task.stdout.readline())
    assert is_running(job_pid)
    task.kill()
    task.wait()
    assert wait_until_gone(job_pid)


LAKE = LakeSettings(file_system="hdfs://127.0.0.1:8020", jars="/jars/a.jar,/jars/b.jar")


def command_of(arguments: list[str]) -> list[str]:
    task = submit("refine_day", "refine_day.py", arguments)
    task.prepare(
        JobSettings(fraudwatch_root=ROOT, fraudwatch_lake_python=Path("/envs/lake/bin/python")),
        LAKE,
    )
    hook = task._get_hook()
    command: list[str] = hook._build_spark_submit_command(task.application)
    assert hook._env == {
        "PYSPARK_PYTHON": "/envs/lake/bin/python",
        "PYSPARK_DRIVER_PYTHON": "/envs/lake/bin/python",
    }
    return command


def test_spark_is_submitted_to_the_master_of_the_connection() -> None:
    command = command_of(["--day", "2026-11-20", ""])
    assert command[0] == "/envs/lake/bin/spark-submit"
    assert command[command.index("--master") + 1] == "local[2]"
    assert command[command.index("--jars") + 1] == LAKE.jars
    assert command[command.index("--driver-memory") + 1] == LAKE.driver_memory
    assert command[-3:] == [str(ROOT / "spark_jobs/refine_day.py"), "--day", "2026-11-20"]


def test_what_a_submission_names_is_there() -> None:
    named = [text for text in command_of([]) if "log4j2" in text]
    assert len(named) == 1
    assert Path(named[0].partition("file:")[2]).is_file()


def test_without_the_connection_spark_would_go_to_yarn(monkeypatch: pytest.MonkeyPatch) -> None:
    # Why the connection is part of the stack's environment and of this test.
    monkeypatch.setenv("AIRFLOW_CONN_SPARK_DEFAULT", "spark://local[1]")
    command = command_of([])
    assert command[command.index("--master") + 1] == "yarn"


def test_killing_a_task_that_never_began_is_nothing() -> None:
    BatchModule(task_id="trial", module="trial_job").on_kill()
    submit("refine_day", "refine_day.py", []).on_kill()
    assert os.getpid() > 0


def test_a_part_of_a_mapped_task_tells_its_job_which_it_is(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    told = tmp_path / "told"
    command = tmp_path / "spark-submit"
    command.write_text(f"#!/bin/sh\necho $AIRFLOW_CTX_MAP_INDEX > {told}\n", encoding="utf-8")
    command.chmod(0o755)
    monkeypatch.setenv("FRAUDWATCH_ROOT", str(tmp_path))
    monkeypatch.setenv("FRAUDWATCH_LAKE_PYTHON", str(tmp_path / "python"))
    monkeypatch.setenv("LAKE_FILE_SYSTEM", tmp_path.as_uri())
    part: Any = SimpleNamespace(map_index=3)
    submit("refine_day", "refine_day.py", []).execute(Context(ti=part))
    assert told.read_text(encoding="utf-8") == "3\n"
