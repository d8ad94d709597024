from __future__ import annotations

import json
import stat
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import pytest

from fraudwatch.stack import backup as backups
from fraudwatch.stack import backup_manifest, catalogue, env_file, home_version, restore
from fraudwatch.stack.backup import Backup
from fraudwatch.stack.backup_files import listed
from fraudwatch.stack.home import ROOT, Home, StackError
from fraudwatch.stack.positions import Positions
from fraudwatch.stack.restore import Restore

POSITIONS = Positions(
    ends={"fraud_topic": {0: 5}},
    scored={0: 5},
    groups={"tally": {"fraud_topic": {0: 5}}},
)
FILES = {
    "kafka/data/meta.properties": b"cluster.id=x",
    "kafka/server.properties": b"a password",
    "cassandra/data/rows.db": bytes(3_000_000),
    "detector/checkpoint/offsets/0": b"v1",
    "detector/spark/scratch": b"temporary",
    "ingest/cursor.json": b"{}",
    "keys/token.json": b"the token key",
    "keys/master.json": b"the master key",
    "log/kafka.log": b"line",
    "run/profile": b"speed",
}


def a_home(folder: Path) -> Home:
    made = Home(root=ROOT, runtime=folder / "runtime", folder=folder / "home")
    made.make_folders()
    for name, content in FILES.items():
        path = made.folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
    (made.folder / "cassandra/data/empty").mkdir()
    (made.folder / "cassandra/data/rows.db").chmod(0o640)
    env_file.ensure(made)
    home_version.write(made, home_version.code_version())
    return made


@pytest.fixture
def stopped(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Replace the stack by calls that are recorded."""
    calls: list[str] = []

    @contextmanager
    def drained(*_: object) -> Iterator[Positions]:
        calls.append("drain")
        yield POSITIONS

    monkeypatch.setattr(backups, "drained", drained)
    monkeypatch.setattr(backups.runner, "down_locked", lambda *_: calls.append("down"))
    monkeypatch.setattr(
        backups.runner, "up_locked", lambda _h, _c, name, _n: calls.append(f"up {name}")
    )
    monkeypatch.setattr(backups.supervisor, "is_alive", lambda home: home.folder.name == "home")
    return calls


@pytest.fixture
def home(tmp_path: Path, stopped: list[str]) -> Home:
    assert stopped == []
    return a_home(tmp_path)


@pytest.fixture
def empty(tmp_path: Path) -> Home:
    return Home(root=ROOT, runtime=tmp_path / "runtime", folder=tmp_path / "restored")


def back_up(home: Home, folder: Path, keys: Path | None = None) -> backups.BackupReport:
    return Backup(
        home=home, catalogue=catalogue.load(), notify=print, folder=folder, keys_folder=keys
    ).run()


def restore_into(home: Home, folder: Path, keys: Path | None) -> restore.RestoreReport:
    return Restore(home=home, notify=print, folder=folder, keys_folder=keys).run()


@pytest.fixture
def made(home: Home, tmp_path: Path) -> tuple[Path, Path]:
    """Make a backup and its keys."""
    back_up(home, tmp_path / "backup", tmp_path / "keys")
    return tmp_path / "backup", tmp_path / "keys"


def contents(folder: Path) -> dict[str, bytes]:
    files, _ = listed(folder)
    return {name: (folder / name).read_bytes() for name in files}


def test_a_home_is_the_same_after_a_backup_and_its_restore(
    home: Home, empty: Home, made: tuple[Path, Path], stopped: list[str]
) -> None:
    assert stopped == ["drain", "down", "up speed"]
    report = restore_into(empty, *made)
    assert contents(empty.folder) == contents(home.folder)
    assert {"cassandra/data/rows.db", "version.json"} <= contents(empty.folder).keys()
    assert (empty.folder / "cassandra/data/empty").is_dir()
    assert stat.S_IMODE((empty.folder / "cassandra/data/rows.db").stat().st_mode) == 0o640
    assert (empty.folder / "keys/token.json").read_bytes() == FILES["keys/token.json"]
    assert env_file.parse(empty.env_file.read_text()) == env_file.parse(home.env_file.read_text())
    assert stat.S_IMODE(empty.env_file.stat().st_mode) == 0o600
    assert report.profile == "speed"
    assert home_version.read(empty) == home_version.code_version()


def test_positions_are_copied_before_logs_and_stores(home: Home) -> None:
    tops = [name.split("/")[0] for name in listed(home.folder)[0]]
    assert list(dict.fromkeys(tops))[:2] == ["detector", "kafka"]


def test_the_manifest_has_positions_and_hashes_and_no_secret(
    home: Home, made: tuple[Path, Path]
) -> None:
    manifest = json.loads((made[0] / "manifest.json").read_text())
    assert manifest["about"]["positions"]["ends"] == {"fraud_topic": {"0": 5}}
    assert "home/log/kafka.log" not in manifest["files"]
    settings = env_file.parse(home.env_file.read_text())
    secrets = {value for name, value in settings.items() if env_file.is_secret(name)}
    assert len(secrets) > 20
    for path in made[0].rglob("*"):
        if path.is_file():
            assert not [one for one in secrets if one.encode() in path.read_bytes()], path
            assert b"the token key" not in path.read_bytes()


def test_without_a_folder_for_them_keys_are_copied_nowhere(home: Home, tmp_path: Path) -> None:
    assert back_up(home, tmp_path / "backup").keys_folder is None
    assert not list(tmp_path.glob("backup/**/token.json"))


def test_settings_that_were_rendered_with_a_password_are_left_out(
    home: Home, tmp_path: Path
) -> None:
    password = env_file.parse(home.env_file.read_text())["AIRFLOW_ADMIN_PASSWORD"]
    (home.folder / "mailer").mkdir()
    (home.folder / "mailer/mailer.yml").write_text(f"password: {password}\n")
    (home.folder / "mailer/routes.yml").write_text("to: oncall\n")
    back_up(home, tmp_path / "backup")
    assert [path.name for path in (tmp_path / "backup/home/mailer").iterdir()] == ["routes.yml"]


def test_a_url_with_a_login_is_a_secret_and_its_database_is_named() -> None:
    url = "postgresql+psycopg2://airflow:word@db:5432/airflow"
    settings = {"AIRFLOW_DATABASE_URL": url, "SHOP_SEED": "7", "MLFLOW_TRACKING_URI": "auto"}
    assert backups.separated(settings) == (
        {"SHOP_SEED": "7", "MLFLOW_TRACKING_URI": "auto"},
        {"AIRFLOW_DATABASE_URL": url},
    )
    assert backups.databases_elsewhere(settings) == ("AIRFLOW_DATABASE_URL",)


@pytest.mark.parametrize("keys", ["backup/keys", ".", "backup"])
def test_keys_beside_what_they_open_are_refused(home: Home, tmp_path: Path, keys: str) -> None:
    (tmp_path / "new").mkdir()
    with pytest.raises(StackError, match=r"protect nothing|not empty"):
        back_up(home, tmp_path / "new/backup", tmp_path / "new" / keys)
    assert not (tmp_path / "new/backup").exists()


def test_bad_folders_are_refused_before_anything_stops(
    home: Home, tmp_path: Path, stopped: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "full").mkdir()
    (tmp_path / "full/file").touch()
    with pytest.raises(StackError, match="is not empty"):
        back_up(home, tmp_path / "full")
    with pytest.raises(StackError, match="inside the home"):
        back_up(home, home.folder / "backup")
    monkeypatch.setattr(
        backups.shutil, "disk_usage", lambda _: type("Usage", (), {"free": 1_000_000})()
    )
    with pytest.raises(StackError, match=r"1,000,000 bytes free and the home needs 3,0"):
        back_up(home, tmp_path / "small")
    monkeypatch.setattr(backups.supervisor, "is_alive", lambda _: False)
    with pytest.raises(StackError, match=r"no stack runs.*fraudwatch up"):
        back_up(home, tmp_path / "new")
    assert stopped == []


def test_a_copy_that_fails_starts_the_stack_again_and_leaves_no_manifest(
    home: Home, tmp_path: Path, stopped: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object) -> None:
        raise OSError("no space left")

    monkeypatch.setattr(backup_manifest, "copy", full)
    with pytest.raises(OSError, match="no space left"):
        back_up(home, tmp_path / "backup")
    assert stopped == ["drain", "down", "up speed"]
    with pytest.raises(StackError, match="no complete backup"):
        backup_manifest.read(tmp_path / "backup", "home")


def remove(folder: Path) -> None:
    (folder / "home/ingest/cursor.json").unlink()


def add(folder: Path) -> None:
    (folder / "home/detector/checkpoint/offsets/1").touch()


def swap(folder: Path) -> None:
    (folder / "home/detector/checkpoint/offsets/0").write_bytes(b"v2")


def edit_manifest(folder: Path) -> None:
    path = folder / "manifest.json"
    path.write_text(path.read_text().replace("fraud_topic", "other_topic"))


def remove_manifest(folder: Path) -> None:
    (folder / "manifest.json").unlink()


@pytest.mark.parametrize(
    ("damage", "reason"),
    [
        (remove, "1 files are missing, such as home/ingest/cursor.json"),
        (add, "1 files are added, such as home/detector/checkpoint/offsets/1"),
        (swap, "1 files are changed, such as home/detector/checkpoint/offsets/0"),
        (edit_manifest, "was changed after the backup"),
        (remove_manifest, "no complete backup"),
    ],
)
def test_a_mixed_set_is_refused_and_nothing_is_written(
    empty: Home, made: tuple[Path, Path], damage: Callable[[Path], None], reason: str
) -> None:
    damage(made[0])
    with pytest.raises(StackError, match=reason):
        restore_into(empty, *made)
    assert not empty.folder.exists() or list(empty.folder.iterdir()) == []


def other_home(tmp_path: Path, files: Mapping[str, bytes]) -> Home:
    (tmp_path / "other").mkdir()
    made = a_home(tmp_path / "other")
    for name, content in files.items():
        (made.folder / name).write_bytes(content)
    return made


def test_keys_of_another_home_are_refused(
    tmp_path: Path, empty: Home, made: tuple[Path, Path]
) -> None:
    other = other_home(tmp_path, {"keys/token.json": b"another"})
    back_up(other, tmp_path / "other_backup", tmp_path / "other_keys")
    with pytest.raises(StackError, match="are of another home than the backup"):
        restore_into(empty, made[0], tmp_path / "other_keys")
    with pytest.raises(StackError, match="kind home, format 1, and kind keys"):
        restore_into(empty, made[0], made[0])


def test_without_keys_those_of_the_home_are_used_if_they_belong(
    home: Home, empty: Home, made: tuple[Path, Path]
) -> None:
    with pytest.raises(StackError, match=r"has not the \.env and the keys of this backup"):
        restore_into(empty, made[0], None)
    empty.make_folders()
    (empty.folder / "keys").mkdir()
    for name in ("token.json", "master.json"):
        (empty.folder / "keys" / name).write_bytes(FILES[f"keys/{name}"])
    empty.env_file.write_text(home.env_file.read_text())
    restore_into(empty, made[0], None)
    assert contents(empty.folder) == contents(home.folder)


def test_a_home_that_is_not_empty_is_refused(empty: Home, made: tuple[Path, Path]) -> None:
    (empty.folder / "kafka").mkdir(parents=True)
    with pytest.raises(StackError, match=r"is not empty \(kafka\)"):
        restore_into(empty, *made)


def test_a_home_that_runs_is_refused(home: Home, made: tuple[Path, Path]) -> None:
    with pytest.raises(StackError, match="a stack runs in"):
        restore_into(home, *made)


def test_a_backup_of_another_format_is_refused(
    home: Home, empty: Home, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    older = replace(home_version.code_version(), format=1)
    monkeypatch.setattr(home_version, "read", lambda _: older)
    monkeypatch.setattr(home_version, "claim", lambda _: None)
    back_up(home, tmp_path / "backup", tmp_path / "keys")
    with pytest.raises(StackError, match=r"a home of format 1.*with the version that made it"):
        restore_into(empty, tmp_path / "backup", tmp_path / "keys")


def test_a_lake_is_restored_to_its_own_place_only(home: Home, empty: Home, tmp_path: Path) -> None:
    (home.folder / "hive").mkdir()
    back_up(home, tmp_path / "backup", tmp_path / "keys")
    with pytest.raises(StackError, match=r"hold addresses of .*/home with port offset 0"):
        restore_into(empty, tmp_path / "backup", tmp_path / "keys")


def test_a_restore_that_was_killed_begins_anew(
    home: Home, empty: Home, made: tuple[Path, Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    real, copied = backup_manifest.copy, []

    def killed(source: Path, target: Path) -> backup_manifest.CopiedFile:
        copied.append(target)
        if len(copied) > 2:
            raise KeyboardInterrupt
        return real(source, target)

    monkeypatch.setattr(backup_manifest, "copy", killed)
    with pytest.raises(KeyboardInterrupt):
        restore_into(empty, *made)
    with pytest.raises(StackError, match="was not finished"):
        home_version.claim(empty)
    (empty.folder / "kafka/left_over").touch()
    monkeypatch.setattr(backup_manifest, "copy", real)
    restore_into(empty, *made)
    assert contents(empty.folder) == contents(home.folder)
