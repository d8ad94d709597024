from __future__ import annotations

import hashlib
from pathlib import Path

import pytest

from fraudwatch.stack import jars
from fraudwatch.stack.home import ROOT, Home, StackError


def _home_with(folder: Path, content: bytes) -> Home:
    home = Home(root=folder, runtime=folder / ".runtime", folder=folder / "var")
    (folder / "requirements/jars").mkdir(parents=True)
    digest = hashlib.sha256(content).hexdigest()
    jars.lock_of(home, "few").write_text(f"# a list\norg.x:lib:1.0 {digest} {len(content)}\n")
    jars.folder_of(home, "few").mkdir(parents=True)
    (jars.folder_of(home, "few") / "lib-1.0.jar").write_bytes(content)
    return home


def test_a_verified_folder_is_not_read_again(tmp_path: Path) -> None:
    home = _home_with(tmp_path, b"content")
    messages: list[str] = []
    jars.ensure(home, "few", messages.append)
    assert jars.is_verified(home, "few")
    assert messages == []
    assert jars.altered(home, "few") == []


def test_an_altered_jar_is_named_and_deleted(tmp_path: Path) -> None:
    home = _home_with(tmp_path, b"content")
    jars.ensure(home, "few", print)
    jar = jars.folder_of(home, "few") / "lib-1.0.jar"
    jar.write_bytes(b"c0ntent")
    assert jars.altered(home, "few") == ["lib-1.0.jar"]
    with pytest.raises(StackError, match=r"org\.x:lib:1\.0 is not the file in the lock") as refusal:
        jars.ensure(home, "few", print)
    assert hashlib.sha256(b"content").hexdigest() in str(refusal.value)
    assert hashlib.sha256(b"c0ntent").hexdigest() in str(refusal.value)
    assert not jar.exists()


def test_an_unlisted_jar_is_removed_from_the_class_path(tmp_path: Path) -> None:
    home = _home_with(tmp_path, b"content")
    unlisted = jars.folder_of(home, "few") / "stranger.jar"
    unlisted.write_bytes(b"?")
    jars.ensure(home, "few", print)
    assert not unlisted.exists()


def test_a_changed_lock_is_verified_again(tmp_path: Path) -> None:
    home = _home_with(tmp_path, b"content")
    jars.ensure(home, "few", print)
    lock = jars.lock_of(home, "few")
    lock.write_text(lock.read_text().replace(" 7\n", " 8\n"))
    with pytest.raises(StackError, match="expected 8 bytes"):
        jars.ensure(home, "few", print)


@pytest.mark.parametrize(
    ("name", "count"),
    [
        ("kafka", 46),
        ("cassandra", 77),
        ("spark_kafka", 4),
        ("delta", 5),
        ("hdfs", 1),
        ("jmx", 1),
        ("postgresql", 1),
    ],
)
def test_committed_locks_are_complete_and_unambiguous(name: str, count: int) -> None:
    home = Home(root=ROOT, runtime=ROOT / ".runtime", folder=ROOT / "var")
    listed = jars.read_lock(jars.lock_of(home, name))
    assert len({jar.file_name for jar in listed}) == len(listed) == count
    assert all(len(jar.sha256) == 64 and jar.bytes > 0 for jar in listed)
