"""Restore a backup into an empty home; a mixed set is refused before anything is written."""

from __future__ import annotations

import shutil
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from fraudwatch.adapters.durable_file import replace_file
from fraudwatch.home_format import HOME_FORMAT
from fraudwatch.stack import backup_manifest, env_file, supervisor
from fraudwatch.stack.backup import HOME, KEYS, SECRETS, SETTINGS, keys_id, place
from fraudwatch.stack.backup_manifest import Manifest
from fraudwatch.stack.environments import Notify
from fraudwatch.stack.home import Home, StackError, write_private
from fraudwatch.stack.home_version import UNFINISHED_RESTORE

# May be in the home before: what the operator put there, and what any command creates.
_ALLOWED = frozenset({KEYS, ".env", "log", "run"})


@dataclass(frozen=True, kw_only=True)
class RestoreReport:
    """Result of a restore."""

    made_at: str
    files: int
    profile: str
    databases_elsewhere: tuple[str, ...]


@dataclass(frozen=True, kw_only=True)
class Restore:
    """One restore of a backup into an empty home."""

    home: Home
    notify: Notify
    folder: Path
    keys_folder: Path | None = None

    def run(self) -> RestoreReport:
        """Check the whole set, then copy it into the home.

        Raises:
            StackError: the set is mixed, damaged or of another version, or the home is not empty.
        """
        manifest = backup_manifest.read(self.folder, "home")
        self._check_version(manifest.about)
        self._check_home()
        keys = self._keys(manifest)
        settings = self._settings(keys)
        self._check_place(manifest.about, settings)
        self.notify(f"comparing {len(manifest.files)} files with the manifest ...")
        backup_manifest.verify(manifest, self.folder)
        self._copy(manifest, keys, settings)
        return RestoreReport(
            made_at=manifest.made_at,
            files=len(manifest.files),
            profile=manifest.about["profile"],
            databases_elsewhere=tuple(manifest.about["databases_elsewhere"]),
        )

    def _check_version(self, about: Mapping[str, Any]) -> None:
        found = about["home_version"]["format"]
        if found != HOME_FORMAT:
            raise StackError(
                f"the backup is of a home of format {found}, and this code uses format "
                f"{HOME_FORMAT}; nothing was restored: restore it with the version that made it, "
                "start that, then run ./fraudwatch upgrade of this one"
            )

    def _check_home(self) -> None:
        folder = self.home.folder
        if supervisor.is_alive(self.home):
            raise StackError(f"a stack runs in {folder}; stop it, and move its folder away first")
        found = {path.name for path in folder.glob("*")} if folder.exists() else set()
        if UNFINISHED_RESTORE in found:
            self.notify("an earlier restore was not finished; it begins anew")
            for name in found - _ALLOWED - {UNFINISHED_RESTORE}:
                _remove(folder / name)
        elif others := found - _ALLOWED:
            raise StackError(
                f"{folder} is not empty ({', '.join(sorted(others)[:5])}), and two homes must not "
                "mix; nothing was restored: move it away, or set FRAUDWATCH_HOME"
            )

    def _keys(self, manifest: Manifest) -> Manifest | None:
        """Check the folder of keys, or those that are in the home already."""
        if self.keys_folder is None:
            self._check_keys_of_home(manifest)
            return None
        keys = backup_manifest.read(self.keys_folder, "keys")
        backup_manifest.verify(keys, self.keys_folder)
        if (keys.keys_id, keys.cluster_id) != (manifest.keys_id, manifest.cluster_id):
            raise StackError(
                f"the keys in {self.keys_folder} (id {keys.keys_id}) are of another home than the "
                f"backup (id {manifest.keys_id}); nothing was restored: its customers would be "
                "new, and nothing sealed could be opened"
            )
        if (self.home.folder / KEYS).exists() or self.home.env_file.exists():
            raise StackError(
                f"{self.home.folder / KEYS} or {self.home.env_file} exists already; nothing was "
                "restored: move them away, or leave out --keys to use them"
            )
        if keys.backup_id != manifest.backup_id:
            self.notify(
                f"the keys are of {keys.made_at}, the data of {manifest.made_at}: sealed fields of "
                "customers who came in between cannot be opened"
            )
        return keys

    def _check_keys_of_home(self, manifest: Manifest) -> None:
        own = env_file.read(self.home) or {}
        if own.get("KAFKA_CLUSTER_ID") != manifest.cluster_id or (
            keys_id(self.home.folder / KEYS) != manifest.keys_id
        ):
            raise StackError(
                f"the home has not the .env and the keys of this backup (keys id "
                f"{manifest.keys_id}), so Kafka and Cassandra would refuse every login and nothing "
                "sealed could be opened; nothing was restored: name the folder of the keys with "
                "--keys, or put keys/ and .env into the home"
            )

    def _settings(self, keys: Manifest | None) -> dict[str, str]:
        """Return the .env of the restored home: settings of the backup, secrets of the keys."""
        if keys is None or self.keys_folder is None:
            return env_file.read(self.home) or {}
        texts = (self.folder / SETTINGS, self.keys_folder / SECRETS)
        found = [env_file.parse(path.read_text(encoding="utf-8")) for path in texts]
        return found[0] | found[1]

    def _check_place(self, about: Mapping[str, Any], settings: Mapping[str, str]) -> None:
        """Refuse another path or other ports where the data holds them."""
        wanted, found = about["place"], place(self.home, settings)
        if about["is_bound_to_place"] and wanted != found:
            raise StackError(
                f"the lake and the model registry hold addresses of {wanted['folder']} with port "
                f"offset {wanted['port_offset']}, and this home is {found['folder']} with "
                f"{found['port_offset']}; nothing was restored: set FRAUDWATCH_HOME and "
                "FRAUDWATCH_PORT_OFFSET to the former"
            )

    def _copy(self, manifest: Manifest, keys: Manifest | None, settings: Mapping[str, str]) -> None:
        self.home.make_folders()
        unfinished = self.home.folder / UNFINISHED_RESTORE
        replace_file(unfinished, b"")
        for name in manifest.folders:
            (self.home.folder / name.removeprefix(f"{HOME}/")).mkdir(
                mode=0o700, parents=True, exist_ok=True
            )
        for name in manifest.files:
            if name.startswith(f"{HOME}/"):
                target = self.home.folder / name.removeprefix(f"{HOME}/")
                backup_manifest.copy(self.folder / name, target)
        if keys is not None and self.keys_folder is not None:
            for name in keys.files:
                if name != SECRETS:
                    backup_manifest.copy(self.keys_folder / name, self.home.folder / name)
            text = "".join(f"{name}={value}\n" for name, value in settings.items())
            write_private(self.home.env_file, text)
        unfinished.unlink()


def _remove(path: Path) -> None:
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path)
    else:
        path.unlink()
