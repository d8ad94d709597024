"""Set the environment of Airflow, which reads it when it is first imported: import this before."""

from __future__ import annotations

import os
import tempfile
from pathlib import Path

ROOT = Path(__file__).parents[1]
DAGS = ROOT / "dags"

os.environ |= {
    "AIRFLOW_HOME": tempfile.mkdtemp(prefix="airflow-"),
    "AIRFLOW__CORE__LOAD_EXAMPLES": "False",
    "AIRFLOW__CORE__DAGS_FOLDER": str(DAGS),
    "AIRFLOW_CONN_SPARK_DEFAULT": '{"conn_type": "spark", "host": "local[2]"}',
}
