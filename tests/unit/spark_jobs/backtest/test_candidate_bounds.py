from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from fraudwatch.adapters.artefacts.calibration_artefact import read_calibration
from fraudwatch.adapters.artefacts.policy_file import load_policy
from fraudwatch.domain.messages.verdict import Outcome
from fraudwatch.domain.policy.bounds import Bounds, bounds_of
from fraudwatch.domain.policy.policy import AlertBudget, BrokenPolicy
from fraudwatch.stack.home import ROOT
from spark_jobs.backtest.candidate_bounds import as_document, candidate_bounds
from tests.calibrations import write_a_calibration

POLICY = load_policy(ROOT / "contracts/policies/default.yaml")


@pytest.fixture
def folders(tmp_path: Path) -> tuple[Path, Path]:
    """Folders of published calibrations and of those that the detector keeps."""
    published, used = tmp_path / "published", tmp_path / "used"
    published.mkdir()
    used.mkdir()
    return published, used


def test_bounds_follow_from_the_policy_and_each_calibration(folders: tuple[Path, Path]) -> None:
    published, used = folders
    new, old = write_a_calibration(published, "a" * 64), write_a_calibration(used, "b" * 64, seed=2)
    found = candidate_bounds(POLICY, {new[:12], old[:12]}, folders)
    assert found == {
        new[:12]: bounds_of(POLICY, read_calibration(published, new)),
        old[:12]: bounds_of(POLICY, read_calibration(used, old)),
    }
    assert found[new[:12]] != found[old[:12]]


def test_a_calibration_that_is_gone_is_logged_with_the_fix(
    folders: tuple[Path, Path], caplog: pytest.LogCaptureFixture
) -> None:
    assert candidate_bounds(POLICY, {"c" * 12}, folders) == {}
    assert f"copy its file {'c' * 12}*.calibration.npz" in caplog.text


def test_floors_that_exceed_the_budget_are_refused_with_the_figure(
    folders: tuple[Path, Path],
) -> None:
    sha256 = write_a_calibration(folders[0], "a" * 64)
    policy = replace(
        POLICY, floors={"high_amount": Outcome.REVIEW}, review=AlertBudget(alerts_a_day=1)
    )
    with pytest.raises(
        BrokenPolicy, match=rf"under calibration {sha256[:12]} .* alone make 2\.9 alerts a day"
    ):
        candidate_bounds(policy, {sha256[:12]}, folders)


def test_a_bound_that_no_score_reaches_is_none_in_the_document() -> None:
    assert as_document({"c" * 12: Bounds(review_from=0.08, decline_from=0.97)}) == {
        "c" * 12: {
            "review_from": 0.08,
            "challenge_from": None,
            "decline_from": 0.97,
            "novel_from_anomaly": None,
        }
    }
