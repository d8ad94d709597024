"""Run jobs as real processes; only Spark's own command is inspected instead of run."""

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
from structlog.testing import capture_logs

from fraudwatch.observability.failure_reason import VARIABLE
from fraudwatch.orchestration.batch_module import BatchModule
from fraudwatch.orchestration.job_process import JobFailed
from fraudwatch.orchestration.processes import end_group, tied_to_task
from fraudwatch.orchestration.settings import JobSettings
from fraudwatch.orchestration.spark_job import SparkJob, submit
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


def test_a_successful_job_raises_nothing(job_folder: Path) -> None:
    job(job_folder, "print('done')").execute(NO_CONTEXT)


def test_the_last_line_of_a_failed_job_is_the_reason(job_folder: Path) -> None:
    text = (
        "import sys\nprint('row 1')\nsys.exit('began\\nHDFS is full; nothing written: free some')"
    )
    with pytest.raises(JobFailed, match=r"^HDFS is full; nothing written: free some$"):
        job(job_folder, text).execute(NO_CONTEXT)


def test_an_error_logged_by_the_job_is_the_reason_whatever_is_printed_behind_it(
    job_folder: Path,
) -> None:
    text = (
        "import sys\nfrom fraudwatch.observability.logs import configure_logging\n"
        "log = configure_logging('trial_job')\n"
        "log.error('HDFS is full; nothing written: free some')\n"
        "print('ShutdownHookManager: deleting /tmp/spark-1', file=sys.stderr)\nsys.exit(1)"
    )
    with pytest.raises(JobFailed, match=r"^HDFS is full; nothing written: free some$"):
        job(job_folder, text).execute(NO_CONTEXT)


def test_an_uncaught_exception_is_reported_with_cause_effect_and_fix(job_folder: Path) -> None:
    text = (
        "from fraudwatch.observability.logs import configure_logging\n"
        "configure_logging('trial_job')\nraise ValueError('no such column')"
    )
    with pytest.raises(JobFailed, match=r"^The job stopped .*\(ValueError: no such column\)\. "):
        job(job_folder, text).execute(NO_CONTEXT)


def test_a_job_that_is_killed_is_reported_by_its_signal(job_folder: Path) -> None:
    with pytest.raises(JobFailed, match=r"^trial_job was killed by signal 9 \(out of memory\?\)"):
        job(job_folder, "import os; os.kill(os.getpid(), 9)").execute(NO_CONTEXT)


def test_a_job_that_gives_no_reason_is_reported_by_its_exit_code(job_folder: Path) -> None:
    with pytest.raises(JobFailed, match=r"^trial_job ended with exit code 3 and gave no reason"):
        job(job_folder, "import os; os._exit(3)").execute(NO_CONTEXT)


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


def test_without_its_settings_a_task_names_the_missing_one(monkeypatch: pytest.MonkeyPatch) -> None:
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


def test_a_whole_process_group_ends_even_if_it_ignores_sigterm() -> None:
    process = subprocess.Popen(
        [sys.executable, "-c", STUBBORN], stdout=subprocess.PIPE, text=True, **tied_to_task()
    )
    assert process.stdout is not None
    grandchild = int(process.stdout.readline())
    end_group(process, grace_seconds=0.5)
    assert process.returncode == -signal.SIGKILL
    assert wait_until_gone(grandchild)


def test_a_process_group_that_has_ended_is_ignored() -> None:
    process = subprocess.Popen([sys.executable, "-c", ""], **tied_to_task())
    process.wait()
    began = time.monotonic()
    end_group(process, grace_seconds=30)
    assert process.returncode == 0, "it ended by itself, not by our signal"
    assert time.monotonic() - began < 30, "nothing waits for a process that is gone"


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
    task = submit("refine_day", "refine/refine_day.py", arguments)
    task.prepare(
        JobSettings(fraudwatch_root=ROOT, fraudwatch_lake_python=Path("/envs/lake/bin/python")),
        LAKE,
    )
    assert task.env_vars == {
        "PYSPARK_PYTHON": "/envs/lake/bin/python",
        "PYSPARK_DRIVER_PYTHON": "/envs/lake/bin/python",
    }
    return task.command()


def test_spark_is_submitted_to_the_master_of_the_connection() -> None:
    command = command_of(["--day", "2026-11-20", ""])
    assert command[0] == "/envs/lake/bin/spark-submit"
    assert command[command.index("--master") + 1] == "local[2]"
    assert command[command.index("--jars") + 1] == LAKE.jars
    assert command[command.index("--driver-memory") + 1] == LAKE.driver_memory
    assert command[-3:] == [str(ROOT / "spark_jobs/refine/refine_day.py"), "--day", "2026-11-20"]


def test_a_file_named_by_a_submission_exists() -> None:
    named = [text for text in command_of([]) if "log4j2" in text]
    assert len(named) == 1
    assert Path(named[0].partition("file:")[2]).is_file()


def test_without_the_connection_spark_would_go_to_yarn(monkeypatch: pytest.MonkeyPatch) -> None:
    # Therefore the connection is part of the stack's environment and of this test.
    monkeypatch.setenv("AIRFLOW_CONN_SPARK_DEFAULT", "spark://local[1]")
    command = command_of([])
    assert command[command.index("--master") + 1] == "yarn"


def test_killing_a_task_that_never_started_does_nothing() -> None:
    BatchModule(task_id="trial", module="trial_job").on_kill()
    submit("refine_day", "refine/refine_day.py", []).on_kill()
    assert os.getpid() > 0


def submitted(folder: Path, monkeypatch: pytest.MonkeyPatch, text: str) -> SparkJob:
    """Create a task whose spark-submit is this shell script."""
    command = folder / "spark-submit"
    command.write_text(f"#!/bin/sh\n{text}\n", encoding="utf-8")
    command.chmod(0o755)
    monkeypatch.setenv("FRAUDWATCH_ROOT", str(folder))
    monkeypatch.setenv("FRAUDWATCH_LAKE_PYTHON", str(folder / "python"))
    monkeypatch.setenv("LAKE_FILE_SYSTEM", folder.as_uri())
    monkeypatch.setenv("LAKE_JARS", ",".join(f"/jars/{number}.jar" for number in range(100)))
    return submit("refine_day", "refine/refine_day.py", ["--day", "2026-11-20"])


def run_part(task: SparkJob, part: int = -1) -> None:
    instance: Any = SimpleNamespace(map_index=part)
    task.execute(Context(ti=instance))


def test_a_part_of_a_mapped_task_passes_its_index_to_its_job(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    part = tmp_path / "part"
    run_part(submitted(tmp_path, monkeypatch, f"echo $AIRFLOW_CTX_MAP_INDEX > {part}"), 3)
    assert part.read_text(encoding="utf-8") == "3\n"


JAVA_NOISE = """echo '2026-11-20 02:00:00,000Z WARN Utils: Your hostname resolves to a loopback'
echo 'HDFS is full'
echo 'java.io.IOException: Filesystem closed'
echo '	at org.apache.hadoop.hdfs.DFSClient.checkOpen(DFSClient.java:1)'
echo '2026-11-20 02:00:01,000Z WARN ShutdownHookManager: deleting /tmp/spark-1'
"""


@pytest.mark.parametrize(
    ("script", "reason"),
    [
        (f'echo "HDFS is full; free some" > "${VARIABLE}"\n{JAVA_NOISE}exit 1', "^HDFS is full; "),
        (f"{JAVA_NOISE}exit 1", "^java.io.IOException: Filesystem closed$"),
        ("echo 'usage: refine_day.py'; echo 'refine_day.py: error: no day'; exit 2", "^no day$"),
        ("echo '2026-11-20 02:00:01,000Z ERROR refine_day: no day'; exit 1", "^no day$"),
        ("kill -9 $$", r"^refine_day was killed by signal 9 \(out of memory\?\)"),
        ("exit 137", r"^refine_day was killed by signal 9 \(out of memory\?\)"),
        ("exit 143", "^refine_day was killed by signal 15, so"),
    ],
)
def test_a_spark_job_fails_with_its_reason_and_without_its_command_line(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, script: str, reason: str
) -> None:
    with pytest.raises(JobFailed, match=reason) as failure:
        run_part(submitted(tmp_path, monkeypatch, script))
    assert failure.value.__cause__ is None
    assert failure.value.__context__ is None
    assert "/jars/" not in str(failure.value)


def test_the_log_of_a_task_starts_with_the_job_without_its_jars(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with capture_logs() as logged:
        run_part(submitted(tmp_path, monkeypatch, "echo done"))
    shown = [
        one["event"] % one.get("positional_args", ())
        for one in logged
        if one["log_level"] == "info"
    ]
    assert shown == ["submits refine_day.py --day 2026-11-20", "done"]
