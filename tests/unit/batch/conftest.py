from __future__ import annotations

from pathlib import Path

import pytest

from tests.unit.batch.source_system import Edge


@pytest.fixture
def edge(tmp_path: Path) -> Edge:
    return Edge(tmp_path)
