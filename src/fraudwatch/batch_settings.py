"""Settings of extract, training, backtest and reconciliation; see :mod:`fraudwatch.settings`."""

from __future__ import annotations

from pathlib import Path

from pydantic_settings import BaseSettings

from fraudwatch.settings import Secret, SourceNames, from_environment


class ExtractSettings(BaseSettings):
    """The daily extract: its system, whose purchases it may bring, and the keys of the edge."""

    model_config = from_environment("EXTRACT_")
    source_url: str
    source_api_key: Secret
    sources: SourceNames = frozenset()
    keys_folder: Path
    rates_path: Path
    default_rates_path: Path | None = None
    page_purchases: int = 5_000
    timeout_seconds: float = 30.0


class StatesSettings(BaseSettings):
    """The folder to which the batch layer publishes customer states for the detector."""

    model_config = from_environment("STATES_")
    folder: Path


class ModelFolderSettings(BaseSettings):
    """Folder of the active models, from which the stream loads them."""

    model_config = from_environment("TRAINING_")
    models_folder: Path


class TrainingSettings(BaseSettings):
    """The jobs that fit models: sample sizes and the models folder."""

    model_config = from_environment("TRAINING_")
    models_folder: Path
    sample_rows: int = 200_000
    minimum_rows: int = 2_000
    seed: int = 7


class ChallengerSettings(ModelFolderSettings):
    """Settings of supervised training: folds, sample sizes, promotion gate."""

    train_days: int = 30
    test_days: int = 7
    folds: int = 4
    most_rows: int = 300_000
    sample_rows: int = 20_000  # training rows of the unsupervised baselines
    fewest_frauds: int = 20
    alerts_a_day: int = 100  # the analysts' capacity
    new_frauds: int = 200  # so many newly labelled frauds trigger a training
    approval: bool = False
    policy_path: Path  # the live policy, under which the gate judges
    seed: int = 7


class RegistrySettings(BaseSettings):
    """Settings of the MLflow registry: an SQL database, and a folder for artefacts."""

    model_config = from_environment("MLFLOW_")
    tracking_uri: str  # sqlite:////path, or postgresql://user:password@host:5432/mlflow
    artifacts_folder: Path


class BacktestSettings(BaseSettings):
    """Folder of the backtest pages."""

    model_config = from_environment("BACKTEST_")
    folder: Path


class LiveListsSettings(BaseSettings):
    """Lists of a policy that is backtested without lists of its own."""

    model_config = from_environment("BACKTEST_")
    lists_path: Path | None = None


class ArtefactSettings(BaseSettings):
    """Folders of the artefacts that the detector has used, and of published models.

    For jobs that score again; they read both and write neither.
    """

    model_config = from_environment("BOOKS_")
    detector_folder: Path
    models_folder: Path


class ReconcileSettings(BaseSettings):
    """Number of differences between stream and batch above which a day's run fails."""

    model_config = from_environment("RECONCILE_")
    most_different: int = 0
