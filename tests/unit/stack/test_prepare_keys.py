from __future__ import annotations

from pathlib import Path

import pytest

from fraudwatch.adapters.api_keys.key_file import ApiKeyFile
from fraudwatch.stack import catalogue
from fraudwatch.stack.catalogue import Launch
from fraudwatch.stack.home import ROOT, Home, StackError
from fraudwatch.stack.prepare import prepare

KEY, REVEAL_KEY = "0123456789abcdef0123", "0123456789abcdef9999"


@pytest.fixture
def home(tmp_path: Path) -> Home:
    return Home(root=ROOT, runtime=tmp_path, folder=tmp_path / "home")


def start_ingest(home: Home, key: str, reveal_key: str = REVEAL_KEY) -> ApiKeyFile:
    path = home.folder / "api_keys/keys.json"
    launch = Launch(
        service=catalogue.load().services["ingest"],
        argv=(),
        environment={"API_KEYS_PATH": str(path)},
        probe=None,
        ports={},
    )
    prepare(home, launch, {"INGEST_API_KEY": key, "REVEAL_API_KEY": reveal_key})
    return ApiKeyFile(path)


def test_the_key_of_env_is_registered_before_ingest_starts(home: Home) -> None:
    key = start_ingest(home, KEY).authenticate(KEY, 0)
    assert (key.key_id, key.client) == ("env", "env")
    assert len(start_ingest(home, KEY).list_keys()) == 1


def test_one_key_for_ingest_and_reveal_is_refused(home: Home) -> None:
    with pytest.raises(StackError, match="are the same") as refusal:
        start_ingest(home, KEY, KEY)
    assert KEY not in str(refusal.value)


def test_a_broken_key_file_stops_the_start(home: Home) -> None:
    start_ingest(home, KEY)
    (home.folder / "api_keys/keys.json").write_text("{")
    with pytest.raises(StackError, match=r"keys\.json"):
        start_ingest(home, KEY)
