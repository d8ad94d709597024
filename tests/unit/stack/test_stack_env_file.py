from __future__ import annotations

import base64
import stat
from dataclasses import dataclass
from pathlib import Path

import pytest

from fraudwatch.cli import checks
from fraudwatch.stack import env_file
from fraudwatch.stack import home as home_module
from fraudwatch.stack.home import ROOT, Home, StackError


def _home(folder: Path) -> Home:
    return Home(root=ROOT, runtime=folder / "runtime", folder=folder / "home")


def test_the_file_is_created_once_and_private(tmp_path: Path) -> None:
    home = _home(tmp_path)
    first = env_file.ensure(home)
    assert home.env_file == tmp_path / "home/.env"
    assert stat.S_IMODE(home.env_file.stat().st_mode) == 0o600
    before = home.env_file.read_bytes()
    assert env_file.ensure(home) == first
    assert home.env_file.read_bytes() == before


def test_the_default_home_uses_the_checkouts_file(tmp_path: Path) -> None:
    home = Home(root=tmp_path, runtime=tmp_path / ".runtime", folder=tmp_path / "var")
    assert home.env_file == tmp_path / ".env"


@dataclass(frozen=True)
class Linked:
    """A checkout whose default home is a symlink to a folder on another disk."""

    checkout: Path
    target: Path
    home: Home

    def write(self, folder: Path, text: str) -> Path:
        path = folder / ".env"
        path.write_text(text)
        return path


@pytest.fixture(params=["var", "FRAUDWATCH_HOME", "both"])
def linked(
    request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Linked:
    checkout, target = tmp_path / "checkout", tmp_path / "disk"
    checkout.mkdir()
    if request.param == "FRAUDWATCH_HOME":
        target = checkout / "var"
    target.mkdir()
    if request.param != "FRAUDWATCH_HOME":
        (checkout / "var").symlink_to(target)
    (tmp_path / "link").symlink_to(target)
    monkeypatch.setattr(home_module, "ROOT", checkout)
    monkeypatch.delenv("FRAUDWATCH_HOME", raising=False)
    if request.param != "var":
        monkeypatch.setenv("FRAUDWATCH_HOME", str(tmp_path / "link"))
    (checkout / ".env.example").write_text((ROOT / ".env.example").read_text())
    return Linked(checkout, target, Home.from_environment())


def test_a_home_behind_a_symlink_is_the_same_home(linked: Linked) -> None:
    other = Home(root=linked.checkout, runtime=linked.home.runtime, folder=linked.target)
    assert linked.home.folder == linked.target
    assert linked.home.mark == other.mark
    assert linked.home.env_file == other.env_file == linked.checkout / ".env"


def test_the_checkouts_file_is_used_behind_a_symlink(linked: Linked) -> None:
    assert linked.home.env_file == linked.write(linked.checkout, "SHOP_API_KEY=kept\n")
    assert env_file.read(linked.home) == {"SHOP_API_KEY": "kept"}


def test_the_targets_file_is_used_where_the_checkout_has_none(linked: Linked) -> None:
    secrets = env_file.ensure(linked.home)
    linked.home.env_file.rename(linked.target / ".env")
    assert env_file.ensure(linked.home) == secrets
    assert not (linked.checkout / ".env").exists()


@pytest.mark.parametrize("completed", ["checkout", "target"])
def test_of_two_files_that_agree_the_longer_one_is_used(linked: Linked, completed: str) -> None:
    secrets = env_file.ensure(linked.home)
    text = (linked.checkout / ".env").read_text()
    copy = linked.write(linked.target, text)
    assert linked.home.env_file == linked.checkout / ".env"
    path = linked.checkout / ".env" if completed == "checkout" else copy
    path.write_text(f"{text}NEW_SETTING=1\n")
    assert linked.home.env_file == path
    assert env_file.ensure(linked.home) == secrets | {"NEW_SETTING": "1"}


def test_two_different_files_are_refused_by_name_with_the_fix(linked: Linked) -> None:
    files = [linked.write(linked.checkout, "A=old\n"), linked.write(linked.target, "A=new\n")]
    with pytest.raises(StackError, match="differ") as refusal:
        env_file.ensure(linked.home)
    assert all(str(path) in str(refusal.value) for path in files)
    assert "keep the one that its data was created with" in str(refusal.value)
    assert [path.read_text() for path in files] == ["A=old\n", "A=new\n"]


def test_doctor_names_two_different_files(linked: Linked) -> None:
    linked.write(linked.checkout, "A=old\n")
    linked.write(linked.target, "A=new\n")
    check = checks._env_file(linked.home)
    assert not check.ok
    assert "differ" in check.found


def test_a_file_that_is_itself_a_symlink_stays_one(linked: Linked) -> None:
    secrets = env_file.ensure(linked.home)
    (linked.checkout / ".env").rename(linked.target / ".env")
    (linked.checkout / ".env").symlink_to(linked.target / ".env")
    text = (linked.target / ".env").read_text()
    (linked.target / ".env").write_text(text.replace("SHOP_API_KEY=", "MY_OWN="))
    completed = env_file.ensure(linked.home)
    assert completed["MY_OWN"] == secrets["SHOP_API_KEY"]
    assert (linked.checkout / ".env").is_symlink()


def test_another_home_does_not_use_the_checkouts_file(tmp_path: Path) -> None:
    home = Home(root=tmp_path, runtime=tmp_path / ".runtime", folder=tmp_path / "second")
    (tmp_path / ".env").write_text("A=first\n")
    assert home.env_file == tmp_path / "second/.env"


def test_own_lines_and_values_are_kept_and_missing_ones_are_added(tmp_path: Path) -> None:
    home = _home(tmp_path)
    env_file.ensure(home)
    lines = home.env_file.read_text().splitlines()
    kept = [line for line in lines if not line.startswith("CONSOLE_LEAD_PASSWORD=")]
    home.env_file.write_text("\n".join([*kept, "# mine", "MY_OWN=1"]))
    values = env_file.ensure(home)
    text = home.env_file.read_text()
    assert "# mine\nMY_OWN=1\n" in text
    assert values["MY_OWN"] == "1"
    assert len(values["CONSOLE_LEAD_PASSWORD"]) >= 32
    assert all(line in text.splitlines() for line in kept)


def test_a_file_open_to_others_is_made_private(tmp_path: Path) -> None:
    home = _home(tmp_path)
    env_file.ensure(home)
    home.env_file.chmod(0o644)
    env_file.ensure(home)
    assert stat.S_IMODE(home.env_file.stat().st_mode) == 0o600


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
    home = _home(tmp_path)
    strong = env_file.ensure(home)["SHOP_API_KEY"]
    home.env_file.write_text(home.env_file.read_text().replace(strong, value))
    with pytest.raises(env_file.BadSetting, match=f"SHOP_API_KEY.*{reason}") as refusal:
        env_file.ensure(home)
    assert not value or f" {value} " not in str(refusal.value)
    assert "remove its line" in str(refusal.value)


@pytest.mark.parametrize(
    "bad", ['a"quote-0123456789', "per%cent-0123456789", "with space-0123456789"]
)
def test_a_value_with_an_unsafe_character_is_refused(tmp_path: Path, bad: str) -> None:
    values = env_file.ensure(_home(tmp_path)) | {"SHOP_API_KEY": bad}
    with pytest.raises(env_file.BadSetting, match="SHOP_API_KEY"):
        env_file.check(values, tmp_path)


def test_the_environment_wins_over_the_file_for_the_offset() -> None:
    values = {"FRAUDWATCH_PORT_OFFSET": "100"}
    assert env_file.port_offset(values, {}) == 100
    assert env_file.port_offset(values, {"FRAUDWATCH_PORT_OFFSET": "200"}) == 200
    with pytest.raises(env_file.BadSetting, match="whole number"):
        env_file.port_offset({"FRAUDWATCH_PORT_OFFSET": "-1"}, {})


def test_the_fernet_key_has_the_form_that_airflow_requires(tmp_path: Path) -> None:
    values = env_file.ensure(_home(tmp_path))
    assert len(base64.urlsafe_b64decode(values["AIRFLOW_FERNET_KEY"])) == 32
    assert len(values["AIRFLOW_JWT_SECRET_KEY"]) == 64
    bad = values | {"AIRFLOW_FERNET_KEY": "0123456789abcdef" * 3}
    with pytest.raises(env_file.BadSetting, match="AIRFLOW_FERNET_KEY"):
        env_file.check(bad, tmp_path)
