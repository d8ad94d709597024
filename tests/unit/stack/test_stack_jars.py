from __future__ import annotations

import hashlib
from pathlib import Path

import pytest

from fraudwatch.stack import jars
from fraudwatch.stack.place import ROOT, Place, Unusable


def _place_with(folder: Path, content: bytes) -> Place:
    place = Place(root=folder, runtime=folder / ".runtime", home=folder / "var")
    (folder / "requirements/jars").mkdir(parents=True)
    digest = hashlib.sha256(content).hexdigest()
    jars.lock_of(place, "few").write_text(f"# a list\norg.x:lib:1.0 {digest} {len(content)}\n")
    jars.folder_of(place, "few").mkdir(parents=True)
    (jars.folder_of(place, "few") / "lib-1.0.jar").write_bytes(content)
    return place


def test_a_verified_folder_is_not_read_again(tmp_path: Path) -> None:
    place = _place_with(tmp_path, b"content")
    said: list[str] = []
    jars.ensure(place, "few", said.append)
    assert jars.is_verified(place, "few")
    assert said == []
    assert jars.altered(place, "few") == []


def test_an_altered_jar_is_refused_named_and_deleted(tmp_path: Path) -> None:
    place = _place_with(tmp_path, b"content")
    jars.ensure(place, "few", print)
    jar = jars.folder_of(place, "few") / "lib-1.0.jar"
    jar.write_bytes(b"c0ntent")
    assert jars.altered(place, "few") == ["lib-1.0.jar"]
    with pytest.raises(Unusable, match=r"org\.x:lib:1\.0 is not the file on our list") as refusal:
        jars.ensure(place, "few", print)
    assert hashlib.sha256(b"content").hexdigest() in str(refusal.value)
    assert hashlib.sha256(b"c0ntent").hexdigest() in str(refusal.value)
    assert not jar.exists()


def test_a_jar_that_is_on_no_list_leaves_the_class_path(tmp_path: Path) -> None:
    place = _place_with(tmp_path, b"content")
    stranger = jars.folder_of(place, "few") / "stranger.jar"
    stranger.write_bytes(b"?")
    jars.ensure(place, "few", print)
    assert not stranger.exists()


def test_a_changed_list_is_checked_anew(tmp_path: Path) -> None:
    place = _place_with(tmp_path, b"content")
    jars.ensure(place, "few", print)
    lock = jars.lock_of(place, "few")
    lock.write_text(lock.read_text().replace(" 7\n", " 8\n"))
    with pytest.raises(Unusable, match="expected 8 bytes"):
        jars.ensure(place, "few", print)


@pytest.mark.parametrize(
    ("name", "count"),
    [
        ("kafka", 46),
        ("cassandra", 77),
        ("spark_kafka", 4),
        ("delta", 5),
        ("hdfs", 1),
        ("postgresql", 1),
    ],
)
def test_committed_lists_are_whole_and_unambiguous(name: str, count: int) -> None:
    place = Place(root=ROOT, runtime=ROOT / ".runtime", home=ROOT / "var")
    listed = jars.read_lock(jars.lock_of(place, name))
    assert len({jar.file_name for jar in listed}) == len(listed) == count
    assert all(len(jar.sha256) == 64 and jar.bytes > 0 for jar in listed)
