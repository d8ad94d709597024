"""The two usual ways to serve a forest on Spark: a model call a row, or one a batch of rows.

``python -m benchmarks.peer_query row_udf|pandas_udf`` runs one until the process is ended: a stock
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

from fraudwatch.adapters.artefacts.model_artefact import POINTER_NAME, point_to, write_artefact
from fraudwatch.adapters.artefacts.reloadable_models import load_models
from fraudwatch.adapters.lake.spark_stream import login_options
from fraudwatch.domain.arrays import Float64s
from fraudwatch.domain.features.feature_vector import VECTOR_FEATURES
from fraudwatch.domain.features.fold import features_version
from fraudwatch.domain.models.active_models import ActiveModels
from fraudwatch.domain.models.fitted import ModelKind, ModelMetadata
from fraudwatch.settings import KafkaSettings

INPUT_TOPIC, OUTPUT_TOPIC = "peer_input", "peer_output"
PEERS = ("row_udf", "pandas_udf")
_WIDTH = len(VECTOR_FEATURES)
_UNKNOWN_RATIO = 0.1
_FITTED_ROWS = 20_000


class PeerFailed(RuntimeError):
    """A peer did not do its work, so there is nothing to compare with."""


def vectors(count: int, seed: int) -> Float64s:
    """Made-up full vectors, some values of each unknown as in real ones."""
    chance = np.random.default_rng(seed)
    found: Float64s = chance.lognormal(2.0, 1.5, (count, _WIDTH))
    found[chance.random(found.shape) < _UNKNOWN_RATIO] = np.nan
    return found


def scores(models: ActiveModels, packed: Sequence[bytes]) -> Float64s:
    """What the stream's own evaluator says of vectors as they lie on the feature topic."""
    flat = np.frombuffer(b"".join(packed), dtype="<f8").astype(np.float64)
    anomaly = models.evidence(flat.reshape(-1, _WIDTH)).anomaly
    if anomaly is None:
        raise PeerFailed("no isolation forest is in use, so there is nothing to serve")
    return anomaly


def ensure_forest(folder: Path) -> ActiveModels:
    """The isolation forest that the folder points to; an empty folder gets one."""
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
    # A fraud model beside it is left out: the comparison is of one model.
    models = ActiveModels(anomaly=load_models(folder, (folder / POINTER_NAME).read_bytes()).anomaly)
    scores(models, [bytes(8 * _WIDTH)])
    return models


def serve(kafka: KafkaSettings, peer: str, forest: Path, jars: str) -> None:
    """Run a peer's query until the process is ended."""
    os.environ["PYSPARK_PYTHON"] = sys.executable
    builder = SparkSession.builder.appName(peer).master("local[2]").config("spark.jars", jars)
    session = builder.getOrCreate()
    score = _scorer(peer, session.sparkContext.broadcast(ensure_forest(forest)))
    login = login_options(kafka)
    source = session.readStream.format("kafka").options(
        **login, subscribe=INPUT_TOPIC, startingOffsets="earliest"
    )
    carried = F.unix_millis("timestamp").cast("string")
    judged = source.load().select(
        "key", F.concat_ws(" ", score("value").cast("string"), carried).alias("value")
    )
    sink = judged.writeStream.format("kafka").options(
        **login, topic=OUTPUT_TOPIC, checkpointLocation=str(Path.cwd() / "checkpoint")
    )
    sink.start().awaitTermination()


def _scorer(peer: str, shared: Any) -> Callable[..., Any]:
    def of_row(value: bytes) -> float:
        return float(scores(shared.value, [value])[0])

    def of_rows(values: pd.Series) -> pd.Series:
        return pd.Series(scores(shared.value, values.tolist()))

    if peer == "row_udf":
        return F.udf(of_row, DoubleType())
    batched: Callable[..., Any] = pandas_udf(  # type: ignore[call-overload]  # its overloads want a third argument
        of_rows, DoubleType()
    )
    return batched


def main() -> None:
    """Serve as the command line says; what it writes lies where it was started."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("peer", choices=PEERS)
    parser.add_argument("--forest", type=Path, required=True)
    parser.add_argument("--connector-jars", required=True)
    given = parser.parse_args()
    serve(KafkaSettings(), given.peer, given.forest, given.connector_jars)


if __name__ == "__main__":
    main()
