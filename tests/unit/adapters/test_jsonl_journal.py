from __future__ import annotations

import os
import stat
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from fraudwatch.adapters.jsonl_journal import JsonlJournal

FIRST, SECOND, THIRD = ({"n": n, "text": "æ" * n} for n in (1, 2, 3))


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "folder" / "journal.jsonl"


def test_without_a_file_there_are_no_entries_and_none_is_created(path: Path) -> None:
    assert JsonlJournal(path).entries() == []
    assert not path.exists()


@pytest.mark.parametrize(
    ("break_first", "content"),
    [(False, b'{"a": 1}\n{"a": 2}\n'), (True, b'\n{"a": 1}\n{"a": 2}')],
)
def test_entries_are_lines_of_json_in_a_private_file(
    path: Path, *, break_first: bool, content: bytes
) -> None:
    journal = JsonlJournal(path, break_first=break_first)
    journal.append({"a": 1})
    journal.append({"a": 2})
    assert path.read_bytes() == content
    assert journal.entries() == [{"a": 1}, {"a": 2}]
    assert stat.S_IMODE(path.stat().st_mode) == 0o600


@pytest.mark.parametrize("break_first", [False, True])
def test_a_line_torn_at_any_byte_is_dropped_and_harms_no_other(
    path: Path, *, break_first: bool
) -> None:
    journal = JsonlJournal(path, break_first=break_first)
    journal.append(FIRST)
    before = path.read_bytes()
    journal.append(SECOND)
    after = path.read_bytes()
    for size in range(len(before), len(after)):
        path.write_bytes(after[:size])
        # An entry is whole without its line break.
        is_whole = size > len(before) and after[:size].endswith(b"}")
        known = [FIRST, SECOND] if is_whole else [FIRST]
        assert journal.entries() == known
        journal.append(THIRD)
        assert journal.entries() == [*known, THIRD]


def test_a_line_that_is_no_object_is_ignored(path: Path) -> None:
    JsonlJournal(path).append(FIRST)
    with path.open("ab") as file:
        file.write(b'5\n\xff\n\n["n"]\n')
    assert JsonlJournal(path).entries() == [FIRST]


def test_entries_of_concurrent_threads_do_not_mix(path: Path) -> None:
    journal = JsonlJournal(path)
    entries = [{"n": n, "ids": [f"chaos:{n}"] * 2_000} for n in range(40)]
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(journal.append, entries))
    assert sorted(journal.entries(), key=lambda entry: int(entry["n"])) == entries


def test_an_entry_that_the_disk_takes_in_part_is_an_error(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    journal = JsonlJournal(path)
    write = os.write
    with monkeypatch.context() as patched:
        patched.setattr(os, "write", lambda file, line: write(file, line[:9]))
        with pytest.raises(OSError, match="is it full"):
            journal.append(FIRST)
    journal.append(SECOND)
    assert journal.entries() == [SECOND]


@pytest.mark.parametrize("break_first", [False, True])
def test_a_compacted_journal_has_the_selected_entries_and_goes_on(
    path: Path, *, break_first: bool
) -> None:
    journal = JsonlJournal(path, break_first=break_first)
    for entry in (FIRST, SECOND):
        journal.append(entry)
    journal.compact(lambda found: found[1:])
    assert journal.entries() == [SECOND]
    journal.append(THIRD)
    assert journal.entries() == [SECOND, THIRD]
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert list(path.parent.iterdir()) == [path]


def test_a_journal_that_is_compact_is_not_written_again(path: Path) -> None:
    journal = JsonlJournal(path)
    journal.compact(lambda found: found)
    assert not path.exists()
    journal.append(FIRST)
    before = path.stat().st_ino
    journal.compact(lambda found: found)
    assert path.stat().st_ino == before


def test_a_failed_compaction_leaves_the_journal_as_it_was(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    journal = JsonlJournal(path)
    journal.append(FIRST)
    journal.append(SECOND)

    def full_disk(*_: object) -> None:
        raise OSError("no space left")

    with monkeypatch.context() as patched:
        patched.setattr(Path, "replace", full_disk)
        with pytest.raises(OSError, match="no space"):
            journal.compact(lambda found: found[1:])
    assert journal.entries() == [FIRST, SECOND]


COMPACT_FOR_EVER = """
import sys
from pathlib import Path
from fraudwatch.adapters.jsonl_journal import JsonlJournal
journal, n = JsonlJournal(Path(sys.argv[1])), 0
while True:
    n += 1
    journal.append({"n": n})
    journal.compact(lambda found: found[-3:])
"""


def test_a_kill_while_it_is_compacted_leaves_a_valid_journal(path: Path) -> None:
    path.parent.mkdir()
    for _ in range(5):
        path.unlink(missing_ok=True)
        writer = subprocess.Popen([sys.executable, "-c", COMPACT_FOR_EVER, str(path)])
        deadline = time.monotonic() + 30
        while len(JsonlJournal(path).entries()) < 3:
            assert time.monotonic() < deadline
        writer.kill()
        writer.wait()
        numbers = [entry["n"] for entry in JsonlJournal(path).entries()]
        # Killed between the two steps, it has one more.
        assert len(numbers) in {3, 4}
        assert numbers == list(range(numbers[0], numbers[0] + len(numbers)))


def test_no_entry_is_lost_that_is_appended_while_another_process_compacts(path: Path) -> None:
    journal = JsonlJournal(path)

    def append(n: int) -> None:
        JsonlJournal(path).append({"n": n, "is_kept": True})
        JsonlJournal(path).append({"n": n, "is_kept": False})

    def compact(_: int) -> None:
        JsonlJournal(path).compact(lambda found: [one for one in found if one["is_kept"]])

    with ThreadPoolExecutor(8) as pool:
        futures = [pool.submit(act, n) for n in range(100) for act in (append, compact)]
        for future in futures:
            future.result()
    compact(0)
    assert sorted(entry["n"] for entry in journal.entries()) == list(range(100))
