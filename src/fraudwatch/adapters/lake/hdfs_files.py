"""The lake's files on HDFS over WebHDFS: drafts, verified lengths and strict renames.

HDFS moves a folder *into* a folder of the target's name where that exists; a rename with options
refuses instead, so every rename here has them.
"""

from __future__ import annotations

import posixpath
import uuid
from collections.abc import Iterable, Iterator
from contextlib import ExitStack, contextmanager
from typing import Any, Final

import requests
from hdfs import HdfsError, InsecureClient

from fraudwatch.application.extract.lake_files import LakeUnavailable

# Simple authentication trusts this name: the network is the boundary.
JOBS_USER: Final = "fraudwatch"
_CONNECT_SECONDS, _ANSWER_SECONDS = 5.0, 60.0
_CHUNK_BYTES = 1 << 20
_WAIT_FOR_START = (
    "wait until its DataNodes have reported, usually half a minute after a start; if it stays, "
    "free disk space, then leave it with 'hdfs dfsadmin -safemode leave'"
)
_FREE_SPACE = "free disk space on the DataNode or raise the quota, then run this again"
_SIGNS = (
    ("safe mode", "HDFS is in safe mode and accepts no writes", _WAIT_FOR_START),
    ("could only be written to 0", "HDFS has no DataNode with space for a block", _FREE_SPACE),
    ("no space left", "the disk of HDFS is full", _FREE_SPACE),
    ("quota", "the quota of the folder is used up", _FREE_SPACE),
    ("permission denied", f"HDFS refuses {JOBS_USER}", "run the one-shot hdfs_setup again"),
)


class _StrictClient(InsecureClient):  # type: ignore[misc]  # the library has no types
    """WebHDFS client with a rename that refuses an existing target."""

    def rename_strictly(self, path: str, target: str, *, over: bool) -> None:
        self._rename(path, destination=target, renameoptions="OVERWRITE" if over else "NONE")


class HdfsFiles:
    """See :class:`fraudwatch.application.extract.lake_files.LakeFiles`."""

    def __init__(self, url: str, user: str = JOBS_USER) -> None:
        self._url = url
        self._client = _StrictClient(url, user=user, timeout=(_CONNECT_SECONDS, _ANSWER_SECONDS))

    def write(self, path: str, chunks: Iterable[bytes]) -> int:
        folder, name = posixpath.split(path)
        draft = f"{folder}/.{name}.{uuid.uuid4().hex}.draft"
        with ExitStack() as cleanup:
            cleanup.callback(self._discard, draft)
            with self._translate_errors(path):
                written = self._send(draft, chunks)
                self._client.rename_strictly(draft, path, over=True)
            cleanup.pop_all()
        return written

    def create(self, path: str, content: bytes) -> bool:
        try:
            with self._translate_errors(path):
                self._client.write(path, content, overwrite=False)
        except FileExistsError:
            return False
        return True

    def read(self, path: str) -> Iterator[bytes]:
        with (
            self._translate_errors(path),
            self._client.read(path, chunk_size=_CHUNK_BYTES) as chunks,
        ):
            yield from chunks

    def names(self, folder: str) -> list[str]:
        try:
            with self._translate_errors(folder):
                return sorted(self._client.list(folder))
        except FileNotFoundError:
            return []

    def exists(self, path: str) -> bool:
        try:
            with self._translate_errors(path):
                self._client.status(path)
        except FileNotFoundError:
            return False
        return True

    def move(self, path: str, target: str) -> bool:
        try:
            with self._translate_errors(path):
                self._client.makedirs(posixpath.dirname(target))
                self._client.rename_strictly(path, target, over=False)
        except FileExistsError:
            return False
        return True

    def remove(self, path: str) -> bool:
        with self._translate_errors(path):
            return bool(self._client.delete(path, recursive=True))

    def _send(self, draft: str, chunks: Iterable[bytes]) -> int:
        counted = _CountedChunks(chunks)
        try:
            self._client.write(draft, iter(counted), overwrite=True)
        except requests.RequestException:
            if counted.failure is None:
                raise
            # The client reported an error of the chunks' producer as one of the network.
            raise counted.failure from None
        if (length := self._client.status(draft)["length"]) != counted.bytes:
            raise LakeUnavailable(
                f"HDFS stored {length} of {counted.bytes} bytes written to {draft}, so the file "
                "was not replaced; run this again, and see the DataNode's log if it recurs"
            )
        return counted.bytes

    def _discard(self, draft: str) -> None:
        try:
            self._client.delete(draft)
        except (HdfsError, requests.RequestException):
            return  # it is hidden, and its folder is cleared by the next run

    @contextmanager
    def _translate_errors(self, path: str) -> Iterator[None]:
        try:
            yield
        except HdfsError as error:
            raise _to_error(error, path) from error
        except requests.RequestException as error:
            raise LakeUnavailable(
                f"HDFS does not answer at {self._url} ({type(error).__name__}), so {path} can be "
                "neither read nor written; check that NameNode and DataNode run, then run this "
                "again"
            ) from error


class _CountedChunks:
    """Iterable of chunks that counts their bytes and records the producer's error."""

    def __init__(self, chunks: Iterable[bytes]) -> None:
        self._chunks, self.bytes = chunks, 0
        self.failure: Exception | None = None

    def __iter__(self) -> Iterator[bytes]:
        try:
            for chunk in self._chunks:
                self.bytes += len(chunk)
                if chunk:  # an empty chunk would end a chunked transfer
                    yield chunk
        except Exception as error:  # of any kind: requests would report it as a network error
            self.failure = error
            raise


def _to_error(error: Any, path: str) -> Exception:
    kind, text = str(error.exception or ""), str(error.message)
    if kind == "FileNotFoundException" or "does not exist" in text:
        return FileNotFoundError(path)
    if kind == "FileAlreadyExistsException" or "already exists" in text:
        return FileExistsError(path)
    first_line = text.splitlines()[0][:200] if text else kind
    for sign, cause, fix in _SIGNS:
        if sign in f"{kind} {text}".lower():
            return LakeUnavailable(f"{cause} ({first_line}); {path} was not changed; {fix}")
    return LakeUnavailable(
        f"HDFS refused {path}: {kind} {first_line}; nothing was changed there; see the NameNode's "
        "log, then run this again"
    )
