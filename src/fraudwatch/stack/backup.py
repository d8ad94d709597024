"""Back a home up: drain it, stop it, copy positions, logs and stores, start it again."""

from __future__ import annotations

import hashlib
import os
import shutil
import time
import uuid
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path

from fraudwatch.adapters.durable_file import replace_file
from fraudwatch.stack import (
    backup_files,
    backup_manifest,
    env_file,
    home_version,
    runner,
    supervisor,
)
from fraudwatch.stack.backup_manifest import CopiedFile, Manifest
from fraudwatch.stack.catalogue import Catalogue
from fraudwatch.stack.environments import Notify
from fraudwatch.stack.home import Home, StackError
from fraudwatch.stack.positions import Positions
from fraudwatch.stack.quiet_stack import drained
from fraudwatch.stack.state import profile_of

HOME = "home"
SETTINGS = "settings.env"
SECRETS = "secrets.env"
KEYS = "keys"
# Databases that may be outside the home; then their own tools back them up.
DATABASES = ("AIRFLOW_DATABASE_URL", "HIVE_METASTORE_URL", "MLFLOW_TRACKING_URI")
# They hold absolute paths and addresses with ports, so they work in one place only.
_BOUND_TO_PLACE = ("hive", "mlflow")


@dataclass(frozen=True, kw_only=True)
class BackupReport:
    """Result of a backup."""

    folder: str
    keys_folder: str | None
    files: int
    bytes: int
    closed_seconds: float
    """How long ingest accepted nothing."""
    databases_elsewhere: tuple[str, ...]
    """Settings that name a database outside the home: it is not in the backup."""


@dataclass(frozen=True, kw_only=True)
class Backup:
    """One backup of a running home into an empty folder."""

    home: Home
    catalogue: Catalogue
    notify: Notify
    folder: Path
    keys_folder: Path | None = None

    def run(self) -> BackupReport:
        """Drain, stop, copy, and start again what ran.

        Raises:
            StackError: a folder is not empty or too small, the stack does not run or cannot be
                drained; the stack runs on.
        """
        self._check_folders()
        with runner.lock(self.home, self.notify):
            home_version.claim(self.home)
            settings = env_file.ensure(self.home)
            self._check_space()
            closed_at = time.monotonic()
            with self._stopped(settings) as positions:
                made = self._copy(settings, positions)
            return BackupReport(
                folder=str(self.folder),
                keys_folder=str(self.keys_folder) if self.keys_folder else None,
                files=len(made.files),
                bytes=sum(one.bytes for one in made.files.values()),
                closed_seconds=round(time.monotonic() - closed_at, 1),
                databases_elsewhere=databases_elsewhere(settings),
            )

    def _check_folders(self) -> None:
        if not supervisor.is_alive(self.home):
            raise StackError(
                f"no stack runs in {self.home.folder}, so it can neither be drained nor counted; "
                "run ./fraudwatch up, then back it up"
            )
        for folder in filter(None, (self.folder, self.keys_folder)):
            if folder.exists() and any(folder.iterdir()):
                raise StackError(f"{folder} is not empty, so nothing was backed up; name a new one")
            if _is_within(folder, self.home.folder):
                raise StackError(f"{folder} is inside the home that it would back up; name another")
        if self.keys_folder and (
            _is_within(self.keys_folder, self.folder) or _is_within(self.folder, self.keys_folder)
        ):
            raise StackError(
                "keys beside what they open protect nothing, so nothing was backed up; name a "
                "--keys folder outside the backup, best on another disk"
            )

    def _check_space(self) -> None:
        files, _ = backup_files.listed(self.home.folder)
        needed = backup_files.size_bytes(self.home.folder, files)
        self.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        if (free := shutil.disk_usage(self.folder).free) < needed:
            raise StackError(
                f"{self.folder} has {free:,} bytes free and the home needs {needed:,}, so nothing "
                "was stopped; name a folder on a larger disk"
            )

    @contextmanager
    def _stopped(self, settings: Mapping[str, str]) -> Iterator[Positions | None]:
        """Drain and stop the stack for the body, and start it again whatever happens."""
        profile = profile_of(self.home)
        with drained(self.home, self.catalogue, settings, self.notify) as positions:
            self.notify("drained; stopping the stack for the copy ...")
            try:
                runner.down_locked(self.home, self.catalogue, self.notify)
                yield positions
            finally:
                runner.up_locked(self.home, self.catalogue, profile, self.notify)

    def _copy(self, settings: Mapping[str, str], positions: Positions | None) -> Manifest:
        open_settings, secrets = separated(settings)
        listed, folders = backup_files.listed(self.home.folder)
        names = backup_files.without_secrets(self.home.folder, listed, secrets.values())
        self.notify(f"copying {len(names)} files ...")
        copied = {
            f"{HOME}/{name}": backup_manifest.copy(
                self.home.folder / name, self.folder / HOME / name
            )
            for name in names
        }
        copied[SETTINGS] = _write(self.folder / SETTINGS, open_settings)
        # Before the manifest: a manifest on disk promises that all files are.
        os.sync()
        manifest = Manifest(
            kind="home",
            backup_id=str(uuid.uuid4()),
            made_at=datetime.now(UTC).isoformat(timespec="seconds"),
            cluster_id=settings["KAFKA_CLUSTER_ID"],
            keys_id=keys_id(self.home.folder / KEYS),
            about=self._about(settings, positions),
            files=copied,
            folders=tuple(f"{HOME}/{name}" for name in folders),
        )
        if self.keys_folder:
            self._copy_keys(self.keys_folder, manifest, secrets)
        manifest.write(self.folder)
        return manifest

    def _about(self, settings: Mapping[str, str], positions: Positions | None) -> dict[str, object]:
        version = home_version.read(self.home)
        return {
            "home_version": asdict(version) if version else None,
            "profile": profile_of(self.home),
            "place": place(self.home, settings),
            "is_bound_to_place": any((self.home.folder / n).exists() for n in _BOUND_TO_PLACE),
            "databases_elsewhere": list(databases_elsewhere(settings)),
            "positions": positions.as_document() if positions else None,
        }

    def _copy_keys(self, folder: Path, of: Manifest, secrets: Mapping[str, str]) -> None:
        source = self.home.folder / KEYS
        names = sorted(path.name for path in source.glob("*") if path.is_file())
        copied = {
            f"{KEYS}/{name}": backup_manifest.copy(source / name, folder / KEYS / name)
            for name in names
        }
        folder.chmod(0o700)
        copied[SECRETS] = _write(folder / SECRETS, secrets)
        os.sync()
        Manifest(
            kind="keys",
            backup_id=of.backup_id,
            made_at=of.made_at,
            cluster_id=of.cluster_id,
            keys_id=of.keys_id,
            about={},
            files=copied,
        ).write(folder)


def separated(settings: Mapping[str, str]) -> tuple[dict[str, str], dict[str, str]]:
    """Separate .env into settings and secrets; a URL with a login is a secret."""
    secrets = {
        name: value
        for name, value in settings.items()
        if env_file.is_secret(name) or ("://" in value and "@" in value)
    }
    return {name: v for name, v in settings.items() if name not in secrets}, secrets


def keys_id(folder: Path) -> str:
    """Return an id of the edge's permanent keys: equal tokens, and a master that opens."""
    digest = hashlib.sha256()
    for name in ("token.json", "master.json"):
        if (folder / name).exists():
            digest.update((folder / name).read_bytes())
    return digest.hexdigest()[:16]


def place(home: Home, settings: Mapping[str, str]) -> dict[str, object]:
    """Return where a home is: its path and ports."""
    return {"folder": str(home.folder), "port_offset": env_file.port_offset(settings)}


def databases_elsewhere(settings: Mapping[str, str]) -> tuple[str, ...]:
    """Return the settings that name a database outside the home."""
    return tuple(name for name in DATABASES if settings.get(name, "auto") not in {"auto", "derby"})


def _write(path: Path, settings: Mapping[str, str]) -> CopiedFile:
    content = "".join(f"{name}={value}\n" for name, value in settings.items()).encode()
    replace_file(path, content)
    return CopiedFile(hashlib.sha256(content).hexdigest(), len(content), 0o600)


def _is_within(path: Path, folder: Path) -> bool:
    return path.resolve().is_relative_to(folder.resolve())
