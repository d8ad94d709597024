"""Spark baseline queries: score a forest by a UDF per row or a pandas UDF per batch of rows.

``python -m benchmarks.baseline_query row_udf|pandas_udf`` runs one until it is killed: a stock
query from Spark's Kafka source to its Kafka sink. ``benchmarks/spark_baselines.py`` measures it.
"""

from __future__ import annotations

import argparse
import os
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from pyspark.sql import SparkSession
from pyspark.sql import functions as F  # noqa: N812  its customary name
from pyspark.sql.pandas.functions import pandas_udf
from pyspark.sql.types import DoubleType

from fraudwatch.adapters.artefacts.model_artefact import write_artefact
from fraudwatch.adapters.artefacts.model_pointer import POINTER_NAME, parse_pointer, point_to
from fraudwatch.adapters.artefacts.reloadable_models import load_models
from fraudwatch.adapters.lake.spark_stream import login_options
from fraudwatch.domain.arrays import Float64s
from fraudwatch.domain.features.feature_vector import VECTOR_FEATURES
from fraudwatch.domain.features.fold import features_version
from fraudwatch.domain.models.active_models import ActiveModels
from fraudwatch.domain.models.fitted import ModelKind, ModelMetadata
from fraudwatch.settings import KafkaSettings

INPUT_TOPIC, OUTPUT_TOPIC = "peer_input", "peer_output"
BASELINES = ("row_udf", "pandas_udf")
_WIDTH = len(VECTOR_FEATURES)
_UNKNOWN_RATIO = 0.1
_FITTED_ROWS = 20_000


class BaselineFailed(RuntimeError):
    """A baseline failed, so there is nothing to compare with."""


def vectors(count: int, seed: int) -> Float64s:
    """Generate random feature vectors, with a share of unknown values as in real ones."""
    rng = np.random.default_rng(seed)
    generated: Float64s = rng.lognormal(2.0, 1.5, (count, _WIDTH))
    generated[rng.random(generated.shape) < _UNKNOWN_RATIO] = np.nan
    return generated


def scores(models: ActiveModels, packed: Sequence[bytes]) -> Float64s:
    """Score packed vectors of the feature topic with the stream's own evaluator."""
    flat = np.frombuffer(b"".join(packed), dtype="<f8").astype(np.float64)
    anomaly = models.evidence(flat.reshape(-1, _WIDTH)).anomaly
    if anomaly is None:
        raise BaselineFailed(
            "no isolation forest is active, so nothing can be scored; fit one or name another "
            "--forest"
        )
    return anomaly


def ensure_forest(folder: Path) -> ActiveModels:
    """Load the folder's active isolation forest; fit one first if the folder has none."""
    if not (folder / POINTER_NAME).exists():
        from fraudwatch.adapters.artefacts.sklearn_forest import (
            ForestShape,
            all_features,
            fit_forest,
        )

        now_ms = time.time_ns() // 1_000_000
        about = ModelMetadata(
            kind=ModelKind.ISOLATION_FOREST,
            features=all_features(),
            features_version=features_version(),
            fitted_at_ms=now_ms,
            rows=_FITTED_ROWS,
            from_ms=now_ms,
            until_ms=now_ms,
        )
        folder.mkdir(parents=True, exist_ok=True)
        fitted = fit_forest(vectors(_FITTED_ROWS, seed=7), about, ForestShape())
        point_to(folder, about.kind, write_artefact(folder, fitted))
    # A classifier in the same folder is ignored: one model is compared.
    pointer = parse_pointer((folder / POINTER_NAME).read_bytes())
    models = ActiveModels(anomaly=load_models(folder, pointer).anomaly)
    scores(models, [bytes(8 * _WIDTH)])
    return models


def run_query(kafka: KafkaSettings, baseline: str, forest: Path, jars: str) -> None:
    """Run a baseline's query until the process is killed."""
    os.environ["PYSPARK_PYTHON"] = sys.executable
    builder = SparkSession.builder.appName(baseline).master("local[2]").config("spark.jars", jars)
    session = builder.getOrCreate()
    score = _scorer(baseline, session.sparkContext.broadcast(ensure_forest(forest)))
    login = login_options(kafka)
    source = session.readStream.format("kafka").options(
        **login, subscribe=INPUT_TOPIC, startingOffsets="earliest"
    )
    due_ms = F.unix_millis("timestamp").cast("string")
    scored = source.load().select(
        "key", F.concat_ws(" ", score("value").cast("string"), due_ms).alias("value")
    )
    sink = scored.writeStream.format("kafka").options(
        **login, topic=OUTPUT_TOPIC, checkpointLocation=str(Path.cwd() / "checkpoint")
    )
    sink.start().awaitTermination()


def _scorer(baseline: str, shared: Any) -> Callable[..., Any]:
    def score_row(value: bytes) -> float:
        return float(scores(shared.value, [value])[0])

    def score_rows(values: pd.Series) -> pd.Series:
        return pd.Series(scores(shared.value, values.tolist()))

    if baseline == "row_udf":
        return F.udf(score_row, DoubleType())
    batched: Callable[..., Any] = pandas_udf(  # type: ignore[call-overload]  # its overloads want a third argument
        score_rows, DoubleType()
    )
    return batched


def main() -> None:
    """Run the query of the command line, with its checkpoint in the working directory."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("baseline", choices=BASELINES)
    parser.add_argument("--forest", type=Path, required=True)
    parser.add_argument("--connector-jars", required=True)
    options = parser.parse_args()
    run_query(KafkaSettings(), options.baseline, options.forest, options.connector_jars)


if __name__ == "__main__":
    main()
