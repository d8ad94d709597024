"""Fit the isolation forest on served features and activate it for the stream's next micro-batch.

``python -m batch.fit_forest`` reads ``feature_topic`` from its beginning to its current end, draws
a uniform sample of the rows of today's features version, fits, writes the artefact, moves the
pointer and prunes old models. The same log and seed give the same trees. ``--json`` prints one JSON
object.
"""

from __future__ import annotations

import argparse
import json
import logging
import sys
import time
from collections.abc import Iterable
from dataclasses import asdict, dataclass

from fraudwatch.adapters.artefacts.model_artefact import Artefact, write_artefact
from fraudwatch.adapters.artefacts.model_pointer import point_to
from fraudwatch.adapters.artefacts.model_pruning import prune_fitted
from fraudwatch.adapters.artefacts.sklearn_forest import ForestShape, all_features, fit_forest
from fraudwatch.adapters.kafka_log.feature_log import Vectors, read_vectors
from fraudwatch.batch_settings import TrainingSettings
from fraudwatch.domain.arrays import Float64s
from fraudwatch.domain.features.feature_vector import VECTOR_FEATURES
from fraudwatch.domain.features.fold import features_version
from fraudwatch.domain.models.fitted import VERSION_LENGTH, ModelKind, ModelMetadata
from fraudwatch.domain.models.sample import Reservoir
from fraudwatch.observability.job_metrics import run_job, send_rows
from fraudwatch.observability.logs import configure_logging
from fraudwatch.settings import KafkaSettings

log = logging.getLogger("fit_forest")

TOO_FEW_ROWS = 3
_LOG_EVERY_ROWS = 100_000


class TooFewRows(ValueError):
    """Too few purchases to fit the isolation forest."""


@dataclass(frozen=True, slots=True)
class FeatureSample:
    """Sample of the log, with the number and time range of the rows it was drawn from."""

    rows: Float64s
    rows_offered: int
    skipped: int
    from_ms: int
    until_ms: int


@dataclass(frozen=True, slots=True)
class ForestReport:
    """Result of a run, as it is printed."""

    version: str
    sha256: str
    rows_fitted: int
    rows_seen: int
    rows_passed_over: int
    features: int
    seconds: float


def draw_sample(chunks: Iterable[Vectors], settings: TrainingSettings) -> FeatureSample:
    """Draw a uniform sample of all rows.

    Raises:
        TooFewRows: there are fewer rows than the settings require.
    """
    reservoir = Reservoir(settings.sample_rows, len(VECTOR_FEATURES), settings.seed)
    skipped, from_ms, until_ms, logged = 0, sys.maxsize, 0, 0
    for chunk in chunks:
        skipped += chunk.skipped
        if len(chunk.features):
            reservoir.add(chunk.features)
            from_ms = min(from_ms, int(chunk.served_at_ms.min()))
            until_ms = max(until_ms, int(chunk.served_at_ms.max()))
        if reservoir.rows_offered - logged >= _LOG_EVERY_ROWS:
            logged = reservoir.rows_offered
            log.info("read %d rows, skipped %d", logged, skipped)
    if reservoir.rows_offered < settings.minimum_rows:
        raise TooFewRows(
            f"the log has {reservoir.rows_offered} rows of today's features and "
            f"{settings.minimum_rows} are needed ({skipped} of other features were skipped); "
            "nothing was written and the active model stays: run this again when more purchases "
            "have been scored"
        )
    return FeatureSample(reservoir.rows, reservoir.rows_offered, skipped, from_ms, until_ms)


def fit(sample: FeatureSample, settings: TrainingSettings, *, fitted_at_ms: int) -> Artefact:
    """Fit the forest on a sample."""
    about = ModelMetadata(
        kind=ModelKind.ISOLATION_FOREST,
        features=all_features(),
        features_version=features_version(),
        fitted_at_ms=fitted_at_ms,
        rows=len(sample.rows),
        from_ms=sample.from_ms,
        until_ms=sample.until_ms,
    )
    return fit_forest(sample.rows, about, ForestShape(seed=settings.seed))


def run(chunks: Iterable[Vectors], settings: TrainingSettings) -> ForestReport:
    """Draw a sample, fit, write the artefact, move the pointer and prune old models.

    Raises:
        TooFewRows: nothing was written.
    """
    began = time.monotonic()
    sample = draw_sample(chunks, settings)
    log.info("fitting on %d of %d rows", len(sample.rows), sample.rows_offered)
    artefact = fit(sample, settings, fitted_at_ms=time.time_ns() // 1_000_000)
    sha256 = write_artefact(settings.models_folder, artefact)
    point_to(settings.models_folder, artefact.about.kind, sha256)
    prune_fitted(settings.models_folder)
    return ForestReport(
        version=sha256[:VERSION_LENGTH],
        sha256=sha256,
        rows_fitted=len(sample.rows),
        rows_seen=sample.rows_offered,
        rows_passed_over=sample.skipped,
        features=len(artefact.about.features),
        seconds=round(time.monotonic() - began, 1),
    )


def main() -> int:
    """Run the job once, print its result and return the exit code."""
    parser = argparse.ArgumentParser(prog="python -m batch.fit_forest", description=__doc__)
    parser.add_argument("--json", action="store_true", help="print exactly one JSON object")
    as_json = parser.parse_args().json
    configure_logging("fit_forest")
    try:
        report = run(read_vectors(KafkaSettings(), features_version()), TrainingSettings())
    except TooFewRows as error:
        log.error("%s", error)  # noqa: TRY400  the sentence is enough; a traceback would bury it
        return TOO_FEW_ROWS
    send_rows({"fit_forest": report.rows_fitted})
    text = (
        json.dumps(asdict(report))
        if as_json
        else f"isolation forest {report.version}: fitted on {report.rows_fitted} of "
        f"{report.rows_seen} rows in {report.seconds} s; the stream loads it now"
    )
    sys.stdout.write(f"{text}\n")
    return 0


if __name__ == "__main__":
    sys.exit(run_job("fit_forest", main))
