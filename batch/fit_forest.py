"""Fits the isolation forest on served features and lets the stream use it from its next batch on.

``python -m batch.fit_forest`` reads ``feature_topic`` from its beginning to its present end, draws
a uniform sample of the rows that today's features served, fits, writes the artefact, moves the
pointer and removes models of long ago. The same log and seed grow the same trees. ``--json``
prints one line for machines.
"""

from __future__ import annotations

import argparse
import json
import logging
import sys
import time
from collections.abc import Iterable
from dataclasses import asdict, dataclass

from fraudwatch.adapters.artefacts.model_artefact import Artefact, point_to, write_artefact
from fraudwatch.adapters.artefacts.model_pruning import prune_fitted
from fraudwatch.adapters.artefacts.sklearn_forest import ForestShape, all_features, fit_forest
from fraudwatch.adapters.kafka_log.feature_log import Vectors, read_vectors
from fraudwatch.domain.arrays import Float64s
from fraudwatch.domain.features.feature_vector import VECTOR_FEATURES
from fraudwatch.domain.features.fold import features_version
from fraudwatch.domain.models.fitted import VERSION_LENGTH, ModelKind, ModelMetadata
from fraudwatch.domain.models.sample import Reservoir
from fraudwatch.observability.logs import configure_logging
from fraudwatch.settings import KafkaSettings, TrainingSettings

log = logging.getLogger("fit_forest")

TOO_FEW_ROWS = 3
_TELL_EVERY_ROWS = 100_000


class TooFewRows(ValueError):
    """Not enough purchases to tell usual from unusual."""


@dataclass(frozen=True, slots=True)
class Drawn:
    """A sample of the log, and of how much it is one."""

    rows: Float64s
    rows_offered: int
    skipped: int
    from_ms: int
    until_ms: int


@dataclass(frozen=True, slots=True)
class Report:
    """What a run did, as it is printed."""

    version: str
    sha256: str
    rows_fitted: int
    rows_seen: int
    rows_passed_over: int
    features: int
    seconds: float


def draw(chunks: Iterable[Vectors], settings: TrainingSettings) -> Drawn:
    """A uniform sample of all rows.

    Raises:
        TooFewRows: there are not enough to fit anything on.
    """
    reservoir = Reservoir(settings.sample_rows, len(VECTOR_FEATURES), settings.seed)
    skipped, from_ms, until_ms, told = 0, sys.maxsize, 0, 0
    for chunk in chunks:
        skipped += chunk.skipped
        if len(chunk.features):
            reservoir.add(chunk.features)
            from_ms = min(from_ms, int(chunk.served_at_ms.min()))
            until_ms = max(until_ms, int(chunk.served_at_ms.max()))
        if reservoir.rows_offered - told >= _TELL_EVERY_ROWS:
            told = reservoir.rows_offered
            log.info("read %d rows, passed over %d", told, skipped)
    if reservoir.rows_offered < settings.minimum_rows:
        raise TooFewRows(
            f"the log holds {reservoir.rows_offered} rows of today's features and "
            f"{settings.minimum_rows} are needed ({skipped} of other features were passed "
            "over); nothing was written and the active model stays: run this again when more "
            "purchases have been scored"
        )
    return Drawn(reservoir.rows, reservoir.rows_offered, skipped, from_ms, until_ms)


def fit(drawn: Drawn, settings: TrainingSettings, *, fitted_at_ms: int) -> Artefact:
    """The forest of a sample."""
    about = ModelMetadata(
        kind=ModelKind.ISOLATION_FOREST,
        features=all_features(),
        features_version=features_version(),
        fitted_at_ms=fitted_at_ms,
        rows=len(drawn.rows),
        from_ms=drawn.from_ms,
        until_ms=drawn.until_ms,
    )
    return fit_forest(drawn.rows, about, ForestShape(seed=settings.seed))


def run(chunks: Iterable[Vectors], settings: TrainingSettings) -> Report:
    """Draw, fit, write, point, and clear away.

    Raises:
        TooFewRows: nothing was written.
    """
    began = time.monotonic()
    drawn = draw(chunks, settings)
    log.info("fitting on %d of %d rows", len(drawn.rows), drawn.rows_offered)
    artefact = fit(drawn, settings, fitted_at_ms=time.time_ns() // 1_000_000)
    sha256 = write_artefact(settings.models_folder, artefact)
    point_to(settings.models_folder, artefact.about.kind, sha256)
    prune_fitted(settings.models_folder)
    return Report(
        version=sha256[:VERSION_LENGTH],
        sha256=sha256,
        rows_fitted=len(drawn.rows),
        rows_seen=drawn.rows_offered,
        rows_passed_over=drawn.skipped,
        features=len(artefact.about.features),
        seconds=round(time.monotonic() - began, 1),
    )


def main() -> int:
    """Wire the job, run it once and say what came of it."""
    parser = argparse.ArgumentParser(prog="python -m batch.fit_forest", description=__doc__)
    parser.add_argument("--json", action="store_true", help="print exactly one JSON object")
    as_json = parser.parse_args().json
    configure_logging("fit_forest")
    try:
        report = run(read_vectors(KafkaSettings(), features_version()), TrainingSettings())
    except TooFewRows as error:
        log.error("%s", error)  # noqa: TRY400  the sentence says it; a traceback would bury it
        return TOO_FEW_ROWS
    said = (
        json.dumps(asdict(report))
        if as_json
        else f"isolation forest {report.version}: fitted on {report.rows_fitted} of "
        f"{report.rows_seen} rows in {report.seconds} s; the stream takes it up now"
    )
    sys.stdout.write(f"{said}\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
