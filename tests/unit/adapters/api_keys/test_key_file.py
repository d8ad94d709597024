from __future__ import annotations

import json
import stat
import threading
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

import pytest

from fraudwatch.adapters.api_keys.key_file import ApiKeyFile, KeysUnavailable
from fraudwatch.domain.api_keys import (
    ApiKey,
    ExpiredKey,
    RevokedKey,
    Scope,
    UnknownKey,
    digest_of,
    presented_form,
)

SECRET = "s3cret-of_43-characters"
NOW_MS = 1_700_000_000_000
KEY = ApiKey(
    key_id="k1",
    client="till",
    scopes=(Scope.INGEST, Scope.LABEL),
    sources=("shop",),
    requests_per_second=2.5,
    created_at_ms=NOW_MS - 1,
    expires_at_ms=None,
    revoked_at_ms=None,
    secret_sha256=digest_of(SECRET),
)
PRESENTED = presented_form("k1", SECRET)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "api_keys" / "keys.json"


def file_with(path: Path, *keys: ApiKey) -> ApiKeyFile:
    file = ApiKeyFile(path)
    for key in keys:
        file.change(lambda _, key=key: key)  # type: ignore[misc]
    return file


def test_a_key_is_read_back_by_its_secret_and_the_file_is_private(path: Path) -> None:
    assert file_with(path, KEY).authenticate(PRESENTED, NOW_MS) == KEY
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700
    assert SECRET not in path.read_text()


def test_a_key_of_before_there_was_a_sandbox_is_none_of_it(path: Path) -> None:
    file_with(path, replace(KEY, is_sandbox=True))
    document = json.loads(path.read_text())
    assert document["keys"][0].pop("is_sandbox") is True
    path.write_text(json.dumps(document))
    assert not ApiKeyFile(path).authenticate(PRESENTED, NOW_MS).is_sandbox


@pytest.mark.parametrize(
    "presented",
    [
        "",
        "k1",
        SECRET,
        presented_form("k2", SECRET),
        presented_form("k1", SECRET + "x"),
        presented_form("k1", SECRET[:-1]),
        f"FWK_k1_{SECRET}",
        f"{PRESENTED} ",
        "fwk_k1_é",
    ],
)
def test_everything_else_is_unknown(path: Path, presented: str) -> None:
    with pytest.raises(UnknownKey):
        file_with(path, KEY).authenticate(presented, NOW_MS)


def test_the_key_of_env_has_no_id_in_it(path: Path) -> None:
    env = replace(KEY, key_id="env")
    file = file_with(path, KEY, env)
    assert file.authenticate(SECRET, NOW_MS) == env
    assert file.authenticate(PRESENTED, NOW_MS) == KEY


def test_a_key_ends_at_its_time_and_when_it_is_revoked(path: Path) -> None:
    file = file_with(path, replace(KEY, expires_at_ms=NOW_MS))
    assert file.authenticate(PRESENTED, NOW_MS - 1)
    with pytest.raises(ExpiredKey):
        file.authenticate(PRESENTED, NOW_MS)
    file_with(path, replace(KEY, revoked_at_ms=NOW_MS))
    with pytest.raises(RevokedKey):
        file.authenticate(PRESENTED, NOW_MS - 1)
    # Without the secret a caller does not learn that the key was revoked.
    with pytest.raises(UnknownKey):
        file.authenticate(presented_form("k1", "guess"), NOW_MS)


def test_a_change_by_another_process_is_in_effect_at_once(path: Path) -> None:
    reader, writer = ApiKeyFile(path), ApiKeyFile(path)
    with pytest.raises(UnknownKey):
        reader.authenticate(PRESENTED, NOW_MS)
    writer.change(lambda _: KEY)
    assert reader.authenticate(PRESENTED, NOW_MS)
    path.unlink()
    with pytest.raises(UnknownKey):
        reader.authenticate(PRESENTED, NOW_MS)


@pytest.mark.parametrize("text", ["", "{", '{"format": 1}', '{"format": 2, "keys": []}'])
def test_a_broken_file_accepts_no_caller_until_it_is_repaired(path: Path, text: str) -> None:
    file = file_with(path, KEY)
    good = path.read_text()
    path.write_text(text)
    for _ in range(2):
        with pytest.raises(KeysUnavailable, match=r"keys\.json"):
            file.authenticate(PRESENTED, NOW_MS)
    with pytest.raises(KeysUnavailable):
        file.change(lambda _: KEY)
    assert path.read_text() == text
    path.write_text(good)
    assert file.authenticate(PRESENTED, NOW_MS) == KEY


def test_concurrent_changes_lose_no_key(path: Path) -> None:
    def add(number: int) -> None:
        ApiKeyFile(path).change(lambda _: replace(KEY, key_id=f"k{number}"))

    threads = [threading.Thread(target=add, args=(n,)) for n in range(12)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(ApiKeyFile(path).list_keys()) == 12


def test_a_change_may_leave_the_file_alone(path: Path) -> None:
    file = file_with(path, KEY)
    before = path.stat().st_ino
    known: list[Mapping[str, ApiKey]] = []
    file.change(known.append)
    assert (path.stat().st_ino, [*known[0]]) == (before, ["k1"])
