"""Fit unsupervised baselines with scikit-learn, which use no labels.

They are fitted on a bounded sample inside a Spark task. Their scores only rank: the more unusual,
the higher.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from sklearn.ensemble import IsolationForest
from sklearn.kernel_approximation import Nystroem
from sklearn.linear_model import SGDOneClassSVM
from sklearn.neural_network import MLPRegressor
from sklearn.pipeline import make_pipeline

from fraudwatch.domain.arrays import Float64s
from fraudwatch.domain.models.fitted import Normal, normal_of
from spark_jobs.train.vector_tasks import TrainingRows

# Clipping bound in spreads from the median; larger values add nothing and make a net diverge.
_MAX_SPREADS: Final = 8.0
_CODE_WIDTHS: Final = (32, 8, 32)
_OUTLIER_SHARE: Final = 0.01


@dataclass(frozen=True, slots=True)
class Standardiser:
    """Standardisation of the columns that are known in any training row."""

    is_known: np.ndarray[Any, np.dtype[np.bool_]]
    normal: Normal

    def transform(self, values: Float64s) -> Float64s:
        """Convert to spreads from the median; unknown becomes 0."""
        known = values[:, self.is_known]
        spread = np.where(self.normal.spread > 0, self.normal.spread, 1.0)
        apart = (known - self.normal.median) / spread
        return np.clip(np.nan_to_num(apart, nan=0.0), -_MAX_SPREADS, _MAX_SPREADS)


def fit_standardiser(values: Float64s) -> Standardiser:
    """Fit the standardisation on the training rows only."""
    is_known = np.any(~np.isnan(values), axis=0)
    return Standardiser(is_known, normal_of(values[:, is_known]))


@dataclass(frozen=True, slots=True)
class _Negated:
    """Scorer by a fitted estimator whose own numbers fall as a row grows more unusual."""

    standardiser: Standardiser
    fitted: Any
    method: str

    def score(self, values: Float64s) -> Float64s:
        scores = getattr(self.fitted, self.method)(self.standardiser.transform(values))
        return -np.asarray(scores, dtype=np.float64)


@dataclass(frozen=True, slots=True)
class _Reconstruction:
    """Scorer by the reconstruction error of a net that was fitted on usual rows."""

    standardiser: Standardiser
    net: Any

    def score(self, values: Float64s) -> Float64s:
        rows = self.standardiser.transform(values)
        return np.asarray(((self.net.predict(rows) - rows) ** 2).mean(axis=1), dtype=np.float64)


@dataclass(frozen=True, slots=True)
class IsolationForestBaseline:
    """Isolation forest (Liu, Ting, Zhou 2008), as in the stream: few cuts isolate a fraud."""

    name: str = "isolation_forest"
    seed: int = 7

    def fit(self, rows: TrainingRows) -> _Negated:
        standardiser = fit_standardiser(rows.values)
        forest = IsolationForest(random_state=self.seed, n_jobs=1)
        fitted = forest.fit(standardiser.transform(rows.values))
        return _Negated(standardiser, fitted, "score_samples")


@dataclass(frozen=True, slots=True)
class OneClassSvmBaseline:
    """One-class SVM (Schölkopf et al. 2001): a border around usual rows, kernel approximated."""

    name: str = "one_class_svm"
    seed: int = 7

    def fit(self, rows: TrainingRows) -> _Negated:
        standardiser = fit_standardiser(rows.values)
        machine = make_pipeline(
            Nystroem(
                n_components=min(100, len(rows.values)),
                gamma=1.0 / (4 * int(standardiser.is_known.sum())),
                random_state=self.seed,
            ),
            SGDOneClassSVM(nu=_OUTLIER_SHARE, random_state=self.seed),
        )
        fitted = machine.fit(standardiser.transform(rows.values))
        return _Negated(standardiser, fitted, "decision_function")


@dataclass(frozen=True, slots=True)
class AutoencoderBaseline:
    """Autoencoder, a net with a bottleneck; the Handbook's unsupervised baseline (ch. 7)."""

    name: str = "autoencoder"
    seed: int = 7

    def fit(self, rows: TrainingRows) -> _Reconstruction:
        standardiser = fit_standardiser(rows.values)
        values = standardiser.transform(rows.values)
        # Early stopping holds out rows of the sample; hitting max_iter needs no warning.
        net = MLPRegressor(
            hidden_layer_sizes=_CODE_WIDTHS,
            max_iter=40,
            tol=1e-3,
            n_iter_no_change=4,
            early_stopping=True,
            random_state=self.seed,
        )
        return _Reconstruction(standardiser, net.fit(values, values))
