"""Unsupervised rivals by scikit-learn: what they would find without a single label.

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
from spark_jobs.train.vector_tasks import Labelled

# So many spreads from the middle is far; farther is no more telling, and would blow up a net.
_FARTHEST: Final = 8.0
_CODE_WIDTHS: Final = (32, 8, 32)
_OUTLIER_SHARE: Final = 0.01


@dataclass(frozen=True, slots=True)
class Standardised:
    """Which columns anybody knows, and what is usual in them."""

    is_known: np.ndarray[Any, np.dtype[np.bool_]]
    normal: Normal

    def of(self, values: Float64s) -> Float64s:
        """Spreads from the median; the unknown stands in the middle."""
        known = values[:, self.is_known]
        spread = np.where(self.normal.spread > 0, self.normal.spread, 1.0)
        apart = (known - self.normal.median) / spread
        return np.clip(np.nan_to_num(apart, nan=0.0), -_FARTHEST, _FARTHEST)


def standardised_by(values: Float64s) -> Standardised:
    """Learned on the training rows alone."""
    is_known = np.any(~np.isnan(values), axis=0)
    return Standardised(is_known, normal_of(values[:, is_known]))


@dataclass(frozen=True, slots=True)
class _Negated:
    """Scores by a fitted estimator whose own numbers fall as a row grows more unusual."""

    standardised: Standardised
    fitted: Any
    method: str

    def score(self, values: Float64s) -> Float64s:
        """See :class:`~spark_jobs.train.vector_tasks.Scorer`."""
        found = getattr(self.fitted, self.method)(self.standardised.of(values))
        return -np.asarray(found, dtype=np.float64)


@dataclass(frozen=True, slots=True)
class _Reconstruction:
    """Scores by how badly a net that learned the usual rows copies this one."""

    standardised: Standardised
    net: Any

    def score(self, values: Float64s) -> Float64s:
        """See :class:`~spark_jobs.train.vector_tasks.Scorer`."""
        rows = self.standardised.of(values)
        return np.asarray(((self.net.predict(rows) - rows) ** 2).mean(axis=1), dtype=np.float64)


@dataclass(frozen=True, slots=True)
class IsolationForestRival:
    """Few cuts set a fraud apart (Liu, Ting, Zhou 2008); the kind that the stream has, too."""

    name: str = "isolation_forest"
    seed: int = 7

    def fit(self, rows: Labelled) -> _Negated:
        """See :class:`~spark_jobs.train.vector_tasks.Learner`."""
        standardised = standardised_by(rows.values)
        forest = IsolationForest(random_state=self.seed, n_jobs=1)
        fitted = forest.fit(standardised.of(rows.values))
        return _Negated(standardised, fitted, "score_samples")


@dataclass(frozen=True, slots=True)
class OneClassSvmRival:
    """A border around the usual (Schölkopf et al. 2001); its kernel is approximated."""

    name: str = "one_class_svm"
    seed: int = 7

    def fit(self, rows: Labelled) -> _Negated:
        """See :class:`~spark_jobs.train.vector_tasks.Learner`."""
        standardised = standardised_by(rows.values)
        machine = make_pipeline(
            Nystroem(
                n_components=min(100, len(rows.values)),
                gamma=1.0 / (4 * int(standardised.is_known.sum())),
                random_state=self.seed,
            ),
            SGDOneClassSVM(nu=_OUTLIER_SHARE, random_state=self.seed),
        )
        fitted = machine.fit(standardised.of(rows.values))
        return _Negated(standardised, fitted, "decision_function")


@dataclass(frozen=True, slots=True)
class AutoencoderRival:
    """A net with a narrow waist; the Handbook's unsupervised baseline (ch. 7)."""

    name: str = "autoencoder"
    seed: int = 7

    def fit(self, rows: Labelled) -> _Reconstruction:
        """See :class:`~spark_jobs.train.vector_tasks.Learner`."""
        standardised = standardised_by(rows.values)
        values = standardised.of(rows.values)
        # Stopped by rows of its own that it does not learn from; so few epochs need no warning.
        net = MLPRegressor(
            hidden_layer_sizes=_CODE_WIDTHS,
            max_iter=40,
            tol=1e-3,
            n_iter_no_change=4,
            early_stopping=True,
            random_state=self.seed,
        )
        return _Reconstruction(standardised, net.fit(values, values))
