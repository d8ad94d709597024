"""Fixtures that the command-line tests share with the tests of their use cases."""

from __future__ import annotations

from tests.unit.application.evaluation.conftest import write_files

__all__ = ["write_files"]
