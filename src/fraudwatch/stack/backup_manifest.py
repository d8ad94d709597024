"""Manifest of a backup: what it holds, with a hash of every file; written last."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, NamedTuple

from fraudwatch.adapters.durable_file import replace_file
from fraudwatch.stack.home import StackError

MANIFEST = "manifest.json"
MANIFEST_HASH = "manifest.sha256"
FORMAT = 1
_CHUNK_BYTES = 1 << 20
_SHOWN = 5


class CopiedFile(NamedTuple):
    """A file of a backup."""

    sha256: str
    bytes: int
    mode: int


@dataclass(frozen=True, kw_only=True)
class Manifest:
    """Manifest of a backup, or of the folder of keys beside it."""

    kind: str
    """`home` or `keys`."""
    backup_id: str
    made_at: str
    cluster_id: str
    keys_id: str
    about: Mapping[str, Any]
    files: Mapping[str, CopiedFile]
    folders: tuple[str, ...] = ()
    format: int = FORMAT

    def write(self, folder: Path) -> None:
        """Write the manifest, durably; a folder without one is no backup."""
        document = {
            **asdict(self),
            "files": {name: one._asdict() for name, one in self.files.items()},
        }
        body = f"{json.dumps(document, indent=1)}\n".encode()
        digest = hashlib.sha256(body).hexdigest()
        replace_file(folder / MANIFEST_HASH, f"{digest}  {MANIFEST}\n".encode())
        replace_file(folder / MANIFEST, body)


def read(folder: Path, kind: str) -> Manifest:
    """Read a backup's manifest.

    Raises:
        StackError: there is none, it was changed, or it is of another kind or format.
    """
    try:
        body = (folder / MANIFEST).read_bytes()
        expected = (folder / MANIFEST_HASH).read_text(encoding="utf-8").split()[0]
    except (OSError, IndexError) as error:
        raise StackError(
            f"{folder} is no complete backup: {MANIFEST}, which is written last, cannot be read "
            f"({error}); nothing was restored, use another backup"
        ) from error
    if hashlib.sha256(body).hexdigest() != expected:
        raise StackError(f"{folder / MANIFEST} was changed after the backup; nothing was restored")
    raw = json.loads(body)
    if raw["kind"] != kind or raw["format"] != FORMAT:
        raise StackError(
            f"{folder} holds a backup of kind {raw['kind']}, format {raw['format']}, and kind "
            f"{kind}, format {FORMAT} is needed; nothing was restored"
        )
    files = {name: CopiedFile(**one) for name, one in raw["files"].items()}
    return Manifest(**{**raw, "files": files, "folders": tuple(raw["folders"])})


def copy(source: Path, target: Path) -> CopiedFile:
    """Copy a file with its permissions, and hash what was read."""
    digest, size = hashlib.sha256(), 0
    target.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    mode = source.stat().st_mode & 0o777
    with source.open("rb") as reader, target.open("wb") as writer:
        target.chmod(mode)
        while chunk := reader.read(_CHUNK_BYTES):
            digest.update(chunk)
            writer.write(chunk)
            size += len(chunk)
    return CopiedFile(digest.hexdigest(), size, mode)


def verify(manifest: Manifest, folder: Path) -> None:
    """Check that a folder holds exactly the manifest's files, with their hashes.

    Raises:
        StackError: a file is missing, was added or differs: the set is mixed or damaged.
    """
    found = {str(path.relative_to(folder)) for path in folder.rglob("*") if not path.is_dir()} - {
        MANIFEST,
        MANIFEST_HASH,
    }
    missing, added = sorted(manifest.files.keys() - found), sorted(found - manifest.files.keys())
    changed = [
        name
        for name, one in manifest.files.items()
        if name in found and not _is_equal(folder / name, one)
    ]
    for problem, names in (("missing", missing), ("added", added), ("changed", changed)):
        if names:
            raise StackError(
                f"{folder} is not the set that its manifest describes: {len(names)} files are "
                f"{problem}, such as {', '.join(names[:_SHOWN])}; nothing was restored, use "
                "another backup"
            )


def _is_equal(path: Path, expected: CopiedFile) -> bool:
    if path.stat().st_size != expected.bytes:
        return False
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest() == expected.sha256
