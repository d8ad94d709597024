"""Contract of lake files: local folder and real HDFS."""

from __future__ import annotations

import os
import uuid
from collections.abc import Iterator
from pathlib import Path

import pytest

from fraudwatch.adapters.lake.folder_files import FolderFiles
from fraudwatch.adapters.lake.hdfs_files import HdfsFiles
from fraudwatch.application.extract.lake_files import LakeFiles, content_of, lines_of

WEBHDFS = "LAKE_WEBHDFS_URL"


@pytest.fixture(
    params=["folder", pytest.param("hdfs", marks=[pytest.mark.engines, pytest.mark.batch])]
)
def files(request: pytest.FixtureRequest, tmp_path: Path) -> LakeFiles:
    if request.param == "folder":
        return FolderFiles(tmp_path)
    # The address of an HDFS that runs, or else that of the fixture with the lake's engines.
    if given := os.environ.get(WEBHDFS):
        return HdfsFiles(given)
    return HdfsFiles(request.getfixturevalue("batch_stack").webhdfs_url)


@pytest.fixture
def folder(files: LakeFiles) -> Iterator[str]:
    """A folder of this test's own, below one that the jobs' user may write."""
    own = f"/fraudwatch/raw/contract-{uuid.uuid4().hex}"
    yield own
    files.remove(own)


def test_a_file_is_read_as_it_was_written(files: LakeFiles, folder: str) -> None:
    assert files.write(f"{folder}/deep/a", [b"one\n", b"", b"two"]) == 7
    assert content_of(files, f"{folder}/deep/a") == b"one\ntwo"
    assert list(lines_of(files.read(f"{folder}/deep/a"))) == [b"one", b"two"]


def test_an_empty_file_is_a_file(files: LakeFiles, folder: str) -> None:
    assert files.write(f"{folder}/a", []) == 0
    assert files.exists(f"{folder}/a")
    assert content_of(files, f"{folder}/a") == b""


def test_a_file_is_replaced_as_a_whole(files: LakeFiles, folder: str) -> None:
    files.write(f"{folder}/a", [b"a long first text"])
    files.write(f"{folder}/a", [b"short"])
    assert content_of(files, f"{folder}/a") == b"short"
    assert files.names(folder) == ["a"]


def test_a_large_file_keeps_every_byte(files: LakeFiles, folder: str) -> None:
    chunks = [bytes([n]) * 300_000 for n in range(10)]
    assert files.write(f"{folder}/a", iter(chunks)) == 3_000_000
    assert content_of(files, f"{folder}/a") == b"".join(chunks)


def test_a_failed_write_leaves_the_old_file(files: LakeFiles, folder: str) -> None:
    def broken() -> Iterator[bytes]:
        yield b"new"
        raise ValueError("the source ended")

    files.write(f"{folder}/a", [b"old"])
    with pytest.raises(ValueError, match="the source ended"):
        files.write(f"{folder}/a", broken())
    assert content_of(files, f"{folder}/a") == b"old"
    with pytest.raises(ValueError, match="the source ended"):
        files.write(f"{folder}/b", broken())
    assert not files.exists(f"{folder}/b")


def test_an_error_of_the_chunks_is_raised_unchanged(files: LakeFiles, folder: str) -> None:
    def broken() -> Iterator[bytes]:
        yield b"new"
        raise ConnectionError("the source, not the lake")

    with pytest.raises(ConnectionError, match="the source, not the lake"):
        files.write(f"{folder}/a", broken())


def test_chunks_may_be_made_of_other_files(files: LakeFiles, folder: str) -> None:
    files.write(f"{folder}/a", [b"one"])
    chunks = (content_of(files, f"{folder}/a") or b"" for _ in range(3))
    assert files.write(f"{folder}/b", chunks) == 9
    assert content_of(files, f"{folder}/b") == b"oneoneone"


def test_only_the_first_creates(files: LakeFiles, folder: str) -> None:
    assert files.create(f"{folder}/lock", b"anna")
    assert not files.create(f"{folder}/lock", b"berta")
    assert content_of(files, f"{folder}/lock") == b"anna"


def test_names_are_sorted_and_of_one_folder(files: LakeFiles, folder: str) -> None:
    for name in ("b", "a", "c/d"):
        files.write(f"{folder}/{name}", [b"x"])
    assert files.names(folder) == ["a", "b", "c"]
    assert files.names(f"{folder}/none") == []


def test_a_folder_moves_at_once_and_never_into_another(files: LakeFiles, folder: str) -> None:
    files.write(f"{folder}/new/a", [b"new"])
    assert files.move(f"{folder}/new", f"{folder}/days/1")
    assert content_of(files, f"{folder}/days/1/a") == b"new"
    assert not files.exists(f"{folder}/new")

    files.write(f"{folder}/newer/a", [b"newer"])
    assert not files.move(f"{folder}/newer", f"{folder}/days/1")
    assert content_of(files, f"{folder}/days/1/a") == b"new"
    assert files.names(f"{folder}/days/1") == ["a"]


def test_a_file_moves_over_none(files: LakeFiles, folder: str) -> None:
    files.write(f"{folder}/a", [b"a"])
    files.write(f"{folder}/b", [b"b"])
    assert not files.move(f"{folder}/a", f"{folder}/b")
    assert content_of(files, f"{folder}/b") == b"b"


def test_a_missing_file_raises(files: LakeFiles, folder: str) -> None:
    assert content_of(files, f"{folder}/none") is None
    assert not files.exists(f"{folder}/none")
    assert not files.remove(f"{folder}/none")
    with pytest.raises(FileNotFoundError):
        files.move(f"{folder}/none", f"{folder}/target")


def test_a_folder_is_removed_with_its_contents(files: LakeFiles, folder: str) -> None:
    files.write(f"{folder}/a/b", [b"x"])
    assert files.remove(f"{folder}/a")
    assert not files.exists(f"{folder}/a/b")
