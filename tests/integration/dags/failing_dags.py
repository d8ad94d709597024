"""DAGs that fail on purpose, run one after the other by test_failure_mail.py in a new Airflow."""

from __future__ import annotations

import os
from datetime import timedelta
from pathlib import Path
from typing import Any

from airflow.dag_processing.dagbag import DagBag
from airflow.models.xcom import XComModel
from airflow.sdk import DAG, dag, get_current_context, task
from airflow.sdk.execution_time.comms import GetXCom, XComResult
from airflow.sdk.execution_time.supervisor import set_supervisor_comms
from airflow.utils.db import initdb
from airflow.utils.session import create_session

from fraudwatch.orchestration.batch_module import run_module
from fraudwatch.orchestration.days import RunRequest
from fraudwatch.orchestration.defaults import START_DATE, TASK_DEFAULTS, day_or_range
from fraudwatch.orchestration.failure_mail import mail_failure
from fraudwatch.orchestration.light_tasks import days, run_request_of
from fraudwatch.orchestration.spark_job import submit

AS_OURS: dict[str, Any] = {
    "start_date": START_DATE,
    "catchup": False,
    "on_failure_callback": mail_failure,
    "default_args": TASK_DEFAULTS | {"retries": 0},
}


@dag(dag_id="fails_twice", schedule=None, **AS_OURS)
def fails_twice() -> None:
    @task(retries=1, retry_delay=timedelta(0))
    def fails() -> None:
        number = get_current_context()["ti"].try_number
        raise ValueError(f"try {number}: <b>the shop</b> does not answer")

    @task
    def after() -> None: ...

    fails() >> after()


@dag(dag_id="fails_mapped", params={"number": 7}, schedule=None, **AS_OURS)
def fails_mapped() -> None:
    @task
    def one(index: int) -> None:
        if index == 1:
            raise ValueError(f"number {get_current_context()['params']['number']}")

    one.expand(index=[0, 1, 2])


@dag(dag_id="fails_as_job", schedule=None, **AS_OURS)
def fails_as_job() -> None:
    run_module("job", "trial_job", [])


@dag(dag_id="fails_as_spark_job", schedule=None, **AS_OURS)
def fails_as_spark_job() -> None:
    submit("job", "trial_spark_job.py", [])


@dag(dag_id="goes_well", params=day_or_range(), schedule=None, **AS_OURS)
def goes_well() -> None:
    @task
    def right(found: list[str]) -> None:
        request: RunRequest = run_request_of(get_current_context())
        assert found == ["2026-11-02", "2026-11-03"], (found, request)

    right(days())


ALL = (fails_twice, fails_mapped, fails_as_job, fails_as_spark_job, goes_well)
DAGS = [one_dag() for one_dag in ALL]
OURS = Path(__file__).with_name("ingest_transactions.py")

COMMAND = """#!/bin/sh
echo "$0" "$@" >> "$FRAUDWATCH_ROOT/calls"
test "$2" != trial_job || { echo HDFS is full >&2; exit 1; }
case "$*" in *trial_spark_job*)
  echo "The lake is full; free space, then run it again." > "$FRAUDWATCH_FAILURE_REASON_FILE"
  echo "java.io.IOException: Filesystem closed"; exit 1
esac
"""


class FromDatabase:
    """Answers a DAG's callback as the dag-processor does, which `dag.test` leaves out."""

    def send(self, request: GetXCom) -> XComResult:
        query = XComModel.get_many(
            run_id=request.run_id,
            key=request.key,
            task_ids=request.task_id,
            dag_ids=request.dag_id,
            map_indexes=request.map_index,
        )
        with create_session() as session:
            found = session.scalars(query).first()
            return XComResult(key=request.key, value=found.value if found else None)


def run(one_dag: DAG, **conf: object) -> str:
    with set_supervisor_comms(FromDatabase()):
        return str(one_dag.test(run_conf=conf).state)


if __name__ == "__main__":
    home = Path(os.environ["FRAUDWATCH_ROOT"])
    for name in ("python", "spark-submit"):
        (home / name).write_text(COMMAND, encoding="ascii")
        (home / name).chmod(0o700)
    initdb()
    twice, mapped, job, spark_job, well = DAGS
    states = [run(twice), run(mapped), run(mapped, number=8), run(job), run(spark_job)]
    range_params = {"from": "2026-11-02", "until": "2026-11-03"}
    ours = DagBag(dag_folder=str(OURS)).dags["ingest_transactions"]
    states += [run(well, **range_params), run(ours, **range_params)]
    assert states == ["failed"] * 5 + ["success"] * 2, states
