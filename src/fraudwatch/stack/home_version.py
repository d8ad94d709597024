"""Record a home's version in version.json, and refuse to start code of another one on it."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, replace

from fraudwatch.adapters.durable_file import replace_file
from fraudwatch.domain.features.version import features_version
from fraudwatch.home_format import HOME_FORMAT, UNRECORDED_FORMAT
from fraudwatch.stack.home import Home, StackError

FILE = "version.json"
# Present while a restore copies into the home; such a home holds parts only.
UNFINISHED_RESTORE = "restore.unfinished"
_SNAPSHOTS = "detector/snapshots"
_MANIFEST = ".manifest"


@dataclass(frozen=True, kw_only=True)
class HomeVersion:
    """Version of a home's data: format, features version, and upgrade steps done."""

    format: int
    features_version: str | None
    """None where nothing was scored, and where a home recorded none."""
    steps: tuple[str, ...] = ()

    @property
    def is_current(self) -> bool:
        """Whether this code can start on the home."""
        return self.format == HOME_FORMAT and self.features_version in {None, features_version()}


def code_version() -> HomeVersion:
    """Return the version that this code writes."""
    return HomeVersion(format=HOME_FORMAT, features_version=features_version())


def read(home: Home) -> HomeVersion | None:
    """Read a home's version; None for a home that was never started.

    Raises:
        StackError: the file is damaged, or a restore into this home was not finished.
    """
    path = home.folder / FILE
    if (home.folder / UNFINISHED_RESTORE).exists():
        raise StackError(
            f"a restore into {home.folder} was not finished, so it holds only parts; run "
            "./fraudwatch restore again"
        )
    if not path.exists():
        return _unrecorded(home) if (home.folder / "kafka").exists() else None
    try:
        raw = json.loads(path.read_text(encoding="utf-8"))
        return HomeVersion(
            format=int(raw["format"]),
            features_version=raw["features_version"],
            steps=tuple(raw["steps"]),
        )
    except (ValueError, KeyError, TypeError) as error:
        raise StackError(
            f"{path} is damaged ({error}), so it is unknown which version made this home; put the "
            "file back from a backup"
        ) from error


def write(home: Home, version: HomeVersion) -> None:
    """Record the version, durably on disk before this returns."""
    replace_file(home.folder / FILE, f"{json.dumps(asdict(version), indent=2)}\n".encode())


def claim(home: Home) -> None:
    """Record this code's version in a new home, and refuse a home of another version.

    Raises:
        StackError: the home was made by an older or newer version; the message has the fix.
    """
    found = read(home)
    if found is None:
        write(home, code_version())
    elif found.format > HOME_FORMAT:
        raise StackError(
            f"{home.folder} has format {found.format}, and this code knows formats up to "
            f"{HOME_FORMAT}, so nothing was started; use the newer version that made it"
        )
    elif not found.is_current:
        raise StackError(
            f"{home.folder} was made by an older version ({described(found)}; this code: "
            f"{described(code_version())}), so nothing was started; run ./fraudwatch upgrade"
        )
    elif found.features_version is None:
        write(home, replace(found, features_version=features_version()))


def described(version: HomeVersion) -> str:
    """Describe a version in a message."""
    return f"format {version.format}, features version {version.features_version or 'unknown'}"


def _unrecorded(home: Home) -> HomeVersion:
    """Describe a home of before version.json: its snapshots name the features version."""
    names = sorted(path.name for path in (home.folder / _SNAPSHOTS).glob(f"*{_MANIFEST}"))
    found = names[-1].removesuffix(_MANIFEST).partition("-")[2] if names else None
    return HomeVersion(format=UNRECORDED_FORMAT, features_version=found)
