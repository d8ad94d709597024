from __future__ import annotations

from pathlib import Path

import pytest
import yaml
from pydantic import SecretStr, ValidationError

from fraudwatch.reporting import superset_setup
from fraudwatch.reporting.asset_files import contents_of
from fraudwatch.reporting.settings import SupersetSetupSettings
from fraudwatch.reporting.write import FOLDER
from fraudwatch.settings import HiveSettings

PASSWORD = "k3/9:@x+q=1,2-4c81d0e7"
LAKE = HiveSettings(host="lake", port=10_001, username="reports", password=SecretStr(PASSWORD))


@pytest.fixture
def environment(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> pytest.MonkeyPatch:
    for number, role in enumerate(("ADMIN", "VIEWER", "ANALYST", "LEAD")):
        monkeypatch.setenv(f"SUPERSET_{role}_PASSWORD", f"{number}f3a9c17e5b2d80467a1")
    monkeypatch.setenv("SUPERSET_ASSETS_FOLDER", str(FOLDER))
    monkeypatch.setenv("SUPERSET_HOME", str(tmp_path / "superset"))
    return monkeypatch


def test_the_lakes_login_is_added_at_the_import_alone() -> None:
    contents = contents_of(FOLDER, LAKE)
    lake = yaml.safe_load(contents["databases/lake.yaml"])
    assert lake["sqlalchemy_uri"] == (
        "hive://reports:k3%2F9%3A%40x%2Bq%3D1%2C2-4c81d0e7@lake:10001/fraudwatch?auth=CUSTOM"
    )
    assert contents["metadata.yaml"] == (FOLDER / "metadata.yaml").read_text(encoding="utf-8")
    others = {name: text for name, text in contents.items() if not name.startswith("databases/")}
    assert len(others) > 40
    assert all("k3%2F9" not in text for text in others.values())


def test_a_folder_without_assets_is_refused(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError, match="nothing was imported"):
        contents_of(tmp_path, LAKE)


@pytest.mark.parametrize(
    ("listed", "sources"), [("auto", ()), ("", ()), ("shop", ("shop",)), ("a, b-2", ("a", "b-2"))]
)
def test_sources_are_names(
    environment: pytest.MonkeyPatch, listed: str, sources: tuple[str, ...]
) -> None:
    environment.setenv("SUPERSET_SOURCES", listed)
    assert SupersetSetupSettings().sources == sources


@pytest.mark.parametrize("listed", ["shop' OR '1'='1", "shop,", "Shop"])
def test_a_source_that_could_be_sql_is_refused(
    environment: pytest.MonkeyPatch, listed: str
) -> None:
    environment.setenv("SUPERSET_SOURCES", listed)
    with pytest.raises(ValidationError, match="no source can be called"):
        SupersetSetupSettings()


def test_a_weak_password_is_refused_without_quoting_it(
    environment: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    environment.setenv("SUPERSET_LEAD_PASSWORD", "superset")
    environment.setenv("HIVE_USERNAME", "reports")
    environment.setenv("HIVE_PASSWORD", PASSWORD)
    assert superset_setup.main() == 1
    shown = capsys.readouterr()
    assert "lead_password" in shown.out + shown.err
    assert "'superset'" not in shown.out + shown.err
