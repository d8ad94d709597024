from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, cast

import numba
import numpy as np
import pytest
from sklearn.ensemble import IsolationForest

from fraudwatch.adapters.artefacts.forest_artefact import forest_model
from fraudwatch.adapters.artefacts.model_artefact import Artefact, read_artefact, write_artefact
from fraudwatch.adapters.artefacts.sklearn_forest import ForestShape, fit_forest, flattened
from fraudwatch.domain.features.catalogue import FEATURE_INDEX, FEATURES
from fraudwatch.domain.models import forest as forests
from fraudwatch.domain.models.active_models import ActiveModels, check_outputs
from fraudwatch.domain.models.anomaly_quantiles import POINTS, quantiles_of, share_below
from fraudwatch.domain.models.fitted import BrokenModel, normal_of
from fraudwatch.domain.models.forest import check_forest, isolation_scores, warm_up
from fraudwatch.domain.models.sample import Reservoir

if TYPE_CHECKING:
    from tests.unit.adapters.artefacts.conftest import SomeRows

SOME = np.random.default_rng(3)


@pytest.mark.parametrize(("rows", "trees"), [(5_000, 100), (300, 7), (100, 3), (2, 2)])
def test_it_scores_as_scikit_learn_does(rows: int, trees: int) -> None:
    values = SOME.normal(size=(rows, 6)).round(1)  # many equal values, many thresholds hit
    fitted = IsolationForest(n_estimators=trees, random_state=1).fit(values)
    columns, fill = np.arange(6), np.zeros(6)
    tested = np.vstack([values, SOME.normal(size=(1_000, 6)) * 10, np.full((1, 6), 1e30)])
    ours = isolation_scores(flattened(fitted), columns, fill, tested)
    assert np.abs(ours + fitted.score_samples(tested)).max() < 1e-12


def test_a_row_scores_the_same_alone_and_in_a_batch() -> None:
    values = SOME.normal(size=(500, 4))
    flat = flattened(IsolationForest(n_estimators=10, random_state=1).fit(values))
    columns, fill = np.arange(4), np.zeros(4)
    together = isolation_scores(flat, columns, fill, values)
    alone = [isolation_scores(flat, columns, fill, values[i : i + 1])[0] for i in range(500)]
    assert together.tobytes() == np.array(alone).tobytes()
    assert len(isolation_scores(flat, columns, fill, values[:0])) == 0


def test_it_selects_its_columns_and_imputes_the_median() -> None:
    values = SOME.normal(size=(500, 3))
    flat = flattened(IsolationForest(n_estimators=10, random_state=1).fit(values))
    vectors = np.full((500, 5), np.inf)
    vectors[:, [4, 0, 2]] = values
    fill = np.array([0.5, -0.5, 0.25])
    vectors[::2, 0] = np.nan
    expected = values.copy()
    expected[::2, 1] = -0.5
    found = isolation_scores(flat, np.array([4, 0, 2]), fill, vectors)
    assert (found == isolation_scores(flat, np.arange(3), fill, expected)).all()


def test_trees_that_lead_nowhere_are_refused() -> None:
    flat = flattened(IsolationForest(n_estimators=3, random_state=1).fit(SOME.normal(size=(50, 3))))
    check_forest(flat, 3)
    broken = [
        flat._replace(children=flat.children + 1),
        flat._replace(children=flat.children * 0),
        flat._replace(feature=flat.feature + 1),
        flat._replace(root=flat.root - 1),
        flat._replace(threshold=flat.threshold[1:]),
        flat._replace(typical_depth=0.0),
        flat._replace(typical_depth=float("nan")),
    ]
    for one in broken:
        with pytest.raises(BrokenModel, match="lead nowhere"):
            check_forest(one, 3)


def test_warming_up_compiles_the_types_that_a_real_model_walks(
    forest: Artefact, some_rows: SomeRows, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    served = read_artefact(tmp_path, write_artefact(tmp_path, forest))
    compiled: list[list[numba.types.Type]] = []

    def walk(*given: object) -> None:
        compiled.append([numba.typeof(one) for one in given])
        cast("np.ndarray", given[-1])[:] = 0.5

    monkeypatch.setattr(forests, "_walk", walk)
    warm_up()
    forest_model(served, "0" * 64).anomaly(some_rows(3))
    for_warm_up, for_model = compiled
    assert for_warm_up == for_model, "the first batch would wait for another compilation"


def test_calibration_is_the_share_of_training_rows_below() -> None:
    quantiles = quantiles_of(np.arange(1001.0))
    assert len(quantiles) == POINTS
    found = share_below(quantiles, np.array([-1.0, 0.0, 0.5, 250.0, 999.9, 1000.0, 2000.0]))
    assert found == pytest.approx([0, 0, 0.0005, 0.25, 0.9999, 1, 1])


def test_calibration_counts_no_equal_rows_and_never_falls() -> None:
    quantiles = quantiles_of(np.array([0.0] * 500 + [1.0] * 300 + list(SOME.uniform(1, 2, 200))))
    assert share_below(quantiles, np.array([0.0]))[0] == 0
    assert share_below(quantiles, np.array([1.0]))[0] == pytest.approx(0.5, abs=0.002)
    tested = np.sort(np.concatenate([SOME.uniform(-1, 3, 5_000), quantiles, [0.0, 1.0]]))
    shares = share_below(quantiles, tested)
    assert (np.diff(shares) >= 0).all()
    assert shares.min() == 0
    assert shares.max() == 1
    assert (share_below(np.full(5, 2.0), np.array([1.0, 2.0, 3.0])) == [0, 0, 1]).all()


def test_normal_is_median_and_a_spread_robust_to_outliers() -> None:
    values = np.stack(
        [
            np.append(np.arange(999.0), 1e9),
            np.append(np.zeros(990), np.ones(10)),
            np.append(np.full(500, np.nan), np.full(500, 4.0)),
        ],
        axis=1,
    )
    found = normal_of(values)
    assert found.median == pytest.approx([499.5, 0, 4])
    assert found.spread == pytest.approx([341, np.std(values[:, 1]), 0], rel=0.01)


def test_a_fitted_forest_is_an_evaluator_with_its_calibration(
    forest: Artefact, some_rows: SomeRows
) -> None:
    model = forest_model(forest, "ab" * 32)
    rows = some_rows(2_000)
    usual = ActiveModels(anomaly=model).evidence(rows)
    assert usual.fraud is None
    assert usual.anomaly is not None
    assert usual.anomaly.mean() == pytest.approx(0.5, abs=0.05)
    odd = rows[:1] * 50
    found = model.anomaly(odd)
    assert found[0] > 0.999
    assert model.version == "abababababab"
    check_outputs(ActiveModels(anomaly=model))


def test_a_feature_unknown_in_all_rows_is_dropped(forest: Artefact, some_rows: SomeRows) -> None:
    assert "billing_to_shipping_km" not in forest.about.features
    assert len(forest.about.features) == len(FEATURES) - 1
    model, rows = forest_model(forest, "0" * 64), some_rows(100)
    before = model.anomaly(rows)
    rows[:, FEATURE_INDEX["billing_to_shipping_km"]] = 9_000.0
    assert (model.anomaly(rows) == before).all()


def test_an_unknown_vector_is_no_anomaly(forest: Artefact) -> None:
    model = forest_model(forest, "0" * 64)
    assert model.anomaly(np.full((1, len(FEATURES)), np.nan))[0] < 0.5


def test_without_models_there_is_no_evidence(some_rows: SomeRows) -> None:
    none = ActiveModels()
    assert none.evidence(some_rows(3)) == (None, None, None)
    assert (none.anomaly_version, none.model_version) == (None, None)


def test_the_same_rows_and_seed_grow_the_same_forest(forest: Artefact, some_rows: SomeRows) -> None:
    again = fit_forest(some_rows(3_000, 1), forest.about, ForestShape(trees=20, seed=7))
    for name, values in forest.arrays.items():
        assert again.arrays[name].tobytes() == values.tobytes(), name


def test_the_sample_is_uniform_bounded_and_does_not_depend_on_chunks() -> None:
    rows = np.arange(10_000.0)[:, None]

    def drawn(size: int, seed: int, chunk: int) -> list[float]:
        reservoir = Reservoir(size, 1, seed)
        for first in range(0, len(rows), chunk):
            reservoir.add(rows[first : first + chunk])
        assert reservoir.rows_offered == 10_000
        return reservoir.rows[:, 0].tolist()

    assert drawn(100, 7, 3) == drawn(100, 7, 10_000) == drawn(100, 7, 99)
    assert drawn(100, 7, 100) != drawn(100, 8, 100)
    assert len(set(drawn(100, 7, 64))) == 100
    assert drawn(20_000, 7, 64) == rows[:, 0].tolist()
    tenths = np.bincount([int(v) // 1_000 for s in range(60) for v in drawn(100, s, 500)])
    assert len(tenths) == 10
    assert np.abs(tenths - 600).max() < 100  # 4 standard deviations
