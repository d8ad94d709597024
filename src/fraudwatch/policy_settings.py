"""Settings of the live policy: its folder in the home, and whether the files may be edited."""

from __future__ import annotations

from pathlib import Path

from pydantic_settings import BaseSettings

from fraudwatch.settings import Secret, from_environment


class PolicySettings(BaseSettings):
    """Folder of the live policy, the default that seeds it, and whether hand edits count."""

    model_config = from_environment("POLICY_")
    folder: Path
    default_path: Path
    hand_edits: bool = True


class PolicyConsoleSettings(PolicySettings):
    """The console's settings besides: the reload journals of the detector."""

    detector_folder: Path


class AirflowBacktestSettings(BaseSettings):
    """Airflow, which runs the backtests of drafts, and the folder of their results."""

    model_config = from_environment("BACKTEST_")
    folder: Path
    airflow_url: str
    airflow_login: str = "operator"
    airflow_password: Secret
