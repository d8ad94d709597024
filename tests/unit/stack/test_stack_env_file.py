from __future__ import annotations

import base64
import stat
from pathlib import Path

import pytest

from fraudwatch.stack import env_file
from fraudwatch.stack.place import ROOT, Place


def _place(folder: Path) -> Place:
    return Place(root=ROOT, runtime=folder / "runtime", home=folder / "home")


def test_it_is_made_once_and_private(tmp_path: Path) -> None:
    place = _place(tmp_path)
    first = env_file.ensure(place)
    assert place.env_file == tmp_path / "home/.env"
    assert stat.S_IMODE(place.env_file.stat().st_mode) == 0o600
    before = place.env_file.read_bytes()
    assert env_file.ensure(place) == first
    assert place.env_file.read_bytes() == before


def test_the_default_home_uses_the_checkouts_file(tmp_path: Path) -> None:
    place = Place(root=tmp_path, runtime=tmp_path / ".runtime", home=tmp_path / "var")
    assert place.env_file == tmp_path / ".env"


def test_own_lines_and_values_are_kept_and_missing_ones_are_added(tmp_path: Path) -> None:
    place = _place(tmp_path)
    env_file.ensure(place)
    lines = place.env_file.read_text().splitlines()
    kept = [line for line in lines if not line.startswith("CONSOLE_LEAD_PASSWORD=")]
    place.env_file.write_text("\n".join([*kept, "# mine", "MY_OWN=1"]))
    values = env_file.ensure(place)
    text = place.env_file.read_text()
    assert "# mine\nMY_OWN=1\n" in text
    assert values["MY_OWN"] == "1"
    assert len(values["CONSOLE_LEAD_PASSWORD"]) >= 32
    assert all(line in text.splitlines() for line in kept)


def test_an_open_file_is_closed_to_others(tmp_path: Path) -> None:
    place = _place(tmp_path)
    env_file.ensure(place)
    place.env_file.chmod(0o644)
    env_file.ensure(place)
    assert stat.S_IMODE(place.env_file.stat().st_mode) == 0o600


@pytest.mark.parametrize(
    ("value", "reason"),
    [
        ("", "is empty"),
        ("cassandra", "known default"),
        ("aaaaaaaaaaaaaaaaaaaa", "example"),
        ("changeme-0123456789abc", "example"),
        ("k3jh4kj", "shorter"),
    ],
)
def test_a_weak_secret_is_refused_by_name_and_never_shown(
    tmp_path: Path, value: str, reason: str
) -> None:
    place = _place(tmp_path)
    strong = env_file.ensure(place)["SHOP_API_KEY"]
    place.env_file.write_text(place.env_file.read_text().replace(strong, value))
    with pytest.raises(env_file.BadSetting, match=f"SHOP_API_KEY.*{reason}") as refusal:
        env_file.ensure(place)
    assert not value or f" {value} " not in str(refusal.value)
    assert "remove its line" in str(refusal.value)


@pytest.mark.parametrize(
    "bad", ['a"quote-0123456789', "per%cent-0123456789", "with space-0123456789"]
)
def test_a_value_that_an_engine_would_misread_is_refused(tmp_path: Path, bad: str) -> None:
    values = env_file.ensure(_place(tmp_path)) | {"SHOP_API_KEY": bad}
    with pytest.raises(env_file.BadSetting, match="SHOP_API_KEY"):
        env_file.check(values, tmp_path)


def test_the_environment_wins_over_the_file_for_the_offset() -> None:
    values = {"FRAUDWATCH_PORT_OFFSET": "100"}
    assert env_file.port_offset(values, {}) == 100
    assert env_file.port_offset(values, {"FRAUDWATCH_PORT_OFFSET": "200"}) == 200
    with pytest.raises(env_file.BadSetting, match="whole number"):
        env_file.port_offset({"FRAUDWATCH_PORT_OFFSET": "-1"}, {})


def test_the_key_of_connections_has_the_form_that_airflow_asks_for(tmp_path: Path) -> None:
    values = env_file.ensure(_place(tmp_path))
    assert len(base64.urlsafe_b64decode(values["AIRFLOW_FERNET_KEY"])) == 32
    assert len(values["AIRFLOW_JWT_SECRET_KEY"]) == 64
    bad = values | {"AIRFLOW_FERNET_KEY": "0123456789abcdef" * 3}
    with pytest.raises(env_file.BadSetting, match="AIRFLOW_FERNET_KEY"):
        env_file.check(bad, tmp_path)
