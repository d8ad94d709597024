"""Settings of the shadow; see :mod:`fraudwatch.settings`."""

from __future__ import annotations

from pathlib import Path

from pydantic_settings import BaseSettings

from fraudwatch.settings import from_environment


class ShadowSettings(BaseSettings):
    """Candidate, copies of the detector's live artefacts, canary, and the size of a read."""

    model_config = from_environment("SHADOW_")
    metrics_port: int = 9119
    candidate_folder: Path
    policies_folder: Path
    lists_folder: Path
    models_folder: Path
    pointer_folder: Path
    canary_path: Path
    max_messages: int = 500
    give_up_seconds: float = 120.0
