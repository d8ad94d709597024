from __future__ import annotations

from pathlib import Path

import pytest

from fraudwatch.stack import java


def _home(folder: Path, version: str) -> Path:
    (folder / "bin").mkdir(parents=True)
    (folder / "bin/java").write_text(f"#!/bin/sh\necho 'openjdk version \"{version}\"' >&2\n")
    (folder / "bin/java").chmod(0o755)
    return folder


@pytest.mark.parametrize(("version", "major"), [("17.0.9", 17), ("21", 21), ("1.8.0_392", 1)])
def test_the_version_is_read_from_the_release_file_or_java_itself(
    tmp_path: Path, version: str, major: int
) -> None:
    without_file = _home(tmp_path / "without_file", version)
    assert java.major_of(without_file) == major
    with_file = _home(tmp_path / "with_file", "99")
    (with_file / "release").write_text(f'JAVA_VERSION="{version}"\n')
    assert java.major_of(with_file) == major


def test_only_java_17_is_found_and_java_home_comes_first(tmp_path: Path) -> None:
    jvm = tmp_path / "jvm"
    debian = _home(jvm / "java-17", "17.0.15")
    _home(jvm / "java-21", "21.0.1")
    own = _home(tmp_path / "own", "17.0.1")
    assert java.find({"JAVA_HOME": str(own), "PATH": ""}, jvm) == own
    assert java.find({"JAVA_HOME": str(jvm / "java-21"), "PATH": ""}, jvm) == debian
    assert java.find({"PATH": ""}, tmp_path / "none") is None
