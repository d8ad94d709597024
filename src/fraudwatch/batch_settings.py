"""Settings of the jobs that learn, judge again and compare; see :mod:`fraudwatch.settings`."""

from __future__ import annotations

from pathlib import Path

from pydantic_settings import BaseSettings

from fraudwatch.settings import from_environment


class ChallengerSettings(BaseSettings):
    """Training with labels: what it draws on, what it asks of a challenger, where models lie."""

    model_config = from_environment("TRAINING_")
    models_folder: Path
    label_delay_days: int = 3  # by then most frauds have been reported
    train_days: int = 30
    test_days: int = 7
    folds: int = 4
    most_rows: int = 300_000
    sample_rows: int = 20_000  # what the unsupervised rivals learn from
    fewest_frauds: int = 20
    alerts_a_day: int = 100  # the analysts' capacity
    new_frauds: int = 200  # so many newly known ones make a new training worth while
    approval: bool = False
    policy_path: Path | None = None  # the live one: how many alerts it would give
    seed: int = 7


class RegistrySettings(BaseSettings):
    """Where MLflow keeps models: an SQL database, and a folder for what is large."""

    model_config = from_environment("MLFLOW_")
    tracking_uri: str  # sqlite:////path, or postgresql://user:password@host:5432/mlflow
    artifacts_folder: Path


class BacktestSettings(BaseSettings):
    """Where the pages of backtests are written to."""

    model_config = from_environment("BACKTEST_")
    folder: Path


class BooksSettings(BaseSettings):
    """Where the detector remembers what it judged by, and where models are published.

    For jobs that judge again, which read both and write neither.
    """

    model_config = from_environment("BOOKS_")
    detector_folder: Path
    models_folder: Path


class ReconcileSettings(BaseSettings):
    """How many differences between stream and batch a day may have before its run fails."""

    model_config = from_environment("RECONCILE_")
    most_different: int = 0
