from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from fraudwatch.adapters.api_keys.key_file import ApiKeyFile
from fraudwatch.adapters.codecs.json_codec import decode, encode
from fraudwatch.adapters.memory.verdict_store import MemoryTopic
from fraudwatch.application.api_keys import (
    ApiKeys,
    KeyChangeRefused,
    KeyRequest,
    audited,
    register_env_key,
)
from fraudwatch.application.console.audit import PublishedAudit
from fraudwatch.application.ports import NotDelivered
from fraudwatch.domain.api_keys import (
    ApiKey,
    ExpiredKey,
    KeyRefused,
    RevokedKey,
    SandboxForbids,
    Scope,
)
from fraudwatch.domain.messages.audit import AuditAction, AuditRecord
from fraudwatch.domain.time_units import DAY_MS

NOW_MS = 1_700_000_000_000
WANTED = KeyRequest(
    client="till-7",
    scopes=[Scope.LABEL, Scope.INGEST, Scope.INGEST],
    sources=["shop"],
    requests_per_second=5,
    expires_days=2,
)


@pytest.fixture
def file(tmp_path: Path) -> ApiKeyFile:
    return ApiKeyFile(tmp_path / "keys.json")


@pytest.fixture
def topic() -> MemoryTopic:
    return MemoryTopic()


@pytest.fixture
def keys(file: ApiKeyFile, topic: MemoryTopic) -> ApiKeys:
    log = PublishedAudit(topic, encode)
    record = audited("root@machine", "a new till was bought", log, lambda: NOW_MS)
    return ApiKeys(file, record, lambda: NOW_MS)


def records(topic: MemoryTopic) -> list[AuditRecord]:
    return [decode(AuditRecord, value) for _, value, _ in topic.messages]


def test_a_made_key_is_accepted_until_it_expires(keys: ApiKeys, file: ApiKeyFile) -> None:
    key, presented = keys.make(WANTED)
    assert file.authenticate(presented, NOW_MS) == key
    assert (key.client, key.scopes, key.sources) == ("till-7", ("ingest", "label"), ("shop",))
    assert key.requests_per_second == 5
    with pytest.raises(ExpiredKey):
        file.authenticate(presented, NOW_MS + 2 * DAY_MS)
    other, _ = keys.make(WANTED)
    assert other.key_id != key.key_id
    assert other.secret_sha256 != key.secret_sha256


def test_a_sandbox_key_may_ingest_alone(
    keys: ApiKeys, file: ApiKeyFile, topic: MemoryTopic
) -> None:
    wanted = KeyRequest(client="till-7", scopes=[Scope.INGEST], is_sandbox=True)
    key, presented = keys.make(wanted)
    found = file.authenticate(presented, NOW_MS)
    assert found == key
    assert found.is_sandbox
    found.require_scope(Scope.INGEST)
    for scope in (Scope.READ, Scope.LABEL):
        with pytest.raises(SandboxForbids, match="sandbox key"):
            found.require_scope(scope)
        with pytest.raises(KeyChangeRefused, match="sandbox"):
            keys.make(replace(wanted, scopes=[Scope.INGEST, scope]))
    assert [(one.subject or "").split(" of ")[0] for one in records(topic)] == [
        f"Sandbox key {key.key_id}"
    ]


def test_each_change_has_a_record_before_it(keys: ApiKeys, topic: MemoryTopic) -> None:
    key, presented = keys.make(WANTED)
    keys.revoke(key.key_id)
    made, revoked = records(topic)
    assert (made.deed, revoked.deed) == (AuditAction.KEY_MADE, AuditAction.KEY_REVOKED)
    assert made.subject == f"API key {key.key_id} of till-7: ingest, label; 1 sources"
    assert (made.by, made.reason) == ("root@machine", "a new till was bought")
    assert presented not in str(topic.messages)


def test_without_the_audit_log_nothing_changes(
    keys: ApiKeys, file: ApiKeyFile, topic: MemoryTopic
) -> None:
    key, presented = keys.make(WANTED)
    topic.is_reachable = False
    with pytest.raises(NotDelivered):
        keys.make(WANTED)
    with pytest.raises(NotDelivered):
        keys.revoke(key.key_id)
    assert file.list_keys() == [key]
    assert file.authenticate(presented, NOW_MS)


def test_a_revoked_key_is_refused_and_cannot_be_revoked_again(
    keys: ApiKeys, file: ApiKeyFile
) -> None:
    key, presented = keys.make(WANTED)
    keys.revoke(key.key_id)
    with pytest.raises(RevokedKey):
        file.authenticate(presented, NOW_MS)
    with pytest.raises(KeyChangeRefused, match="already"):
        keys.revoke(key.key_id)
    with pytest.raises(KeyChangeRefused, match="no key"):
        keys.revoke("unknown")


@pytest.mark.parametrize(
    "fault",
    [
        {"client": "a till"},
        {"client": ""},
        {"client": "x" * 65},
        {"scopes": []},
        {"sources": ["Shop"]},
        {"sources": ["x" * 17]},
        {"requests_per_second": 0},
        {"requests_per_second": float("nan")},
        {"expires_days": 0},
    ],
)
def test_a_bad_request_makes_no_key(
    keys: ApiKeys, file: ApiKeyFile, topic: MemoryTopic, fault: dict[str, Any]
) -> None:
    wanted: dict[str, Any] = {"client": "till", "scopes": [Scope.READ]} | fault
    with pytest.raises(KeyChangeRefused, match="No key was made"):
        keys.make(KeyRequest(**wanted))
    assert (file.list_keys(), topic.messages) == ([], [])


def test_a_change_needs_a_reason(topic: MemoryTopic) -> None:
    with pytest.raises(KeyChangeRefused, match="reason"):
        audited("root", "because", PublishedAudit(topic, encode), lambda: NOW_MS)
    record = audited("root", "x" * 501, PublishedAudit(topic, encode), lambda: NOW_MS)
    with pytest.raises(KeyChangeRefused, match="reason"):
        record(AuditAction.KEY_MADE, "a key")
    assert topic.messages == []


def of_env(file: ApiKeyFile) -> ApiKey:
    [key] = file.list_keys()
    return key


@pytest.fixture
def revoke(file: ApiKeyFile) -> Callable[[], ApiKey]:
    return lambda: ApiKeys(file, lambda *_: None, lambda: NOW_MS).revoke("env")


def test_the_key_of_env_is_registered_once_with_all_scopes(file: ApiKeyFile) -> None:
    register_env_key(file, "a-random-secret", NOW_MS)
    first = of_env(file)
    register_env_key(file, "a-random-secret", NOW_MS + 1)
    assert of_env(file) == first == file.authenticate("a-random-secret", NOW_MS)
    assert (set(first.scopes), first.sources) == (set(Scope), ())
    register_env_key(file, "another-secret", NOW_MS + 1)
    assert file.authenticate("another-secret", NOW_MS).created_at_ms == NOW_MS


@pytest.mark.parametrize("later", ["a-random-secret", "another-secret"])
def test_a_revoked_key_of_env_does_not_come_back(
    file: ApiKeyFile, revoke: Callable[[], ApiKey], later: str
) -> None:
    register_env_key(file, "a-random-secret", NOW_MS)
    revoke()
    register_env_key(file, later, NOW_MS)
    for presented in {"a-random-secret", later}:
        with pytest.raises(KeyRefused):
            file.authenticate(presented, NOW_MS)
    assert of_env(file).revoked_at_ms == NOW_MS


def test_a_made_key_in_env_is_not_registered_again(keys: ApiKeys, file: ApiKeyFile) -> None:
    key, presented = keys.make(WANTED)
    register_env_key(file, presented, NOW_MS)
    assert file.list_keys() == [key]
